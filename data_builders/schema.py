"""The features of a stored record, one set for each kind of record."""

import numpy as np
import tensorflow_datasets as tfds

from jaxastro.data.kinds import KINDS
from jaxastro.surveys import Survey

TEXT = ("object_id", "label", "label_source", "truth", "group")
NUMBER = ("ra", "dec", "redshift")
EPOCHS, PIXELS = (None,), (None, None, None)
# kind -> column -> shape and type; None is a length that varies between objects.
ARRAYS = {
    "series": {
        "flux": (PIXELS, np.float32),
        "mjd": (EPOCHS, np.float64),
        "band": (EPOCHS, np.int32),
        "psf_fwhm": (EPOCHS, np.float32),
        "noise": (EPOCHS, np.float32),
        "gain": (EPOCHS, np.float32),
        "zero_point": (EPOCHS, np.float32),
        "bad_pixel": (PIXELS, np.bool_),
    },
    "light_curve": {
        "flux": (EPOCHS, np.float32),
        "flux_error": (EPOCHS, np.float32),
        "mjd": (EPOCHS, np.float64),
        "band": (EPOCHS, np.int32),
        "features": ((None,), np.float64),
    },
    "alerts": {
        "alert_id": (EPOCHS, np.int64),
        "mjd": (EPOCHS, np.float64),
        "band": (EPOCHS, np.int32),
        "stamp": ((*PIXELS, 3), np.float32),
        "bad_pixel": ((*PIXELS, 3), np.bool_),
        "metadata": ((None, None), np.float64),
        "history_mjd": (EPOCHS, np.float64),
        "history_band": (EPOCHS, np.int32),
        "history_kind": (EPOCHS, np.int32),
        "history_flux": (EPOCHS, np.float32),
        "history_flux_error": (EPOCHS, np.float32),
    },
    "cutout": {"image": (PIXELS, np.float32)},
}


def record_features(survey: Survey) -> tfds.features.FeaturesDict:
    """Returns the TFDS features whose names are the fields of the survey's records."""
    features = {name: tfds.features.Text() for name in TEXT}
    features |= {name: _tensor((), np.float64) for name in NUMBER}
    for name, (shape, dtype) in ARRAYS[survey.kind].items():
        features[name] = _tensor(_sized(shape, survey.image_size), dtype)
    fields = KINDS[survey.kind]._fields
    return tfds.features.FeaturesDict({name: features[name] for name in fields})


def _sized(shape: tuple, size: int) -> tuple:
    """Writes the image size, where the survey has one, into t y x or t y x 3."""
    if len(shape) < 3 or not size:
        return shape
    return (None, size, size, *shape[3:])


def _tensor(shape, dtype) -> tfds.features.Tensor:
    # Without encoding="bytes" TFDS stores float64 as float32: MJD off by minutes.
    return tfds.features.Tensor(shape=shape, dtype=dtype, encoding="bytes")
