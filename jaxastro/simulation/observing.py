"""Observing conditions of frames, and the noise and artefacts of the camera."""

from typing import NamedTuple

import numpy as np

from jaxastro.errors import InputError
from jaxastro.simulation.cadence import Visits, moon_illumination
from jaxastro.units import flux_of, microjansky_per_adu

# Per band, u g r i z, close to the SDSS camera's for its 54 s of drift.
ZERO_POINT = (28.0, 28.7, 28.4, 28.0, 26.2)  # AB magnitude of one ADU, no extinction
EXTINCTION = (0.55, 0.20, 0.12, 0.08, 0.07)  # magnitudes at the usual airmass
SKY_BRIGHTNESS = (22.2, 21.9, 20.9, 20.2, 18.9)  # AB mag per square arcsec, no Moon
MOONLIGHT = (3.5, 3.0, 1.8, 1.1, 0.4)  # full Moon's added sky, in units of the dark one
GAIN = (1.7, 3.9, 4.7, 4.8, 4.7)  # electrons per ADU
READ_NOISE = (5.0, 4.5, 4.5, 6.0, 5.0)  # electrons
SEEING = (1.55, 1.45, 1.35, 1.30, 1.30)  # arcsec, median full width at half maximum
SEEING_SCATTER = 0.13  # of its natural logarithm, night to night
SEEING_RANGE = (0.95, 2.4)  # arcsec; worse frames are not taken
SKY_SCATTER = 0.12  # magnitudes, night to night
CLOUDY_FRACTION = 0.12  # of visits go through thin cloud
CLOUD = 0.35  # magnitudes it takes, on average

BAD_COLUMN = 0.01  # fraction of frames with a bad column
COSMIC_RAY = 0.03  # fraction of frames with a cosmic-ray track
TRACK_LENGTH = 6  # pixels


class ObservingLog(NamedTuple):
    """The frames of one field and their observing conditions."""

    mjd: np.ndarray  # t         float64, days
    band: np.ndarray  # t        int32, index into the survey's bands
    visit: np.ndarray  # t       int32, frames of one passage share it
    priority: (
        np.ndarray
    )  # t    int32, rank of the visit; smaller surveys keep low ranks
    psf_fwhm: np.ndarray  # t    arcsec
    sky: np.ndarray  # t         ADU per pixel
    gain: np.ndarray  # t        electrons per ADU
    zero_point: np.ndarray  # t  AB magnitude of one ADU, in this frame
    read_noise: np.ndarray  # t  electrons


def draw_log(
    visits: Visits, *, field: int, seed: int, pixel_scale: float
) -> ObservingLog:
    """Returns the ObservingLog of a field: seeing, sky and transparency per visit.

    Args:
        visits: times and bands of the frames.
        pixel_scale: arcsec per pixel.
    """
    rng = np.random.default_rng([seed, 3, field])
    number = visits.visit.max() + 1
    seeing = np.exp(SEEING_SCATTER * rng.normal(size=number))
    cloudy = rng.random(number) < CLOUDY_FRACTION
    cloud = np.where(cloudy, rng.exponential(CLOUD, number), 0)
    brightness = rng.normal(0, SKY_SCATTER, number)
    haze = rng.normal(0, 0.02, number)
    moon_up = rng.random(number)

    band, visit = visits.band, visits.visit
    moonlight = moon_illumination(visits.mjd) ** 2 * moon_up[visit]
    zero_point = _per_band(ZERO_POINT, band) - _per_band(EXTINCTION, band)
    zero_point -= (cloud + haze)[visit]
    # Sky in ADU per pixel: mag per square arcsec and pixel area to counts.
    dark = _per_band(SKY_BRIGHTNESS, band) + brightness[visit]
    sky = pixel_scale**2 * flux_of(dark, _per_band(ZERO_POINT, band))
    wobble = np.exp(0.03 * rng.normal(size=len(band)))  # the columns of the camera
    psf_fwhm = _per_band(SEEING, band) * seeing[visit] * wobble
    return ObservingLog(
        *visits,
        psf_fwhm=np.clip(psf_fwhm, *SEEING_RANGE),
        sky=sky * (1 + _per_band(MOONLIGHT, band) * moonlight),
        gain=_per_band(GAIN, band),
        zero_point=zero_point,
        read_noise=_per_band(READ_NOISE, band),
    )


def pixel_noise(log: ObservingLog, image=0.0) -> np.ndarray:
    """Returns the standard deviation that `expose` gives a pixel, microjansky.

        variance = (sky + image) / gain + (read_noise / gain)^2 + 1/12     ADU^2

    The last term is the rounding to whole ADU.

    Args:
        image: expected flux of the pixel above the sky, microjansky, [t] or 0.
    """
    scale = microjansky_per_adu(log.zero_point)
    poisson = (log.sky + image / scale) / log.gain
    return scale * np.sqrt(poisson + (log.read_noise / log.gain) ** 2 + 1 / 12)


def point_noise(log: ObservingLog, *, pixel_scale: float) -> np.ndarray:
    """Returns the error of a faint point's flux by PSF photometry, microjansky.

        sigma = pixel noise * sqrt(4 pi) * (psf_fwhm / 2.355) / pixel_scale

    as for a Gaussian PSF. The limit of a single frame is five times this.
    """
    area = 4 * np.pi * (log.psf_fwhm / 2.3548 / pixel_scale) ** 2
    return pixel_noise(log) * np.sqrt(area)


def expose(image: np.ndarray, log: ObservingLog, key: int) -> np.ndarray:
    """Returns the recorded images of noiseless ones, with the sky subtracted.

    Electrons have Poisson noise, read-out adds normal noise, counts are whole ADU, and
    the expected sky is subtracted. The noise of a frame depends on the key and the
    visit only, so that a survey with fewer visits has the same frames.

    Args:
        image: [t y x], microjansky per pixel above the sky, before noise.
        key: of the object's stream of random numbers.
    Returns: [t y x] float32, microjansky per pixel.
    Raises:
        InputError: if the numbers of images and frames differ.
    """
    if image.shape[:1] != log.mjd.shape:
        raise InputError(
            f"{len(image)} images but {len(log.mjd)} frames in the observing log. "
            "Each frame needs one image. Select the same frames from both."
        )
    scale = microjansky_per_adu(log.zero_point)
    flux = np.empty(image.shape, np.float32)
    for visit in np.unique(log.visit):
        frame = np.flatnonzero(log.visit == visit)
        column = (slice(None), None, None)
        gain, sky = log.gain[frame][column], log.sky[frame][column]
        rng = visit_generator(key, visit)
        adu = sky + image[frame] / scale[frame][column]
        electrons = rng.poisson(adu * gain) + log.read_noise[frame][
            column
        ] * rng.standard_normal(adu.shape, dtype=np.float32)
        flux[frame] = (np.rint(electrons / gain) - sky) * scale[frame][column]
    return flux


def flag_pixels(log: ObservingLog, key: int, size: int) -> np.ndarray:
    """Returns [t y x] bool, True in bad columns and cosmic-ray tracks.

    The result depends on the key and the visit only, and is independent of the noise.

    Args:
        key: of the object's stream of random numbers.
        size: pixels on a side.
    """
    bad = np.zeros((len(log.mjd), size, size), bool)
    for visit in np.unique(log.visit):
        frame = np.flatnonzero(log.visit == visit)
        rng = visit_generator(key + 1, visit)
        chance = rng.random((len(frame), 2))
        x, y = rng.integers(0, size, (2, len(frame)))
        slope = rng.integers(-1, 2, len(frame))
        for i in np.flatnonzero(chance[:, 0] < BAD_COLUMN):
            bad[frame[i], :, x[i]] = True
        for i in np.flatnonzero(chance[:, 1] < COSMIC_RAY):
            step = np.arange(TRACK_LENGTH)
            bad[frame[i], (y[i] + step) % size, (x[i] + slope[i] * step) % size] = True
    return bad


def visit_generator(key: int, visit: int) -> np.random.Generator:
    """Returns the random stream of one object in one visit, independent of others."""
    return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, visit, 0]))


def _per_band(numbers, band: np.ndarray) -> np.ndarray:
    return np.array(numbers)[band]
