"""The first alerts of an object, with normalised stamps and metadata.

Each stamp is normalised independently, so that the input of an alert does not depend on
other alerts. Records are cropped before (config.selection.crop), so that pixels outside
the crop do not affect the scale.
"""

from collections.abc import Callable, Iterable

import numpy as np

from jaxastro.data.alert import AlertRecord
from jaxastro.data.feature_scaling import fit_feature_ranks, scale_features
from jaxastro.data.record import first_epochs
from jaxastro.errors import InputError
from jaxastro.surveys import Survey
from jaxastro.types import Alerts

Statistics = dict[str, list[float]]  # name -> numbers, can be stored as JSON
KIND, Example = "alerts", Alerts
CATALOGUED = ()


def make_example(
    record: AlertRecord, *, max_epochs: int, normalisation: str, statistics: Statistics
) -> Alerts:
    """Returns one object's first alerts, without the axis b, padded with zeros.

    Bad pixels are 0 after the normalisation, on which they have no effect.

    Args:
        record: sorted by time.
        max_epochs: length of the result; later alerts are omitted.
        normalisation: a key of NORMALISATIONS.
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
    """Returns inputs of zeros, in the shape of a batch, to initialise models."""
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
    """Returns the statistics that the normalisation needs, of the training objects.

    They are the quantiles of each column, and a softening for science, template and
    difference: the median of the standard deviations of stamps, from quartiles.
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
    """Returns [t 3], the standard deviation of each stamp's pixels, from quartiles."""
    pixels = stamp.reshape(len(stamp), -1, 3)
    out = np.zeros((len(stamp), 3))
    seen = np.isfinite(pixels).any(1)
    for t, k in zip(*np.nonzero(seen), strict=True):
        low, high = np.nanpercentile(pixels[t, :, k], [25, 75])
        out[t, k] = (high - low) / 1.349
    return out


def _min_max(stamp: np.ndarray, statistics: Statistics) -> np.ndarray:
    """Scales each stamp from its minimum, 0, to its maximum, 1."""
    del statistics
    low, high = _extreme(stamp, np.inf, np.min), _extreme(stamp, -np.inf, np.max)
    return (stamp - low) / _or_one(high - low)


def _l2(stamp: np.ndarray, statistics: Statistics) -> np.ndarray:
    """Divides each stamp by its L2 norm, as in the published stamps of BTSbot."""
    del statistics
    return stamp / _or_one(np.sqrt(np.nansum(stamp**2, (1, 2), keepdims=True)))


def _asinh(stamp: np.ndarray, statistics: Statistics) -> np.ndarray:
    """Returns asinh((flux - sky) / softening), which preserves the order of fluxes.

    The sky is the median of a stamp, and 0 for the difference.
    """
    pixels = np.where(np.isfinite(stamp), stamp, np.nan)
    empty = ~np.isfinite(pixels).any((1, 2))
    sky = np.zeros((len(stamp), 1, 1, 3))
    for t, k in zip(*np.nonzero(~empty), strict=True):
        sky[t, 0, 0, k] = np.nanmedian(pixels[t, :, :, k])
    sky[..., 2] = 0
    return np.arcsinh((stamp - sky) / np.array(statistics["softening"]))


def _extreme(stamp: np.ndarray, default: float, function: Callable) -> np.ndarray:
    known = np.where(np.isfinite(stamp), stamp, default)
    extreme = function(known, (1, 2), keepdims=True)
    return np.where(np.isfinite(extreme), extreme, 0)


def _or_one(scale: np.ndarray) -> np.ndarray:
    return np.where(scale > 0, scale, 1)


NORMALISATIONS = {"min_max": _min_max, "l2": _l2, "asinh": _asinh}
CAUSAL = tuple(NORMALISATIONS)


def _normalisation(name: str) -> Callable:
    if name not in NORMALISATIONS:
        raise InputError(
            f"No normalisation of stamps named {name!r}. Known: "
            f"{', '.join(NORMALISATIONS)}."
        )
    return NORMALISATIONS[name]
