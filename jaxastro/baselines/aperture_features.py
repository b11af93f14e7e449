"""Features of the aperture light curve of an image series, and of its noise.

Features of an aperture light curve say what changed; features of the noise alone say
what a network could learn without looking at the object at all. Stamps that were
resampled onto a common grid have correlated noise, others not: where one class was
resampled and another was not, the texture of the empty corners tells them apart.
"""

import numpy as np

from jaxastro.data.series import SeriesRecord
from jaxastro.photometry import aperture_light_curve
from jaxastro.photometry.harmonics import harmonic_power
from jaxastro.surveys import Survey
from jaxastro.units import magnitude_of

RADIUS = 6.0  # pixels: wide, so that seeing moves little light across its edge
MIN_EPOCHS = 6  # in a band; below, its features are unknown
NIGHT_GAP = 0.5  # days without an epoch that part one night from the next
FREQUENCY = np.arange(0.3, 8, 0.01)  # cycles per day: the grid of the period search
CORNER = 5  # pixels on a side of the boxes that the noise is taken from
_TINY = 1e-9  # keeps a constant light curve from dividing by zero


def aperture_feature_names(survey: Survey) -> tuple[str, ...]:
    """Returns the names of what light_curve_features gives, in its order."""
    return tuple(f"{band}_{name}" for band in survey.bands for name in _NAMES)


def aperture_features(record: SeriesRecord, survey: Survey) -> np.ndarray:
    """Returns 40 numbers per band of the aperture light curve, [bands * 40] float32.

    Shape of the flux distribution, steps from epoch to epoch, the best fit of one and
    two harmonics, and brightness. Numbers of epochs are left out on purpose: they
    tell how an object was observed. NaN where a band has too few epochs.
    """
    flux, error = aperture_light_curve(record.flux, record.bad_pixel, radius=RADIUS)
    features = []
    for band in range(len(survey.bands)):
        seen = (record.band == band) & np.isfinite(flux)
        if seen.sum() < MIN_EPOCHS:
            features += [np.nan] * len(_NAMES)
        else:
            found = _of_one_band(flux[seen], error[seen], record.mjd[seen])
            features += found.values()
    return np.array(features, np.float32)


def noise_feature_names() -> tuple[str, ...]:
    """Returns the names of what noise_features gives, in its order."""
    texture = "correlation_x correlation_y correlation_xy correlation_2 noise sky"
    names = (f"{part}{end}" for part in texture.split() for end in ("", "_scatter"))
    return ("num_epochs", *names)


def noise_features(record: SeriesRecord) -> np.ndarray:
    """Returns 13 numbers that hold nothing of the object, float32: the control.

    Number of epochs; median and scatter over the epochs of the correlation between
    neighbouring pixels in the stamp's corners (to the right, below, both, two to the
    right), of their scatter and of their level. The wings of a very bright star do
    reach the corners; the central light is never read.
    """
    boxes = _corners(record)  # t n y x
    sky = np.nanmedian(boxes, axis=(1, 2, 3))
    pixel = boxes - np.nanmedian(boxes, axis=(2, 3), keepdims=True)
    noise = 1.4826 * np.nanmedian(abs(pixel), axis=(1, 2, 3))
    limit = 4 * noise[:, None, None, None]  # without it a cosmic ray is the texture
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
    """Where the fluxes lie, whatever their order."""
    median, scatter = np.median(flux), flux.std() + _TINY
    level = abs(median) + _TINY
    low, high = np.percentile(flux, [5, 95])
    amplitude = high - low + _TINY
    deviation = flux - flux.mean()
    share = (0, 5, 25, 75, 95, 100)
    rank = (np.percentile(flux, share) - median) / amplitude
    # 1% for the calibration; without it chi square of a bright star is its brightness.
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
    """What happens from one epoch to the next, and from night to night."""
    level, scatter = abs(np.median(flux)) + _TINY, flux.std() + _TINY
    step, gap = np.diff(flux), np.diff(mjd)
    in_night = gap < NIGHT_GAP
    near = step[in_night] if in_night.any() else np.full(1, np.nan)
    # Per day; two exposures minutes apart would make a slope of their noise.
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
    """The best fits of one and of two harmonics, and the shape of the second."""
    sigma = np.hypot(error, 0.01 * abs(np.median(flux)) + _TINY)
    power, _ = harmonic_power(flux, sigma, mjd, FREQUENCY, num_harmonics=1)
    power_2, fit = harmonic_power(flux, sigma, mjd, FREQUENCY, num_harmonics=2)
    best, best_2 = power.argmax(), power_2.argmax()
    cos_1, sin_1, cos_2, sin_2 = fit[best_2, 1:]
    phase_21 = np.arctan2(-sin_2, cos_2) - 2 * np.arctan2(-sin_1, cos_1)
    return {
        "power_1": power[best],
        "frequency_1": FREQUENCY[best],
        "power_2": power_2[best_2],
        "frequency_2": FREQUENCY[best_2],
        "amplitude_21": np.hypot(cos_2, sin_2) / (np.hypot(cos_1, sin_1) + _TINY),
        "cos_phase_21": np.cos(phase_21),
        "sin_phase_21": np.sin(phase_21),
    }


def _brightness(flux, error, mjd) -> dict[str, float]:
    low, median, high = np.percentile(flux, [5, 50, 95])
    return {
        "brightness": np.sign(median) * np.log10(1 + abs(median)),
        "noise": np.log10(np.median(error) + _TINY),
        "absolute_amplitude": np.log10(1 + high - low),
    }


def _corners(record: SeriesRecord) -> np.ndarray:
    """Returns the corner boxes, [t n y x], NaN where bad; blind epochs left out."""
    good = np.where(record.bad_pixel, np.nan, record.flux.astype(np.float64))
    ends = slice(CORNER), slice(-CORNER, None)
    boxes = np.stack([good[:, y, x] for y in ends for x in ends], axis=1)
    whole = np.isfinite(boxes).all(axis=(1, 2, 3))
    # A record whose corners are never whole still gets numbers, of no texture.
    return boxes[whole] if whole.any() else np.zeros((1, *boxes.shape[1:]))


# From a constant light curve: the names stand beside the numbers, and only there.
_NAMES = tuple(_of_one_band(np.ones(6), np.ones(6), np.arange(6.0)))
