"""The alerts of one object, their stamps normalised one by one: what serving sees too.

Each stamp is normalised by itself, so an alert's input is the same whatever came before
or after it. Crop first (config.selection.crop): what lies outside must not set the scale.
"""

from collections.abc import Callable, Iterable

import numpy as np

from jaxastro.data.alert import AlertRecord
from jaxastro.data.feature_scaling import fit_feature_ranks, scale_features
from jaxastro.data.record import first_epochs
from jaxastro.errors import InputError
from jaxastro.surveys import Survey
from jaxastro.types import Alerts

Statistics = dict[str, list[float]]  # plain numbers by name: JSON
KIND, Example = "alerts", Alerts  # of the records, and what is made of one
CATALOGUED = ()  # normalisations that draw a catalogue's numbers


def make_example(
    record: AlertRecord, *, max_epochs: int, normalisation: str, statistics: Statistics
) -> Alerts:
    """Returns one object's first alerts, without the axis b, zeros at the end.

    Pixels that are no measurement are 0, after normalising: they set no scale.

    Args:
        record: sorted by time.
        max_epochs: length of the result: later alerts are left out.
        normalisation: a name in NORMALISATIONS.
        statistics: what fit_statistics returned for the training objects.
    """
    apply = _normalisation(normalisation)
    first = first_epochs(record, max_epochs)
    epochs = len(first.mjd)
    good = ~first.bad_pixel
    stamp = apply(np.where(good, first.stamp, np.nan).astype(np.float64), statistics)
    metadata, known = scale_features(first.metadata, statistics)

    def pad(values, kind):
        out = np.zeros((max_epochs, *values.shape[1:]), kind)
        out[:epochs] = values
        return out

    return Alerts(
        stamp=pad(np.where(good, stamp, 0), np.float32),
        time=pad(first.mjd - first.mjd[:1], np.float32),
        band=pad(first.band, np.int32),
        metadata=pad(metadata, np.float32),
        metadata_mask=pad(known, bool),
        epoch_mask=pad(np.ones(epochs), bool),
    )


def blank(survey: Survey, *, max_epochs: int, num_objects: int) -> Alerts:
    """Returns inputs of the shape that models see, to make states of."""
    shape, size = (num_objects, max_epochs), survey.image_size
    return Alerts(
        stamp=np.zeros((*shape, size, size, 3), np.float32),
        time=np.zeros(shape, np.float32),
        band=np.zeros(shape, np.int32),
        metadata=np.zeros((*shape, len(survey.columns)), np.float32),
        metadata_mask=np.ones((*shape, len(survey.columns)), bool),
        epoch_mask=np.ones(shape, bool),
    )


def fit_statistics(
    records: Iterable[AlertRecord], *, normalisation: str, survey: Survey
) -> Statistics:
    """Returns the numbers that scaling needs, measured on training objects only.

    The ranks of each column, and the softening of each stamp: its typical deviation,
    of the middle half of its pixels.
    """
    del survey
    _normalisation(normalisation)
    records = list(records)
    spread = [_spread(np.where(r.bad_pixel, np.nan, r.stamp)) for r in records]
    spread = np.concatenate([np.zeros((0, 3)), *spread])
    softening = [
        float(np.median(known)) if len(known) else 1.0
        for known in (column[column > 0] for column in spread.T)
    ]
    return {"softening": softening} | fit_feature_ranks(r.metadata for r in records)


def _spread(stamp: np.ndarray) -> np.ndarray:
    """Returns [t 3] the deviation of each stamp's pixels, by their quartiles."""
    pixels = stamp.reshape(len(stamp), -1, 3)
    out = np.zeros((len(stamp), 3))
    seen = np.isfinite(pixels).any(1)
    for t, channel in zip(*np.nonzero(seen), strict=True):
        low, high = np.nanpercentile(pixels[t, :, channel], [25, 75])
        out[t, channel] = (high - low) / 1.349
    return out


def _min_max(stamp: np.ndarray, statistics: Statistics) -> np.ndarray:
    """From 0 to 1, between a stamp's own extremes; 0 if they are one."""
    del statistics
    low, high = _extreme(stamp, np.inf, np.min), _extreme(stamp, -np.inf, np.max)
    return (stamp - low) / _or_one(high - low)


def _l2(stamp: np.ndarray, statistics: Statistics) -> np.ndarray:
    """Of sum of squares 1, each stamp by itself: as BTSbot's are published."""
    del statistics
    return stamp / _or_one(np.sqrt(np.nansum(stamp**2, (1, 2), keepdims=True)))


def _asinh(stamp: np.ndarray, statistics: Statistics) -> np.ndarray:
    """asinh of the flux less a stamp's own sky, in units of a survey's typical noise.

    Fluxes can be told from it: a bright source is brighter than a faint one. The
    difference has no sky.
    """
    pixels = np.where(np.isfinite(stamp), stamp, np.nan)
    empty = ~np.isfinite(pixels).any((1, 2))
    middle = np.zeros((len(stamp), 1, 1, 3))
    for t, channel in zip(*np.nonzero(~empty), strict=True):
        middle[t, 0, 0, channel] = np.nanmedian(pixels[t, :, :, channel])
    middle[..., 2] = 0
    return np.arcsinh((stamp - middle) / np.array(statistics["softening"]))


def _extreme(stamp: np.ndarray, otherwise: float, of: Callable) -> np.ndarray:
    found = of(np.where(np.isfinite(stamp), stamp, otherwise), (1, 2), keepdims=True)
    return np.where(np.isfinite(found), found, 0)


def _or_one(scale: np.ndarray) -> np.ndarray:
    return np.where(scale > 0, scale, 1)


NORMALISATIONS = {"min_max": _min_max, "l2": _l2, "asinh": _asinh}
CAUSAL = tuple(NORMALISATIONS)  # an alert's input depends on no later one


def _normalisation(name: str) -> Callable:
    if name not in NORMALISATIONS:
        raise InputError(
            f"No normalisation of stamps named {name!r}. Known: "
            f"{', '.join(NORMALISATIONS)}."
        )
    return NORMALISATIONS[name]
