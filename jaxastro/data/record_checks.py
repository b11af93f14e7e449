"""Checks of labels and bands that all kinds of records need."""

import numpy as np

from jaxastro.errors import RecordError
from jaxastro.surveys import LABEL_SOURCES, UNLABELLED, Survey


def check_label(
    where: str, survey: Survey, label: str, truth: str, label_source: str
) -> None:
    """Raises RecordError if a label, true class or label source is unknown.

    Args:
        where: start of the message, such as "Object SN1".
    """
    known = (*survey.classes, UNLABELLED)
    for name in (label, truth or UNLABELLED):
        if name not in known:
            raise RecordError(
                f"{where}: unknown class {name!r}. {survey.name} has "
                f"{', '.join(known)}. Rename the label or add the class to surveys.py."
            )
    if label_source not in LABEL_SOURCES:
        raise RecordError(
            f"{where}: unknown label source {label_source!r}. Known: "
            f"{', '.join(LABEL_SOURCES)}."
        )


def band_index(where: str, survey: Survey, band) -> np.ndarray:
    """Returns [t] int32, indices into the survey's bands.

    Args:
        where: start of the message, such as "Object SN1".
        band: [t], names or indices.
    Raises:
        RecordError: if a band is unknown.
    """
    band = np.asarray(band)
    names = np.array(survey.bands)
    is_name = band.dtype.kind in "US"
    if is_name:
        unknown = sorted(set(np.unique(band).tolist()) - set(survey.bands))
    else:
        number = np.unique(band)
        unknown = number[~np.isin(number, np.arange(len(names)))].tolist()
    if unknown:
        raise RecordError(
            f"{where}: unknown band {unknown[0]!r}. {survey.name} has "
            f"{', '.join(survey.bands)} (or their indices from 0). Rename the band or "
            "remove its epochs."
        )
    if is_name:
        order = np.argsort(names)
        band = order[np.searchsorted(names[order], band)]
    return band.astype(np.int32)
