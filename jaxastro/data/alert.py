"""The alerts of one object as stored: stamps, metadata and history. Ragged."""

from typing import NamedTuple

import numpy as np

DETECTION, LIMIT, FORCED = 0, 1, 2  # what a row of the history is


class AlertRecord(NamedTuple):
    """An object's alert packets on disk, in time order; columns of the data set.

    Unknown numbers are NaN: sentinels of the survey never get here. Stamps of an
    object are padded to its largest, centre on centre, and the rim is marked bad.
    """

    object_id: str
    ra: float  # degrees
    dec: float  # degrees
    label: str  # one of the survey's classes, or Unknown
    label_source: str  # spectroscopic, photometric, catalogue, simulated, none
    truth: str  # the class a simulation drew; empty for real objects
    redshift: float
    group: str  # what may not be split over folds: the object, or 2 arcsec cluster
    alert_id: np.ndarray  # t         int64, one alert per epoch
    mjd: np.ndarray  # t              float64, days
    band: np.ndarray  # t             int32, index into the survey's bands
    stamp: np.ndarray  # t y x 3      float32: science, template, science - template
    bad_pixel: np.ndarray  # t y x 3  bool, True where stamp is not a measurement
    metadata: np.ndarray  # t f       float64, the survey's columns
    history_mjd: np.ndarray  # h      float64, of all packets together, each row once
    history_band: np.ndarray  # h     int32
    history_kind: np.ndarray  # h     int32: 0 detection, 1 upper limit, 2 forced
    history_flux: np.ndarray  # h     float32, difference; of limits the 5 sigma flux
    history_flux_error: np.ndarray  # h  float32
