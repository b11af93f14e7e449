"""Observing conditions of a real survey, from its log and its constant stars.

An observing log has time, airmass and sky brightness of each frame, but usually not its
seeing and transparency. These are measured from the widths and fluxes of constant
stars. Objects that are classified are not used.
"""

from typing import NamedTuple

import numpy as np

from jaxastro.data.series import SeriesRecord
from jaxastro.errors import InputError
from jaxastro.photometry import border_mask, centre_distance
from jaxastro.simulation import scene
from jaxastro.simulation.observing import ObservingLog
from jaxastro.units import magnitude_of

SEEING_GRID = np.linspace(0.6, 3.4, 57)  # arcsec
INNER, OUTER = 3.5, 7.5  # pixels, radii whose flux ratio gives the seeing
AIRMASS_POWER = 0.6  # seeing ~ airmass^0.6 (Kolmogorov)
EXTINCTION = 0.18  # magnitudes per airmass in g
SAME_FRAME = 90 / 86400  # days; times of stamps may be rounded to 1/256 day


class Exposures(NamedTuple):
    """The frames of an observing log, in time order."""

    mjd: np.ndarray  # t      float64, days, start of exposure
    band: np.ndarray  # t     int32, index into the survey's bands
    airmass: np.ndarray  # t
    seconds: np.ndarray  # t
    sky: np.ndarray  # t      ADU per pixel
    noise: np.ndarray  # t    ADU, standard deviation of an empty pixel


class Conditions(NamedTuple):
    """Seeing and transparency of every frame of a log."""

    psf_fwhm: np.ndarray  # t      arcsec
    transparency: np.ndarray  # t  relative to a typical frame of the survey


def camera_constants(exposures: Exposures) -> tuple[float, float]:
    """Returns gain (electrons per ADU) and read noise (electrons) of the camera.

        noise^2 = sky / gain + (read_noise / gain)^2

    fitted by least squares to the frames with a moderate sky.

    Raises:
        InputError: if the noise does not increase with the sky.
    """
    has_sky = (exposures.sky > 50) & (exposures.sky < 2500)
    design = np.stack([exposures.sky[has_sky], np.ones(has_sky.sum())], axis=1)
    variance = exposures.noise[has_sky] ** 2
    slope, constant = np.linalg.lstsq(design, variance, rcond=None)[0]
    if not slope > 0:
        raise InputError(
            f"Noise does not rise with the sky in {has_sky.sum()} frames of the log. "
            "Sky and its scatter in ADU were expected. Check the columns."
        )
    return 1 / slope, np.sqrt(max(constant, 0.0)) / slope


def measure_star(
    record: SeriesRecord, *, pixel_scale: float, border: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns seeing (arcsec) and relative flux of a star in each of its frames, [t].

    The seeing follows from the flux within INNER divided by that within OUTER pixels,
    for the PSF of photometry/psf.py. The flux is corrected for light outside OUTER and
    divided by the star's median.

    Args:
        record: of a constant star.
        pixel_scale: arcsec per pixel.
        border: width of the border that gives the sky, pixels.
    """
    size = record.flux.shape[1]
    edge = border_mask((size, size), border)
    distance = centre_distance((size, size))
    inner, outer = (np.clip(r + 0.5 - distance, 0, 1) for r in (INNER, OUTER))

    def light_within(image):
        above = image - np.nanmedian(image[:, edge], axis=1)[:, None, None]
        return [(above * weight).sum((1, 2)) for weight in (inner, outer)]

    grid = scene.render(
        scene.point((0.0, 0.0), np.ones(len(SEEING_GRID))),
        psf_fwhm=SEEING_GRID,
        centre=np.full((len(SEEING_GRID), 2), (size - 1) / 2),
        pixel_scale=pixel_scale,
        size=size,
    )
    good = np.where(record.bad_pixel, np.nan, record.flux.astype(np.float64))
    grid_inner, grid_outer = light_within(grid)
    star_inner, star_outer = light_within(good)
    # The ratio decreases with the seeing, and interp needs increasing values.
    seeing = np.interp(-star_inner / star_outer, -grid_inner / grid_outer, SEEING_GRID)
    light = star_outer / np.interp(seeing, SEEING_GRID, grid_outer)
    return seeing, light / np.nanmedian(light)


def measure_conditions(
    exposures: Exposures,
    stars: list[SeriesRecord],
    *,
    pixel_scale: float,
    seed: int,
    border: int = 3,
) -> Conditions:
    """Returns seeing and transparency of every frame of the log.

    A frame with stars has their median. Other frames are interpolated within the same
    night. In a night without stars, the seeing at zenith is drawn from its distribution
    in other nights and scaled with the airmass, and the transparency is that of a clear
    sky at the airmass and exposure time.

    Args:
        stars: records of constant stars.
        pixel_scale: arcsec per pixel.
        seed: of the nights without stars.
        border: width of the border that gives the sky, pixels.
    Raises:
        InputError: if no star is in a frame of the log.
    """
    columns = {"seeing": [], "light": [], "frame": []}
    for star in stars:
        seeing, light = measure_star(star, pixel_scale=pixel_scale, border=border)
        frame = nearest_frame(exposures, star.mjd)
        good = (frame >= 0) & np.isfinite(seeing) & (light > 0)
        for name, values in zip(columns, (seeing, light, frame), strict=True):
            columns[name].append(values[good])
    frame, seeing, light = (
        np.concatenate([np.zeros(0), *columns[name]])
        for name in ("frame", "seeing", "light")
    )
    if not len(frame):
        raise InputError(
            f"None of {len(stars)} constant stars lies in a frame of the log. Seeing "
            "and transparency need some. Give the log of the same nights."
        )
    known = np.unique(frame).astype(int)
    width = np.array([np.median(seeing[frame == one]) for one in known])
    clear = np.array([np.median(light[frame == one]) for one in known])

    rng = np.random.default_rng([seed, 6])
    mjd, airmass = exposures.mjd, exposures.airmass
    night = np.floor(mjd - 0.5)
    zenith = np.median(width / airmass[known] ** AIRMASS_POWER)
    scatter = np.std(np.log(width / airmass[known] ** AIRMASS_POWER))
    usual = np.median(exposures.seconds)
    psf_fwhm, transparency = np.empty((2, len(mjd)))
    for one in np.unique(night):
        here, measured = night == one, night[known] == one
        seeing_at_zenith = zenith * np.exp(scatter * rng.normal())
        psf_fwhm[here] = seeing_at_zenith * airmass[here] ** AIRMASS_POWER
        clear_sky = 10 ** (-0.4 * EXTINCTION * (airmass[here] - 1.2))
        transparency[here] = clear_sky * exposures.seconds[here] / usual
        if measured.any():
            times = mjd[known[measured]]
            psf_fwhm[here] = np.interp(mjd[here], times, width[measured])
            transparency[here] = np.interp(mjd[here], times, clear[measured])
    return Conditions(np.clip(psf_fwhm, 0.7, 3.2), np.maximum(transparency, 0.05))


def nearest_frame(exposures: Exposures, mjd: np.ndarray) -> np.ndarray:
    """Returns [t], the frame of the log at each time, or -1 if there is none."""
    after = np.clip(np.searchsorted(exposures.mjd, mjd), 1, len(exposures.mjd) - 1)
    is_before = mjd - exposures.mjd[after - 1] < exposures.mjd[after] - mjd
    frame = np.where(is_before, after - 1, after)
    return np.where(np.abs(exposures.mjd[frame] - mjd) < SAME_FRAME, frame, -1)


def log_of_frames(
    exposures: Exposures,
    conditions: Conditions,
    frames: np.ndarray,
    *,
    zero_point: float,
) -> ObservingLog:
    """Returns the ObservingLog of a field that was observed in some frames of the log.

    Args:
        frames: [t], indices into the log, ascending.
        zero_point: AB magnitude of one ADU in a frame of transparency 1.
    """
    gain, read_noise = camera_constants(exposures)
    number = np.arange(len(frames), dtype=np.int32)
    dimmer = magnitude_of(conditions.transparency[frames], 0.0)
    return ObservingLog(
        mjd=exposures.mjd[frames],
        band=exposures.band[frames],
        visit=number,
        priority=number,
        psf_fwhm=conditions.psf_fwhm[frames],
        sky=exposures.sky[frames],
        gain=np.full(len(frames), gain),
        zero_point=zero_point - dimmer,
        read_noise=np.full(len(frames), read_noise),
    )
