"""The features of a stored record, shared by every builder of image time series."""

import numpy as np
import tensorflow_datasets as tfds

from jaxastro.data.record import Record
from jaxastro.surveys import Survey


def _tensor(shape, dtype) -> tfds.features.Tensor:
    # Without encoding="bytes" TFDS stores float64 as float32: MJD off by minutes.
    return tfds.features.Tensor(shape=shape, dtype=dtype, encoding="bytes")


def record_features(survey: Survey) -> tfds.features.FeaturesDict:
    """Returns the TFDS features whose names are the fields of Record."""
    frames = (None, survey.image_size, survey.image_size)
    text = ("object_id", "label", "label_source", "truth", "group")
    features = {name: tfds.features.Text() for name in text}
    features |= {name: _tensor((), np.float64) for name in ("ra", "dec", "redshift")}
    features |= {
        "flux": _tensor(frames, np.float32),
        "bad_pixel": _tensor(frames, np.bool_),
        "mjd": _tensor((None,), np.float64),
        "band": _tensor((None,), np.int32),
    }
    for name in ("psf_fwhm", "noise", "gain", "zero_point"):
        features[name] = _tensor((None,), np.float32)
    return tfds.features.FeaturesDict({name: features[name] for name in Record._fields})
