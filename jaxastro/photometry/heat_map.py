"""A light curve as two pictures over wavelength and time: its flux, and how sure it is.

A Gaussian process is fitted to the points of all bands, and drawn on 32 wavelengths
and 180 days. The covariance of two fluxes is
    amplitude^2 (1 + r) exp(-r),   r = sqrt(3) |(days / length_t, Angstrom / length_w)|
whose three numbers are those of largest marginal likelihood, found by Fisher scoring:
    theta + F^-1 gradient,   F_pq = tr(K^-1 dK_p K^-1 dK_q) / 2
Many light curves are fitted at once, padded to a few lengths. This is the one file of
the host half, beside data/loader.py, that loads JAX: import it where maps are drawn.

Source: Qu et al. 2021, arXiv 2106.04370 (SCONE), and its public code, whose window,
    without a peak that was known before, is that of its documents; where the fit
    starts is also that of Boone 2019, AJ 158, 257 (Avocado).
Differs: docs/deviations.md.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxastro.data.evenly_spaced import evenly_spaced
from jaxastro.data.light_curve import LightCurveRecord
from jaxastro.errors import InputError
from jaxastro.surveys import Survey

ANGSTROM = np.linspace(3000, 10100, 32)
DAYS = np.linspace(-50, 130, 180)  # from the brightest epoch
MARGIN = 100.0  # days before and after the map whose points are fitted as well
SMOOTHING = 10.0  # days over which the brightest epoch is looked for
MOST = 128  # points of a fit: of more, those evenly spaced in order
FLOOR = 0.01  # of the scale: no point is surer than that
START = np.log([0.5, 20.0, 6000.0])  # amplitude in scales, days, Angstrom
LOWEST, HIGHEST = np.log([[0.01, 1.0, 600.0], [10.0, 1000.0, 60000.0]])
NUM_STEPS = 20  # of the fit; most need ten
BATCH, SHORTEST = 8, 16  # objects and points of the smallest program


class Points(NamedTuple):
    """What is fitted: fluxes in units of a scale, without the steady light."""

    place: np.ndarray  # t 2  days from the brightest epoch, Angstrom
    flux: np.ndarray  # t
    error: np.ndarray  # t
    scale: float  # the flux of highest signal to noise, in the survey's unit


def draw_heat_maps(
    curves: Sequence[LightCurveRecord], survey: Survey
) -> list[np.ndarray | str]:
    """Returns each object's map, float32 [32 wavelengths, 180 days, 2 layers].

    The layers are mean and standard deviation of the flux, in the survey's unit, less
    the steady light of each band. Where there is no map, a sentence says why.

    Args:
        curves: sorted by time.
        survey: whose bands have wavelengths.
    Raises:
        ValueError: if a band has none.
    """
    if not np.isfinite(survey.wavelength).all():
        dark = [
            band
            for band, wavelength in zip(survey.bands, survey.wavelength, strict=True)
            if not np.isfinite(wavelength)
        ]
        raise InputError(
            f"Survey {survey.name}: no wavelength is known of {', '.join(dark)}. A "
            "heat map has an axis of wavelength. Give it in Angstrom, in surveys.py "
            "or survey.json."
        )
    found: list = [points_of(curve, survey) for curve in curves]
    lengths = [0 if isinstance(p, str) else _padded(len(p.flux)) for p in found]
    for length in sorted({*lengths} - {0}):
        places = np.flatnonzero(np.array(lengths) == length)
        for some in np.split(places, range(BATCH, len(places), BATCH)):
            maps = _maps([found[i] for i in some], length)
            for i, image in zip(some, maps, strict=True):
                found[i] = (
                    image
                    if np.isfinite(image).all()
                    else _told(curves[i], "fluxes too large or too unlike to be fitted")
                )
    return found


def points_of(curve: LightCurveRecord, survey: Survey) -> Points | str:
    """Returns what is fitted of a light curve, or why nothing can be.

    The brightest epoch is where the flux above the median of its band, in units of its
    error and smoothed over ten days, is largest: no label is asked. The steady light of
    a band is the median of its epochs outside the map, or of all if there are none.
    Points that are not numbers, or have no positive error, are left out.
    """
    columns = curve.mjd, curve.flux, curve.flux_error
    mjd, flux, error = (np.asarray(column, np.float64) for column in columns)
    good = np.isfinite(mjd + flux + error) & (error > 0)
    mjd, flux, error, band = (c[good] for c in (mjd, flux, error, curve.band))
    if len(flux) < 2:
        return _told(curve, f"{len(flux)} epochs with a flux and an error")
    whole = np.ones(len(mjd), bool)
    above = (flux - _steady(flux, band, whole)) / error
    near = np.exp(-0.5 * ((mjd[:, None] - mjd) / SMOOTHING) ** 2)
    days = mjd - mjd[(near @ above / np.linalg.norm(near, axis=1)).argmax()]
    inside = (days >= DAYS[0]) & (days <= DAYS[-1])
    flux = flux - _steady(flux, band, ~inside)
    fitted = (days >= DAYS[0] - MARGIN) & (days <= DAYS[-1] + MARGIN)
    kept = np.flatnonzero(fitted)
    kept = kept[evenly_spaced(len(kept), MOST)]
    flux, error = flux[kept], error[kept]
    sure = abs(flux) / np.hypot(error, FLOOR * abs(flux).max())
    scale = max(abs(flux[sure.argmax()]), error.min())
    place = np.stack([days[kept], np.array(survey.wavelength)[band[kept]]], -1)
    error = np.maximum(error / scale, FLOOR)
    return Points(place, flux / scale, error, scale)


def _steady(flux: np.ndarray, band: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Returns [t] the median of each point's band, over `where` if it has any there."""
    level = np.zeros(len(flux))
    for one in np.unique(band):
        of_band = band == one
        level[of_band] = np.median(
            flux[of_band & where if (of_band & where).any() else of_band]
        )
    return level


def _told(curve: LightCurveRecord, what: str) -> str:
    return (
        f"Object {curve.object_id}: {what}. A heat map needs at least two epochs whose "
        "flux can be told. Leave the object out, or mend its light curve."
    )


def _padded(length: int) -> int:
    return max(SHORTEST, 1 << (length - 1).bit_length())


def _maps(points: list[Points], length: int) -> np.ndarray:
    """Returns [b 32 180 2] of light curves of at most so many points."""
    filled = points + points[-1:] * (BATCH - len(points))

    def pad(name):
        columns = [getattr(p, name) for p in filled]
        short = [(0, length - len(c)) for c in columns]
        rest = [[(0, 0)] * (c.ndim - 1) for c in columns]
        return np.stack(
            [np.pad(c, [s, *r]) for c, s, r in zip(columns, short, rest, strict=True)]
        )

    count = np.array([len(p.flux) for p in filled])
    seen = np.arange(length) < count[:, None]
    with jax.enable_x64(True):  # sure points far below the amplitude need the digits
        drawn = _fit_and_draw(pad("place"), pad("flux"), pad("error"), seen)
        image = np.array(drawn)[: len(points)]
    scale = np.array([p.scale for p in points])
    with np.errstate(over="ignore"):  # what float32 cannot hold is told
        return (image * scale[:, None, None, None]).astype(np.float32)


# -- the process itself ----------------------------------------------------------------


def covariance(theta, here, there):
    """Returns [i j] of places [i 2] and [j 2]; theta: logarithms, as START has them."""
    amplitude, days, angstrom = jnp.exp(theta)
    across = (here[:, None, 0] - there[:, 0]) / days
    up = (here[:, None, 1] - there[:, 1]) / angstrom
    # Without the tiny number the root has no slope where a point meets itself.
    r = jnp.sqrt(3 * (across**2 + up**2) + 1e-30)
    return amplitude**2 * (1 + r) * jnp.exp(-r)


def fit(place, flux, error, seen):
    """Returns theta of the largest marginal likelihood, as far as steps lead there."""

    def step(_, theta):
        slope = jax.jacfwd(covariance)(theta, place, place) * _both(seen)[..., None]
        half = _half_inverse(theta, place, error, seen)
        inverse = half.T @ half
        told = inverse @ flux
        weighed = jnp.einsum("ij,jkp->ikp", inverse, slope)
        gradient = jnp.einsum("i,ijp,j->p", told, slope, told)
        gradient = (gradient - jnp.einsum("iip->p", weighed)) / 2
        fisher = jnp.einsum("ijp,jiq->pq", weighed, weighed) / 2
        # Of one band nothing is known of the length in wavelength: it stays.
        move = jnp.linalg.solve(fisher + 1e-3 * jnp.eye(3), gradient)
        move = move / jnp.maximum(jnp.linalg.norm(move), 1)
        return jnp.clip(theta + move, LOWEST, HIGHEST)

    return jax.lax.fori_loop(0, NUM_STEPS, step, jnp.asarray(START))


def draw(theta, place, flux, error, seen):
    """Returns [32 180 2] mean and standard deviation on the grid."""
    grid = jnp.stack(jnp.meshgrid(DAYS, ANGSTROM), -1).reshape(-1, 2)
    half = _half_inverse(theta, place, error, seen)
    cross = covariance(theta, grid, place) * seen @ half.T
    variance = jnp.exp(2 * theta[0]) - (cross**2).sum(-1)
    layers = cross @ (half @ flux), jnp.sqrt(jnp.maximum(variance, 0))
    return jnp.stack(layers, -1).reshape(len(ANGSTROM), len(DAYS), 2)


@jax.jit
@partial(jax.vmap, in_axes=0)
def _fit_and_draw(place, flux, error, seen):
    theta = fit(place, flux, error, seen)
    return draw(theta, place, flux, error, seen)


def _both(seen):
    return seen[:, None] & seen


def _half_inverse(theta, place, error, seen):
    """Returns the inverse of the Cholesky factor of K; padded points are apart."""
    noise = jnp.diag(jnp.where(seen, error**2, 1))
    factor = jnp.linalg.cholesky(covariance(theta, place, place) * _both(seen) + noise)
    return _lower_inverse(factor)


def _lower_inverse(factor):
    """Returns the inverse of a lower triangle [t t], t a power of two, by products.

        [a 0; b c]^-1 = [a^-1 0; -c^-1 b a^-1  c^-1]
    On processors XLA solves batches of triangles in loops, 100 times slower.
    """
    length = len(factor)
    inverse = 1 / jnp.diagonal(factor)[:, None, None]
    while (size := inverse.shape[1]) < length:
        blocks = factor.reshape(length // (2 * size), 2 * size, -1, 2 * size)
        b = jnp.diagonal(blocks, axis1=0, axis2=2)[size:, :size].transpose(2, 0, 1)
        a, c = inverse[::2], inverse[1::2]
        above = jnp.concatenate([a, jnp.zeros_like(a)], 2)
        below = jnp.concatenate([-c @ b @ a, c], 2)
        inverse = jnp.concatenate([above, below], 1)
    return inverse[0]
