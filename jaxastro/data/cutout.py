"""The record of a single image."""

from typing import NamedTuple

import numpy as np

from jaxastro.errors import RecordError
from jaxastro.surveys import UNLABELLED, Survey


class CutoutRecord(NamedTuple):
    """A single image on disk; its fields are the columns of the data set."""

    object_id: str
    ra: float  # degrees
    dec: float  # degrees
    label: str  # one of the survey's classes, or Unknown
    label_source: str  # spectroscopic, photometric, catalogue, simulated, none
    truth: str  # the class a simulation drew; empty for real objects
    redshift: float
    group: str  # never split over folds
    image: np.ndarray  # y x d  float32, the survey's unit; a layer d per band
    mjd: np.ndarray = np.zeros(0)  # t  float64, days, epochs of a heat map
    band: np.ndarray = np.zeros(0, np.int32)  # t  int32, index into the survey's bands

    OF_EPOCHS = ()  # epochs cannot be removed from an image


def make_cutout_record(
    object_id: str, survey: Survey, *, image, label: str = UNLABELLED
) -> tuple[CutoutRecord, tuple[str, ...]]:
    """Returns a checked record and no notes, since images are not repaired.

    Args:
        object_id: name of the object in messages and predictions.
        survey: its image shape is used.
        image: [y x d], the survey's unit, one layer per band.
        label: one of the survey's classes, or "Unknown".
    Raises:
        RecordError: if the image has another shape than the survey's.
    """
    image = np.asarray(image, np.float32)
    size = survey.image_size
    expected = survey.shape or (size, size, len(survey.bands))
    if image.ndim != 3 or (all(expected) and image.shape != expected):
        raise RecordError(
            f"Object {object_id}: an image of shape {image.shape}. {survey.name} has "
            f"{expected}. Cut or stack the image to that shape."
        )
    nan = float("nan")
    record = CutoutRecord(object_id, nan, nan, label, "none", "", nan, object_id, image)
    return record, ()
