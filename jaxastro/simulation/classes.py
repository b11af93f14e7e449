"""Classes of the image simulator: their light curves, hosts and selection.

    candidates = draw_candidates("RRLyrae", rng, mjd, wavelength, count=64, ...)

To add a class, write a function like those below and list it in CLASSES.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jaxastro.errors import InputError
from jaxastro.simulation import light_curve, stars
from jaxastro.simulation.light_curve import Candidates
from jaxastro.units import flux_of, flux_ratio

# Days; declines then agree with those of real supernovae (docs/simulation.md).
draw_type_ia = functools.partial(light_curve.draw_type_ia, fall=15.0)


class Nature(NamedTuple):
    """Properties of one class."""

    light: Callable  # (rng, mjd, wavelength, *, count, limits) -> Candidates
    has_host: str = ""  # host galaxies, a key of hosts.HOSTS; empty: none
    found_by: str = ""  # selection of the survey: change, rise, or empty for none
    trail: float = 0.0  # largest motion, arcsec per minute


def draw_candidates(
    name: str,
    rng: np.random.Generator,
    mjd: np.ndarray,
    wavelength: np.ndarray,
    *,
    count: int,
    limits: tuple[float, float],
) -> Candidates:
    """Returns possible objects of a class, as observed in the frames of a field.

    Args:
        name: a key of CLASSES.
        mjd: [t], days.
        wavelength: [t], observed, Angstrom.
        count: number of candidates.
        limits: lowest and highest mean magnitude in r of stars, nuclei and asteroids,
            or redshift of supernovae and galaxies; the distribution is uniform.
    """
    if name not in CLASSES:
        raise InputError(f"No class named {name!r}. Known: {', '.join(CLASSES)}.")
    return CLASSES[name].light(rng, mjd, wavelength, count=count, limits=limits)


def _supernovae(draw, kinds: tuple[str, ...] = ()) -> Callable:
    def light(rng, mjd, wavelength, *, count, limits) -> Candidates:
        return light_curve.supernovae(
            rng,
            mjd,
            wavelength,
            draw=_only(draw, kinds),
            seasons=np.array([[mjd.min(), mjd.max()]]),
            count=count,
            max_redshift=limits[1],
        )

    return light


def _only(draw, kinds: tuple[str, ...]) -> Callable:
    """Returns a function that draws explosions of the wanted kinds; all if empty."""

    def wanted(rng, count):
        if not kinds:
            return draw(rng, count)
        many = draw(rng, 12 * count)
        row = np.flatnonzero(np.isin(many.kind, kinds))[:count]
        return light_curve.Explosion(*(column[row] for column in many))

    return wanted


def _star(draw) -> Callable:
    def light(rng, mjd, wavelength, *, count, limits) -> Candidates:
        star = draw(rng, mjd, count=count)
        mean = rng.uniform(*limits, count)
        kelvin = star.temperature[:, None]
        colour = light_curve.blackbody(wavelength, kelvin)
        colour = colour / light_curve.blackbody(light_curve.R_BAND, kelvin)
        colour *= light_curve.reddening(
            wavelength, rng.exponential(0.1, count)[:, None]
        )
        steady = flux_of(mean)[:, None] * colour
        # The temperature of pulsating stars changes, so blue light varies more.
        pulsates = np.isin(star.kind, ("RRab", "RRc", "CEP", "LPV"))[:, None]
        scale = np.where(pulsates, (wavelength / stars.MEAN_WAVELENGTH) ** -0.9, 1.0)
        flux = steady * 10 ** (-0.4 * scale * star.dimming)
        redshift = np.full(count, np.nan)
        return Candidates(flux, redshift, mean, steady, star.kind)

    return light


def _active_nuclei(rng, mjd, wavelength, *, count, limits) -> Candidates:
    drawn = light_curve.active_nuclei(rng, mjd, wavelength, count=count)
    mean = rng.uniform(*limits, count)
    change = flux_ratio(mean - drawn.magnitude)[:, None]
    return drawn._replace(
        flux=drawn.flux * change, rest=drawn.rest * change, magnitude=mean
    )


def _asteroids(rng, mjd, wavelength, *, count, limits) -> Candidates:
    """Returns point sources that are in the stamp in one frame only."""
    mean = rng.uniform(*limits, count)
    flux = np.zeros((count, len(mjd)))
    when = rng.integers(len(mjd), size=count)
    flux[np.arange(count), when] = flux_of(mean)
    kind = np.full(count, "asteroid")
    return Candidates(flux, np.full(count, np.nan), mean, np.zeros_like(flux), kind)


def _galaxies(rng, mjd, wavelength, *, count, limits) -> Candidates:
    """Returns candidates without a point source; their light is that of the host."""
    nothing = np.zeros((count, len(mjd)))
    redshift = rng.uniform(*limits, count)
    unknown, kind = np.full(count, np.nan), np.full(count, "galaxy")
    return Candidates(nothing, redshift, unknown, nothing, kind)


CLASSES = {
    "SNIa": Nature(_supernovae(draw_type_ia), has_host="SNIa", found_by="rise"),
    "SNIbc": Nature(
        _supernovae(light_curve.draw_core_collapse, ("Ibc",)),
        has_host="SNOther",
        found_by="rise",
    ),
    "SNII": Nature(
        _supernovae(light_curve.draw_core_collapse, ("II", "IIP")),
        has_host="SNOther",
        found_by="rise",
    ),
    "AGN": Nature(_active_nuclei, has_host="AGN"),
    "RRLyrae": Nature(_star(stars.rr_lyrae), found_by="change"),
    "Cepheid": Nature(_star(stars.cepheids), found_by="change"),
    "EB": Nature(_star(stars.eclipsing_binaries), found_by="change"),
    "LongPeriod": Nature(_star(stars.long_period)),
    "Asteroid": Nature(_asteroids, found_by="change", trail=0.6),
    "NonVariable": Nature(_star(stars.constant)),
    "Galaxy": Nature(_galaxies, has_host="SNIa"),
}
