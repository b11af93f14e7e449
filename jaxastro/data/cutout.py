"""One single image as stored, with its label."""

from typing import NamedTuple

import numpy as np


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
