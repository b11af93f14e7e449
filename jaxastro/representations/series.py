"""An image time series of fixed length, normalised: what image models eat.

A normalisation is a pair of functions: `fit` measures the training objects, once;
`apply` uses only those numbers, so training and serving cannot differ.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

from jaxastro.data.evenly_spaced import evenly_spaced
from jaxastro.data.series import SeriesRecord
from jaxastro.errors import InputError, RecordError
from jaxastro.photometry import border_statistics, centre_distance
from jaxastro.photometry.median import nanmedian
from jaxastro.surveys import Survey
from jaxastro.types import Series

SMOOTHING = 1.5  # pixels, standard deviation: a little less than HiTS' seeing
BORDER = 3  # pixels along a stamp's edge that give its sky

Statistics = dict[str, list[float]]  # plain numbers by name, one per band: JSON
Epochs = slice | np.ndarray  # which epochs of a record are kept
KIND, Example = "series", Series  # of the records, and what is made of one
# Normalisations whose result for a frame does not depend on later ones.
CAUSAL = ("standard", "asinh")
CATALOGUED = ()  # normalisations that draw a catalogue's numbers


def make_example(
    record: SeriesRecord, *, max_epochs: int, normalisation: str, statistics: Statistics
) -> Series:
    """Returns one object's series, without the axis b, padded with zeros at the end.

    Of more than `max_epochs` epochs, those evenly spaced in order are kept.

    Args:
        record: sorted by time.
        max_epochs: length of the result.
        normalisation: a name in NORMALISATIONS.
        statistics: what fit_statistics returned for the training objects.
    """
    keep = evenly_spaced(len(record.mjd), max_epochs)
    image = _normalisation(normalisation).apply(record, keep, statistics)
    days = record.mjd[keep] - record.mjd[0]  # the first is kept

    def pad(values, kind):
        out = np.zeros((max_epochs, *values.shape[1:]), kind)
        out[: len(values)] = values
        return out

    return Series(
        image=pad(image, np.float32),
        time=pad(days, np.float32),
        band=pad(record.band[keep], np.int32),
        epoch_mask=pad(np.ones(len(image)), bool),
    )


def blank(survey: Survey, *, max_epochs: int, num_objects: int) -> Series:
    """Returns inputs of the shape that models see, to make states of."""
    shape = num_objects, max_epochs
    return Series(
        image=np.zeros((*shape, *2 * (survey.image_size,)), np.float32),
        time=np.zeros(shape, np.float32),
        band=np.zeros(shape, np.int32),
        epoch_mask=np.ones(shape, bool),
    )


def fit_statistics(
    records: Iterable[SeriesRecord], *, normalisation: str, survey: Survey
) -> Statistics:
    """Returns the numbers a normalisation needs, measured on training objects only."""
    return _normalisation(normalisation).fit(records, len(survey.bands))


def fill_bad_pixels(record: SeriesRecord, keep: Epochs = slice(None)) -> np.ndarray:
    """Returns flux of the kept frames, bad pixels set to the median of the good.

    Each frame has its own median; most have no bad pixel, and cost none.
    """
    flux, bad = record.flux[keep], record.bad_pixel[keep]
    frames = bad.any(axis=(1, 2))
    if not frames.any():
        return flux
    good = np.where(bad[frames], np.float32(np.nan), flux[frames])
    median = nanmedian(good.reshape(len(good), -1), axis=1)[:, None, None]
    filled = flux.copy()
    filled[frames] = np.where(bad[frames], median, good)
    return filled


class Normalisation(NamedTuple):
    """Two functions: numbers from training records, kept frames as a model sees them.

    The second may look at all epochs of the record, and returns those that are kept.
    """

    fit: Callable[[Iterable[SeriesRecord], int], Statistics]
    apply: Callable[[SeriesRecord, Epochs, Statistics], np.ndarray]


def _fit_standard(records: Iterable[SeriesRecord], num_bands: int) -> Statistics:
    count, total, square = np.zeros((3, num_bands))
    for record in records:
        flux = fill_bad_pixels(record).astype(np.float64)
        for band in np.unique(record.band):
            pixel = flux[record.band == band]
            count[band] += pixel.size
            total[band] += pixel.sum()
            square[band] += (pixel**2).sum()
    count = np.maximum(count, 1)
    mean = total / count
    deviation = np.sqrt(np.maximum(square / count - mean**2, 0))
    # A band that no training object has is left as it is.
    deviation = np.where(deviation > 0, deviation, 1)
    return {"mean": mean.tolist(), "deviation": deviation.tolist()}


def _apply_standard(record: SeriesRecord, keep: Epochs, statistics: Statistics):
    mean, deviation = (
        np.float32(statistics[name])[record.band[keep]][:, None, None]
        for name in ("mean", "deviation")
    )
    return (fill_bad_pixels(record, keep) - mean) / deviation


def _fit_asinh(records: Iterable[SeriesRecord], num_bands: int) -> Statistics:
    """Softening: a band's typical pixel noise, from the corners of its frames."""
    noise = [[] for _ in range(num_bands)]
    for record in records:
        corner = fill_bad_pixels(record)[:, :5, :5].reshape(len(record.mjd), -1)
        spread = 1.4826 * np.median(
            np.abs(corner - np.median(corner, axis=1, keepdims=True)), axis=1
        )
        for band in np.unique(record.band):
            noise[band].append(np.median(spread[record.band == band]))
    softening = [float(np.median(values)) if values else 1.0 for values in noise]
    return {"softening": [value if value > 0 else 1.0 for value in softening]}


def _apply_asinh(record: SeriesRecord, keep: Epochs, statistics: Statistics):
    softening = np.float32(statistics["softening"])[record.band[keep]][:, None, None]
    # Three softenings: noise is about 0.3, and a star a thousand times brighter 6.5.
    return np.arcsinh(fill_bad_pixels(record, keep) / (3 * softening))


def _fit_variability(records: Iterable[SeriesRecord], num_bands: int) -> Statistics:
    square, count = 0.0, 0
    for record in records:
        change = _change(record)
        square, count = square + float(np.square(change).sum()), count + change.size
    deviation = np.sqrt(square / max(count, 1))
    return {"deviation": [float(deviation) if deviation > 0 else 1.0]}


def _apply_variability(record: SeriesRecord, keep: Epochs, statistics: Statistics):
    change = _change(record)[keep] / statistics["deviation"][0]
    # A cosmic ray or a moving neighbour must not drown the object: 30 deviations.
    return np.clip(change, -30, 30).astype(np.float32)


def _change(record: SeriesRecord) -> np.ndarray:
    """Returns [t y x] how each frame differs from the object's median frame.

    The sky, the median of the stamp's border, and the median frame of the same band
    are taken off, so what is steady vanishes. The unit is the object's own
    variability: the range that 90 % of its central light stays in, but at least three
    times that light's noise and 2 % of its median, so that a constant object is not
    blown up to a variable one. Bad pixels have not changed. Last, frames are smoothed
    to about the seeing, which gathers a star's light and hides the noise's texture,
    where supernova stamps were resampled and others were not.
    """
    sky, noise, _ = border_statistics(record.flux, record.bad_pixel, BORDER)
    if np.isnan(sky).all():
        raise RecordError(
            f"Object {record.object_id}: no good pixel in the outer {BORDER} pixels of "
            "any frame, so its sky is unknown. Remove the object."
        )
    sky = np.where(np.isnan(sky), np.nanmedian(sky), sky)
    above = record.flux.astype(np.float64) - sky[:, None, None]
    above = np.where(record.bad_pixel, np.nan, above)
    change, steady = np.zeros_like(above), 0.0
    size = above.shape[1:]
    weight = np.clip(size[0] // 2 - BORDER - centre_distance(size), 0, 1)
    for band in np.unique(record.band):
        rows = record.band == band
        blind = np.isnan(above[rows]).all(axis=0)
        median = nanmedian(np.where(blind, 0, above[rows]), axis=0)
        change[rows] = np.nan_to_num(above[rows] - median)
        steady = max(steady, float((median * weight).sum()))
    light = (change * weight).sum(axis=(1, 2))
    low, high = np.percentile(light, [5, 95])
    error = np.nanmedian(noise) * np.sqrt(np.square(weight).sum())
    change /= max(high - low, 3 * error, 0.02 * steady, 1e-6)
    return gaussian_filter(change, sigma=(0, SMOOTHING, SMOOTHING), mode="constant")


NORMALISATIONS = {
    "standard": Normalisation(_fit_standard, _apply_standard),  # as published
    "asinh": Normalisation(_fit_asinh, _apply_asinh),
    "variability": Normalisation(_fit_variability, _apply_variability),
}


def _normalisation(name: str) -> Normalisation:
    if name not in NORMALISATIONS:
        raise InputError(
            f"No normalisation named {name!r}. Known: {', '.join(NORMALISATIONS)}."
        )
    return NORMALISATIONS[name]
