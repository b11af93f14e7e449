"""Selection of bands: survey facts and records with a subset of the bands."""

import numpy as np

from jaxastro.data.record import Record, select_epochs
from jaxastro.data.record_checks import band_index
from jaxastro.errors import InputError, RecordError
from jaxastro.surveys import Survey


def survey_in_bands(survey: Survey, bands: tuple[str, ...]) -> Survey:
    """Returns the survey's facts with these bands only, in this order.

    Raises:
        InputError: if the survey has no such band, or its records have no epochs.
    """
    if survey.kind == "cutout":
        raise InputError(
            f"config.selection.bands={bands}, but an image of survey {survey.name} "
            "combines all bands. Leave it empty."
        )
    kept = band_index("config.selection.bands", survey, bands)
    wavelength = tuple(survey.wavelength[i] for i in kept)
    return survey._replace(bands=tuple(bands), wavelength=wavelength)


def record_in_bands(record: Record, bands: tuple[str, ...], survey: Survey) -> Record:
    """Returns the record's epochs in these bands; band indices refer to `bands`.

    Args:
        survey: facts with all bands, to which record.band refers.
    Raises:
        RecordError: if no epoch of a record with epochs is left.
    """
    kept = band_index("config.selection.bands", survey, bands)
    place = np.full(len(survey.bands), -1, np.int32)
    place[kept] = np.arange(len(kept))
    keep = place[record.band] >= 0
    if len(keep) and not keep.any():
        raise RecordError(
            f"Object {record.object_id}: none of its {len(keep)} epochs is in "
            f"{', '.join(bands)}. Exclude the object, or use more bands."
        )
    record = select_epochs(record, keep)
    return record._replace(band=place[record.band])
