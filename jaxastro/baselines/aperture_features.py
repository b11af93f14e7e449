"""Features of the aperture light curve of an image series, and of its noise.

The noise features are a control: they show how well a network could classify without
the object. For example, stamps that were resampled have correlated noise. If only one
class was resampled, the noise in the corners of the stamps identifies it.
"""

import numpy as np

from jaxastro.data.series import SeriesRecord
from jaxastro.photometry import aperture_light_curve
from jaxastro.photometry.harmonics import fit_harmonics
from jaxastro.surveys import Survey
from jaxastro.units import magnitude_of

RADIUS = 6.0  # pixels; wide, so that seeing changes the enclosed flux little
MIN_EPOCHS = 6  # in a band; with fewer its features are NaN
NIGHT_GAP = 0.5  # days; a longer gap between two epochs separates nights
FREQUENCY = np.arange(0.3, 8, 0.01)  # cycles per day, grid of the period search
CORNER = 5  # pixels, side of the corner boxes in which noise is measured
_TINY = 1e-9  # avoids a division by zero for a constant light curve


def aperture_feature_names(survey: Survey) -> tuple[str, ...]:
    """Returns the names of the features, in the order of aperture_features."""
    return tuple(f"{band}_{name}" for band in survey.bands for name in _NAMES)


def aperture_features(record: SeriesRecord, survey: Survey) -> np.ndarray:
    """Returns 40 features per band of the aperture light curve, [bands * 40] float32.

    They describe the distribution of the fluxes, their changes from epoch to epoch,
    the best fits of one and two harmonics, and the brightness. The number of epochs is
    not among them, because it describes how an object was observed. NaN for bands with
    too few epochs.
    """
    flux, error = aperture_light_curve(record.flux, record.bad_pixel, radius=RADIUS)
    values = []
    for band in range(len(survey.bands)):
        seen = (record.band == band) & np.isfinite(flux)
        if seen.sum() < MIN_EPOCHS:
            values += [np.nan] * len(_NAMES)
        else:
            features = _of_one_band(flux[seen], error[seen], record.mjd[seen])
            values += features.values()
    return np.array(values, np.float32)


def noise_feature_names() -> tuple[str, ...]:
    """Returns the names of the features, in the order of noise_features."""
    texture = "correlation_x correlation_y correlation_xy correlation_2 noise sky"
    names = (f"{part}{end}" for part in texture.split() for end in ("", "_scatter"))
    return ("num_epochs", *names)


def noise_features(record: SeriesRecord) -> np.ndarray:
    """Returns 13 features without the object itself, float32.

    These are the number of epochs, then the median and the scatter over epochs of six
    quantities of the stamp's corners: the correlation of a pixel with its neighbour to
    the right, below, on the diagonal and two to the right, the noise and the level. The
    wings of a very bright star reach the corners; the central pixels are not used.
    """
    boxes = _corners(record)  # t n y x
    sky = np.nanmedian(boxes, axis=(1, 2, 3))
    pixel = boxes - np.nanmedian(boxes, axis=(2, 3), keepdims=True)
    noise = 1.4826 * np.nanmedian(abs(pixel), axis=(1, 2, 3))
    # Without this limit a cosmic ray dominates the correlations.
    limit = 4 * noise[:, None, None, None]
    pixel = np.clip(pixel, -limit, limit)
    variance = np.nanmean(pixel**2, axis=(1, 2, 3)) + _TINY
    pairs = (
        (pixel[..., :-1], pixel[..., 1:]),
        (pixel[..., :-1, :], pixel[..., 1:, :]),
        (pixel[..., :-1, :-1], pixel[..., 1:, 1:]),
        (pixel[..., :-2], pixel[..., 2:]),
    )
    texture = [np.nanmean(a * b, axis=(1, 2, 3)) / variance for a, b in pairs]
    numbers = [len(record.mjd)]
    for value in (*texture, noise, sky):
        numbers += [np.median(value), np.std(value)]
    return np.array(numbers, np.float32)


def _of_one_band(flux, error, mjd) -> dict[str, float]:
    curve = flux, error, mjd
    return _shape(*curve) | _steps(*curve) | _period(*curve) | _brightness(*curve)


def _shape(flux, error, mjd) -> dict[str, float]:
    """Returns statistics of the fluxes that do not depend on their order."""
    median, scatter = np.median(flux), flux.std() + _TINY
    level = abs(median) + _TINY
    low, high = np.percentile(flux, [5, 95])
    amplitude = high - low + _TINY
    deviation = flux - flux.mean()
    share = (0, 5, 25, 75, 95, 100)
    rank = (np.percentile(flux, share) - median) / amplitude
    # 1 % calibration error. Without it chi square of a star depends on its brightness.
    sigma = np.hypot(error, 0.01 * level)
    pull = (flux - np.average(flux, weights=1 / sigma**2)) / sigma
    magnitude = magnitude_of(np.maximum(flux, error + _TINY), 0.0)
    magnitude -= magnitude.mean()
    return {
        "amplitude": amplitude / level,
        "scatter": scatter / level,
        "rise_above_median": (flux.max() - median) / level,
        "fall_below_median": (median - flux.min()) / level,
        "skewness": (deviation**3).mean() / scatter**3,
        "kurtosis": (deviation**4).mean() / scatter**4,
        **{f"percentile_{p}": r for p, r in zip(share, rank, strict=True)},
        "median_deviation": np.median(abs(flux - median)) / scatter,
        "beyond_one_scatter": (abs(deviation) > scatter).mean(),
        "above_midpoint": (flux > (flux.max() + flux.min()) / 2).mean(),
        "stetson_k": abs(pull).mean() / np.sqrt((pull**2).mean() + _TINY),
        "log_chi_square": np.log10((pull**2).mean() + 1e-3),
        "magnitude_skewness": (magnitude**3).mean() / (magnitude.std() + _TINY) ** 3,
    }


def _steps(flux, error, mjd) -> dict[str, float]:
    """Returns statistics of the changes between epochs and between nights."""
    level, scatter = abs(np.median(flux)) + _TINY, flux.std() + _TINY
    step, gap = np.diff(flux), np.diff(mjd)
    in_night = gap < NIGHT_GAP
    near = step[in_night] if in_night.any() else np.full(1, np.nan)
    # Per day. The lower limit of the gap avoids slopes of mere noise.
    slope = near / np.maximum(gap[in_night], 0.02) / level if in_night.any() else near
    night = np.concatenate([[0], np.cumsum(~in_night)])
    count = np.bincount(night)
    mean = np.bincount(night, flux) / count
    spread = np.sqrt(np.bincount(night, (flux - mean[night]) ** 2) / count)
    often = count > 1
    later = mjd - mjd.mean()
    together = (later * (flux - flux.mean())).mean()
    span = mjd[-1] - mjd[0] + _TINY
    return {
        "neumann": (step**2).mean() / scatter**2,
        "neumann_in_night": (near**2).mean() / scatter**2,
        "typical_slope": np.median(abs(slope)),
        "steepest_rise": slope.max(),
        "steepest_fall": slope.min(),
        "rising_steps": (near > 0).mean() if in_night.any() else np.nan,
        "rising_share": near[near > 0].sum() / (abs(near).sum() + _TINY),
        "night_scatter": mean.std() / scatter,
        "in_night_scatter": spread[often].mean() / scatter if often.any() else np.nan,
        "trend": together / (later.std() * scatter + _TINY),
        "time_of_highest": (mjd[flux.argmax()] - mjd[0]) / span,
        "time_of_lowest": (mjd[flux.argmin()] - mjd[0]) / span,
    }


def _period(flux, error, mjd) -> dict[str, float]:
    """Returns the best fits of one and two harmonics on the grid of frequencies."""
    sigma = np.hypot(error, 0.01 * abs(np.median(flux)) + _TINY)
    one = fit_harmonics(flux, sigma, mjd, FREQUENCY, num_harmonics=1)
    two = fit_harmonics(flux, sigma, mjd, FREQUENCY, num_harmonics=2)
    first, second = two.amplitudes
    return {
        "power_1": one.power,
        "frequency_1": one.frequency,
        "power_2": two.power,
        "frequency_2": two.frequency,
        "amplitude_21": second / (first + _TINY),
        "cos_phase_21": np.cos(two.phase_21),
        "sin_phase_21": np.sin(two.phase_21),
    }


def _brightness(flux, error, mjd) -> dict[str, float]:
    low, median, high = np.percentile(flux, [5, 50, 95])
    return {
        "brightness": np.sign(median) * np.log10(1 + abs(median)),
        "noise": np.log10(np.median(error) + _TINY),
        "absolute_amplitude": np.log10(1 + high - low),
    }


def _corners(record: SeriesRecord) -> np.ndarray:
    """Returns the corner boxes [t n y x] of the epochs without a bad corner pixel."""
    good = np.where(record.bad_pixel, np.nan, record.flux.astype(np.float64))
    ends = slice(CORNER), slice(-CORNER, None)
    boxes = np.stack([good[:, y, x] for y in ends for x in ends], axis=1)
    is_complete = np.isfinite(boxes).all(axis=(1, 2, 3))
    # A record without such an epoch gets the features of an empty frame.
    return boxes[is_complete] if is_complete.any() else np.zeros((1, *boxes.shape[1:]))


# The keys of the features of any light curve.
_NAMES = tuple(_of_one_band(np.ones(6), np.ones(6), np.arange(6.0)))
