"""Heat maps of light curves: flux and its error over wavelength and time.

A Gaussian process is fitted to the points of all bands and evaluated at 32 wavelengths
and 180 days. The covariance of two fluxes is
    amplitude^2 (1 + r) exp(-r),   r = sqrt(3) |(days / length_t, Angstrom / length_w)|
Its three parameters theta maximise the marginal likelihood, by Fisher scoring:
    theta + F^-1 gradient,   F_pq = tr(K^-1 dK_p K^-1 dK_q) / 2
Many light curves are fitted at once, padded to a few lengths. This module and
data/loader.py are the only ones of the host half that load JAX, so import it only where
heat maps are computed.

Source: Qu et al. 2021, arXiv 2106.04370 (SCONE), and its public code; the time window
    is that of its documentation for objects without a known peak. The initial values
    are also those of Boone 2019, AJ 158, 257 (Avocado).
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
from jaxastro.errors import InputError, RecordError
from jaxastro.surveys import Survey

ANGSTROM = np.linspace(3000, 10100, 32)
DAYS = np.linspace(-50, 130, 180)  # from the brightest epoch
MARGIN = 100.0  # days before and after the map; points there are fitted too
SMOOTHING = 10.0  # days, of the light curve in which the brightest epoch is found
MAX_POINTS = 128  # of a fit; longer light curves keep evenly spaced epochs
MIN_ERROR = 0.01  # in units of the scale
START = np.log([0.5, 20.0, 6000.0])  # amplitude in scales, days, Angstrom
LOWEST, HIGHEST = np.log([[0.01, 1.0, 600.0], [10.0, 1000.0, 60000.0]])
NUM_STEPS = 20  # of Fisher scoring; most fits converge in ten
BATCH, SHORTEST = 8, 16  # objects per program, and points of the smallest one


class HeatMap(NamedTuple):
    """The heat map of one light curve, or the reason why there is none."""

    image: np.ndarray | None  # 32 180 2  float32; None if there is an error
    error: str = ""


class Points(NamedTuple):
    """Input of a fit: fluxes in units of a scale, without the constant light."""

    place: np.ndarray  # t 2  days from the brightest epoch, Angstrom
    flux: np.ndarray  # t
    error: np.ndarray  # t
    scale: float  # the flux of highest signal to noise, in the survey's unit


def draw_heat_maps(curves: Sequence[LightCurveRecord], survey: Survey) -> list[HeatMap]:
    """Returns the heat map of each light curve: 32 wavelengths, 180 days, 2 layers.

    The layers are mean and standard deviation of the flux, in the survey's unit, after
    the constant light of each band is subtracted.

    Args:
        curves: sorted by time.
        survey: survey of the light curves; its bands need wavelengths.
    Raises:
        InputError: if the wavelength of a band is unknown.
    """
    if not np.isfinite(survey.wavelength).all():
        unknown = [
            band
            for band, wavelength in zip(survey.bands, survey.wavelength, strict=True)
            if not np.isfinite(wavelength)
        ]
        raise InputError(
            f"Survey {survey.name}: the wavelength of {', '.join(unknown)} is unknown. "
            "A heat map has an axis of wavelength. Give it in Angstrom, in surveys.py "
            "or survey.json."
        )
    heat_maps: list = [None] * len(curves)
    by_length: dict[int, list[tuple[int, Points]]] = {}
    for i, curve in enumerate(curves):
        try:
            points = points_of(curve, survey)
        except RecordError as error:
            heat_maps[i] = HeatMap(None, str(error))
        else:
            length = _padded_length(len(points.flux))
            by_length.setdefault(length, []).append((i, points))
    for length, group in sorted(by_length.items()):
        for start in range(0, len(group), BATCH):
            batch = group[start : start + BATCH]
            images = _fitted_images([points for _, points in batch], length)
            for (i, _), image in zip(batch, images, strict=True):
                heat_maps[i] = HeatMap(image)
                if not np.isfinite(image).all():
                    reason = "its fluxes are too large or too unequal for a fit"
                    heat_maps[i] = HeatMap(None, _message(curves[i], reason))
    return heat_maps


def points_of(curve: LightCurveRecord, survey: Survey) -> Points:
    """Returns the points of a light curve that are fitted.

    Day 0 is the epoch at which the flux above the median of its band, in units of its
    error and smoothed over ten days, is largest. No label is needed. The constant light
    of a band is the median of its epochs outside the map, or of all epochs if there are
    none. Points without a finite flux and a positive error are left out.

    Raises:
        RecordError: if fewer than two points are left.
    """
    columns = curve.mjd, curve.flux, curve.flux_error
    mjd, flux, error = (np.asarray(column, np.float64) for column in columns)
    good = np.isfinite(mjd + flux + error) & (error > 0)
    mjd, flux, error, band = (c[good] for c in (mjd, flux, error, curve.band))
    if len(flux) < 2:
        raise RecordError(
            _message(curve, f"{len(flux)} epochs with a flux and an error")
        )
    everywhere = np.ones(len(mjd), bool)
    excess = (flux - _constant_light(flux, band, everywhere)) / error
    kernel = np.exp(-0.5 * ((mjd[:, None] - mjd) / SMOOTHING) ** 2)
    days = mjd - mjd[(kernel @ excess / np.linalg.norm(kernel, axis=1)).argmax()]
    inside = (days >= DAYS[0]) & (days <= DAYS[-1])
    flux = flux - _constant_light(flux, band, ~inside)
    fitted = (days >= DAYS[0] - MARGIN) & (days <= DAYS[-1] + MARGIN)
    kept = np.flatnonzero(fitted)
    kept = kept[evenly_spaced(len(kept), MAX_POINTS)]
    flux, error = flux[kept], error[kept]
    signal_to_noise = abs(flux) / np.hypot(error, MIN_ERROR * abs(flux).max())
    scale = max(abs(flux[signal_to_noise.argmax()]), error.min())
    place = np.stack([days[kept], np.array(survey.wavelength)[band[kept]]], -1)
    error = np.maximum(error / scale, MIN_ERROR)
    return Points(place, flux / scale, error, scale)


def _constant_light(
    flux: np.ndarray, band: np.ndarray, where: np.ndarray
) -> np.ndarray:
    """Returns [t] the median of each point's band where `where` is True.

    A band without such a point has the median of all its points.
    """
    level = np.zeros(len(flux))
    for one in np.unique(band):
        of_band = band == one
        level[of_band] = np.median(
            flux[of_band & where if (of_band & where).any() else of_band]
        )
    return level


def _message(curve: LightCurveRecord, reason: str) -> str:
    return (
        f"Object {curve.object_id}: {reason}. A heat map needs at least two epochs "
        "with a flux and an error that can be fitted. Leave the object out, or correct "
        "its light curve."
    )


def _padded_length(length: int) -> int:
    return max(SHORTEST, 1 << (length - 1).bit_length())


def _fitted_images(points: list[Points], length: int) -> np.ndarray:
    """Returns [b 32 180 2] of light curves of at most `length` points."""
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
    # Errors far below the amplitude make the covariance ill-conditioned in float32.
    with jax.enable_x64(True):
        drawn = _fit_and_draw(pad("place"), pad("flux"), pad("error"), seen)
        image = np.array(drawn)[: len(points)]
    scale = np.array([p.scale for p in points])
    with np.errstate(over="ignore"):  # an overflow becomes the error of a HeatMap
        return (image * scale[:, None, None, None]).astype(np.float32)


# -- the process itself ----------------------------------------------------------------


def covariance(theta, here, there):
    """Returns the covariance [i j] of places [i 2] and [j 2].

    Args:
        theta: logarithms of amplitude, days and Angstrom, as in START.
    """
    amplitude, days, angstrom = jnp.exp(theta)
    across = (here[:, None, 0] - there[:, 0]) / days
    up = (here[:, None, 1] - there[:, 1]) / angstrom
    # Without 1e-30 the derivative of the root is infinite on the diagonal.
    r = jnp.sqrt(3 * (across**2 + up**2) + 1e-30)
    return amplitude**2 * (1 + r) * jnp.exp(-r)


def fit(place, flux, error, seen):
    """Returns theta after NUM_STEPS steps of Fisher scoring.

    Args:
        place: [t 2] days and Angstrom, with flux and error [t] in units of the scale.
        seen: [t] bool, False for padding.
    """

    def step(_, theta):
        slope = jax.jacfwd(covariance)(theta, place, place) * _both(seen)[..., None]
        half = _half_inverse(theta, place, error, seen)
        inverse = half.T @ half
        alpha = inverse @ flux
        weighted = jnp.einsum("ij,jkp->ikp", inverse, slope)
        gradient = jnp.einsum("i,ijp,j->p", alpha, slope, alpha)
        gradient = (gradient - jnp.einsum("iip->p", weighted)) / 2
        fisher = jnp.einsum("ijp,jiq->pq", weighted, weighted) / 2
        # One band does not constrain the length in wavelength, which then stays.
        move = jnp.linalg.solve(fisher + 1e-3 * jnp.eye(3), gradient)
        move = move / jnp.maximum(jnp.linalg.norm(move), 1)
        return jnp.clip(theta + move, LOWEST, HIGHEST)

    return jax.lax.fori_loop(0, NUM_STEPS, step, jnp.asarray(START))


def draw(theta, place, flux, error, seen):
    """Returns [32 180 2], the posterior mean and standard deviation on the grid."""
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
    """Returns the inverse of the Cholesky factor of K.

    Padded points are uncorrelated with all others and have variance 1.
    """
    noise = jnp.diag(jnp.where(seen, error**2, 1))
    factor = jnp.linalg.cholesky(covariance(theta, place, place) * _both(seen) + noise)
    return _lower_inverse(factor)


def _lower_inverse(factor):
    """Returns the inverse of a lower triangular matrix [t t] by matrix products.

        [a 0; b c]^-1 = [a^-1 0; -c^-1 b a^-1  c^-1]
    On CPUs this is 100 times faster than XLA's loops over batches of triangular solves.

    Args:
        factor: [t t], where t is a power of two.
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
