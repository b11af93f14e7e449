"""One single image as stored, with its label."""

from typing import NamedTuple

import numpy as np

from jaxastro.errors import RecordError
from jaxastro.surveys import UNLABELLED, Survey


class CutoutRecord(NamedTuple):
    """An image without time on disk; its fields are the columns of the data set."""

    object_id: str
    ra: float  # degrees
    dec: float  # degrees
    label: str  # one of the survey's classes, or Unknown
    label_source: str  # spectroscopic, photometric, catalogue, simulated, none
    truth: str  # the class a simulation drew; empty for real objects
    redshift: float
    group: str  # what may not be split over folds
    image: np.ndarray  # y x d  float32, the survey's unit, one d per band, or its shape
    mjd: np.ndarray = np.zeros(0)  # t  float64, of the epochs that it was drawn from
    band: np.ndarray = np.zeros(0, np.int32)  # t  index into the survey's bands

    OF_EPOCHS = ()  # none can be taken away from what is drawn


def make_cutout_record(
    object_id: str, survey: Survey, *, image, label: str = UNLABELLED
) -> tuple[CutoutRecord, tuple[str, ...]]:
    """Returns a checked record, and no notes: nothing of an image is repaired.

    Args:
        image: [y x d], the survey's unit, one layer per band.
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
