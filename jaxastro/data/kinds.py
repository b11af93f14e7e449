"""The kinds of records that surveys have."""

import numpy as np

from jaxastro.data.alert import AlertRecord
from jaxastro.data.cutout import Cutout
from jaxastro.data.light_curve import LightCurveRecord
from jaxastro.data.record import Record

KINDS = {
    "series": Record,
    "light_curve": LightCurveRecord,
    "alerts": AlertRecord,
    "cutout": Cutout,
}


def frames_of(record: tuple) -> tuple:
    """Returns flux [t y x], bad_pixel [t y x] and band [t]; None where no images are.

    Of alerts these are the science stamps, of a cutout its layers, one per band.
    """
    if hasattr(record, "stamp"):
        return record.stamp[..., 0], record.bad_pixel[..., 0], record.band
    if hasattr(record, "bad_pixel"):
        return record.flux, record.bad_pixel, record.band
    if hasattr(record, "image"):
        layers = np.moveaxis(record.image, -1, 0)
        return layers, ~np.isfinite(layers), np.arange(len(layers))
    return None, None, None
