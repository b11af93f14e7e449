"""A survey as if it had observed in some of its bands alone."""

import numpy as np

from jaxastro.data.record import select_epochs
from jaxastro.data.record_checks import band_index
from jaxastro.errors import InputError, RecordError
from jaxastro.surveys import Survey


def survey_in_bands(survey: Survey, bands: tuple[str, ...]) -> Survey:
    """Returns the survey's facts with these bands only, in this order.

    Raises:
        ValueError: if the survey has no such band, or no epochs to choose from.
    """
    if survey.kind == "cutout":
        raise InputError(
            f"config.selection.bands={bands}, but survey {survey.name} holds pictures, each "
            "drawn of all bands. Leave it empty."
        )
    kept = band_index("config.selection.bands", survey, bands)
    wavelength = tuple(survey.wavelength[i] for i in kept)
    return survey._replace(bands=tuple(bands), wavelength=wavelength)


def record_in_bands(record: tuple, bands: tuple[str, ...], survey: Survey) -> tuple:
    """Returns the record's epochs in these bands, numbered by their place among them.

    Args:
        survey: with all bands: those that record.band counts.
    Raises:
        RecordError: if no epoch is left of those it has.
    """
    kept = band_index("config.selection.bands", survey, bands)
    place = np.full(len(survey.bands), -1, np.int32)
    place[kept] = np.arange(len(kept))
    keep = place[record.band] >= 0
    if len(keep) and not keep.any():
        raise RecordError(
            f"Object {record.object_id}: none of its {len(keep)} epochs is in "
            f"{', '.join(bands)}. Leave it out, or use more bands."
        )
    record = select_epochs(record, keep)
    return record._replace(band=place[record.band])
