"""An image time series of fixed length, normalised: the input of image models.

A normalisation is a pair of functions. `fit` measures statistics of the training
objects once; `apply` uses these, so that training and prediction are consistent.
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

SMOOTHING = 1.5  # pixels, standard deviation; slightly less than the seeing of HiTS
BORDER = 3  # pixels along a stamp's edge that give its sky
SKY_LEVEL = 10.0  # pixel noise; a higher level of the corners is that of the sky

Statistics = dict[str, list[float]]  # name -> number per band, can be stored as JSON
Epochs = slice | np.ndarray  # selection of epochs of a record
KIND, Example = "series", Series
CAUSAL = ("standard", "asinh")
CATALOGUED = ()


def make_example(
    record: SeriesRecord, *, max_epochs: int, normalisation: str, statistics: Statistics
) -> Series:
    """Returns one object's series, without the axis b, padded with zeros.

    Args:
        record: sorted by time.
        max_epochs: length of the result; of more epochs, evenly spaced ones are kept.
        normalisation: a key of NORMALISATIONS.
        statistics: what fit_statistics returned for the training objects.
    """
    keep = evenly_spaced(len(record.mjd), max_epochs)
    # Of fluxes that overflow, predictions are NaN; objects with such are set aside.
    with np.errstate(over="ignore", invalid="ignore"):
        image, unit = _normalisation(normalisation).apply(record, keep, statistics)
    days = record.mjd[keep] - record.mjd[0]  # the first epoch is always kept
    # 0, not NaN, where unknown: a NaN in an input would spread through the network.
    psf_fwhm = np.nan_to_num(record.psf_fwhm[keep] / statistics["pixel_scale"][0])
    noise = np.nan_to_num(_pixel_noise(record, keep) / unit)

    def pad(values, kind):
        out = np.zeros((max_epochs, *values.shape[1:]), kind)
        out[: len(values)] = values
        return out

    return Series(
        image=pad(image, np.float32),
        time=pad(days, np.float32),
        band=pad(record.band[keep], np.int32),
        psf_fwhm=pad(psf_fwhm, np.float32),
        noise=pad(noise, np.float32),
        epoch_mask=pad(np.ones(len(image)), bool),
    )


def blank(survey: Survey, *, max_epochs: int, num_objects: int) -> Series:
    """Returns inputs of zeros, in the shape of a batch, to initialise models."""
    shape, size = (num_objects, max_epochs), survey.image_size
    return Series(
        image=np.zeros((*shape, size, size), np.float32),
        time=np.zeros(shape, np.float32),
        band=np.zeros(shape, np.int32),
        psf_fwhm=np.zeros(shape, np.float32),
        noise=np.zeros(shape, np.float32),
        epoch_mask=np.ones(shape, bool),
    )


def fit_statistics(
    records: Iterable[SeriesRecord], *, normalisation: str, survey: Survey
) -> Statistics:
    """Returns the statistics that make_example needs.

    They are those of the normalisation, measured on the training objects, and the
    pixel scale (arcsec), which turns the PSF's width into pixels.
    """
    found = _normalisation(normalisation).fit(records, len(survey.bands))
    return found | {"pixel_scale": [float(survey.pixel_scale)]}


def fill_bad_pixels(record: SeriesRecord, keep: Epochs = slice(None)) -> np.ndarray:
    """Returns [t y x], flux with bad pixels replaced by the median of the frame.

    Args:
        keep: which epochs are returned.
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


def _pixel_noise(record: SeriesRecord, keep: Epochs) -> np.ndarray:
    """Returns [t], the standard deviation of an empty pixel.

    Where the record has none, it is the scatter of the stamp's border.
    """
    noise = record.noise[keep]
    unknown = ~(np.isfinite(noise) & (noise > 0))
    if not unknown.any():
        return noise
    scatter = border_statistics(record.flux[keep], record.bad_pixel[keep], BORDER)[1]
    return np.where(unknown, scatter, noise)


class Normalisation(NamedTuple):
    """A pair of functions; `apply` depends on training objects by statistics only."""

    # training records, number of bands -> statistics
    fit: Callable[[Iterable[SeriesRecord], int], Statistics]
    # record, which epochs, statistics -> normalised frames [t y x] of these epochs,
    # and the flux [t] that is 1 on their scale, before asinh
    apply: Callable[[SeriesRecord, Epochs, Statistics], tuple[np.ndarray, np.ndarray]]


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
    # A band without training objects is not scaled.
    deviation = np.where(deviation > 0, deviation, 1)
    return {"mean": mean.tolist(), "deviation": deviation.tolist()}


def _apply_standard(record: SeriesRecord, keep: Epochs, statistics: Statistics):
    mean, deviation = (
        np.float32(statistics[name])[record.band[keep]]
        for name in ("mean", "deviation")
    )
    centred = fill_bad_pixels(record, keep) - mean[:, None, None]
    return centred / deviation[:, None, None], deviation


def _fit_asinh(records: Iterable[SeriesRecord], num_bands: int) -> Statistics:
    """Returns the softening of each band, and 1 in "sky" if frames hold their sky.

    The softening is the median pixel noise in frame corners. Frames hold their sky if
    the median level of their corners is SKY_LEVEL times that noise. Without this, the
    objects in such frames differ by less than the softening, and all are alike.
    """
    noise, level = [[] for _ in range(num_bands)], []
    for record in records:
        corner = fill_bad_pixels(record)[:, :5, :5].reshape(len(record.mjd), -1)
        middle = np.median(corner, axis=1, keepdims=True)
        spread = 1.4826 * np.median(np.abs(corner - middle), axis=1)
        level.append(np.median(np.abs(middle[:, 0]) / np.maximum(spread, 1e-30)))
        for band in np.unique(record.band):
            noise[band].append(np.median(spread[record.band == band]))
    softening = [float(np.median(values)) if values else 1.0 for values in noise]
    has_sky = bool(level) and np.median(level) > SKY_LEVEL
    return {
        "softening": [value if value > 0 else 1.0 for value in softening],
        "sky": [float(has_sky)],
    }


def _apply_asinh(record: SeriesRecord, keep: Epochs, statistics: Statistics):
    # Noise becomes about 0.3, and a star 1000 times brighter 6.5.
    unit = 3 * np.float32(statistics["softening"])[record.band[keep]]
    flux = fill_bad_pixels(record, keep)
    if statistics["sky"][0]:
        sky = border_statistics(flux, record.bad_pixel[keep], BORDER)[0]
        flux = flux - np.nan_to_num(sky).astype(np.float32)[:, None, None]
    return np.arcsinh(flux / unit[:, None, None]), unit


def _fit_variability(records: Iterable[SeriesRecord], num_bands: int) -> Statistics:
    square, count = 0.0, 0
    for record in records:
        change, _ = _change(record)
        square, count = square + float(np.square(change).sum()), count + change.size
    deviation = np.sqrt(square / max(count, 1))
    return {"deviation": [float(deviation) if deviation > 0 else 1.0]}


def _apply_variability(record: SeriesRecord, keep: Epochs, statistics: Statistics):
    deviation = statistics["deviation"][0]
    change, unit = _change(record)
    # Limits the effect of cosmic rays and moving neighbours to 30 deviations.
    image = np.clip(change[keep] / deviation, -30, 30).astype(np.float32)
    return image, np.full(len(image), unit * deviation)


def _change(record: SeriesRecord) -> tuple[np.ndarray, float]:
    """Returns the change since the median frame [t y x], and the flux that is its unit.

    The sky (the median of the stamp's border) and the median frame of the band are
    subtracted, which removes constant light. The unit is the variability of the object:
    the range of the central flux from its 5th to its 95th percentile, but at least
    three times the noise and 2 % of the median of that flux, so that constant objects
    are not amplified. The change of bad pixels is 0. Last, frames are smoothed to about
    the seeing. This raises the signal to noise and hides the noise correlations of
    resampled stamps, which in HiTS only supernovae have.
    """
    sky, noise, _ = border_statistics(record.flux, record.bad_pixel, BORDER)
    if np.isnan(sky).all():
        raise RecordError(
            f"Object {record.object_id}: no frame has a good pixel in its outer "
            f"{BORDER} pixels, so the sky is unknown. Remove the object."
        )
    sky = np.where(np.isnan(sky), np.nanmedian(sky), sky)
    signal = record.flux.astype(np.float64) - sky[:, None, None]
    signal = np.where(record.bad_pixel, np.nan, signal)
    change, constant_flux = np.zeros_like(signal), 0.0
    size = signal.shape[1:]
    weight = np.clip(size[0] // 2 - BORDER - centre_distance(size), 0, 1)
    for band in np.unique(record.band):
        rows = record.band == band
        always_bad = np.isnan(signal[rows]).all(axis=0)
        median = nanmedian(np.where(always_bad, 0, signal[rows]), axis=0)
        change[rows] = np.nan_to_num(signal[rows] - median)
        constant_flux = max(constant_flux, float((median * weight).sum()))
    central_flux = (change * weight).sum(axis=(1, 2))
    low, high = np.percentile(central_flux, [5, 95])
    error = np.nanmedian(noise) * np.sqrt(np.square(weight).sum())
    unit = max(high - low, 3 * error, 0.02 * constant_flux, 1e-6)
    blur = 0, SMOOTHING, SMOOTHING
    return gaussian_filter(change / unit, sigma=blur, mode="constant"), unit


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
