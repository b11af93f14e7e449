"""Forced PSF photometry: the flux of a point source at a known position.

Every epoch is a linear least-squares fit of

    pixel_t = flux_t psf_t + sky_t [+ constant background light, convolved with psf_t]

weighted by the inverse variance of a pixel,

    variance_t = noise_t^2 + photon_t max(flux_t psf_t + constant light, 0)

The second term uses the fitted model instead of the pixel itself. Otherwise pixels that
fluctuate low would have larger weights, and the flux would be biased low.
"""

from typing import NamedTuple

import numpy as np

from jaxastro.errors import InputError
from jaxastro.photometry.aperture import border_statistics
from jaxastro.photometry.joint_fit import JointFit
from jaxastro.photometry.psf import psf_norm, psf_profile
from jaxastro.photometry.scene_fit import Frames, Freedom, fit_scene, lattice

MIN_FWHM = 1.5  # pixels; a narrower PSF is undersampled
REACH = 2.5  # radius of the fitted pixels, in PSF widths
MIN_SEEN = 0.7  # share of sum psf^2 on good pixels that a flux needs
BORDER = 3  # pixels along the edge that give the noise where none is given
BRIGHT = 20.0  # signal to noise that an epoch needs to measure its own PSF width
POINT_LIKE = 0.3  # and the largest residual, root mean square, as a share of the light


class PointFlux(NamedTuple):
    """The flux of one point source in each epoch; NaN where it cannot be measured."""

    flux: np.ndarray  # t        unit of a pixel's flux
    error: np.ndarray  # t       one standard deviation
    seen: np.ndarray  # t        share of sum psf^2 on good pixels; 0 without a PSF
    chi_square: np.ndarray  # t  per degree of freedom
    place: np.ndarray  # t 2     pixel (x, y) of the fitted position
    psf_fwhm: np.ndarray  # t    pixels


def psf_photometry(
    flux: np.ndarray,
    bad_pixel: np.ndarray,
    *,
    psf_fwhm=np.nan,
    noise=np.nan,
    photon=0.0,
    centre=None,
    drift: float = 0.0,
    find_centre: bool = False,
    fit_fwhm: bool = False,
    steady: bool = False,
    rest: np.ndarray | None = None,
) -> PointFlux:
    """Returns the flux of a point source in every epoch, and its error.

    Args:
        flux: [t y x].
        bad_pixel: [t y x] bool, True where flux is not a measurement.
        psf_fwhm: pixels, at least MIN_FWHM; [t] or one number, as noise and photon.
        noise: standard deviation of an empty pixel; where NaN, the scatter of the
            border pixels, 1.4826 MAD, is used.
        photon: variance per unit of flux, from the photons of the object; 0 or NaN
            omits this term.
        centre: [2] or [t 2], pixel (x, y) of the object; default: the stamp's centre.
        drift: pixels, standard deviation of the error of `centre` in a single frame.
            Above 0, the shift of each frame is fitted with this prior; the shift of a
            faint object stays near 0. The bias of the flux is at most 0.1 error.
        find_centre: fit one shift of the object for all epochs together. Its error is
            0.6 PSF widths divided by the total signal to noise; below a signal to
            noise of 5 it is not constrained.
        fit_fwhm: measure the PSF width of each frame on the object itself, which must
            be a bright point source, instead of using psf_fwhm. Under a bright sky the
            errors are a third larger.
        steady: fit and subtract all constant light, such as host galaxy and
            neighbours, convolved with the PSF of each frame. All frames must be of one
            band. The flux is then the change relative to its mean over the epochs
            `rest`; the error includes that of the mean, which all epochs share.
        rest: [t] bool, the reference epochs of `steady`; default: all epochs.
    Returns:  fluxes and errors; NaN where PSF or noise are unknown, less than MIN_SEEN
        of the PSF is on good pixels, the object is not a bright point source
        (`fit_fwhm`), or there is no reference epoch (`steady`).
    Raises:
        InputError: if shapes or settings disagree.
    Source: Holtzman et al. 2008, AJ 136, 2306 (the idea of `steady`: to model the
        scene instead of subtracting a template).
    """
    frames, centre = _frames(flux, bad_pixel, psf_fwhm, noise, photon, centre)
    num_epochs = len(frames.pixel)
    if not 0 <= drift < np.inf or (fit_fwhm and steady) or not (rest is None or steady):
        raise InputError(
            f"drift={drift}, steady={steady}, fit_fwhm={fit_fwhm}, rest="
            f"{'none' if rest is None else 'given'}. Drift is a finite length in "
            "pixels, fit_fwhm cannot be combined with steady, and rest needs steady. "
            "Change the settings that disagree."
        )
    rest = fill("rest", True if rest is None else rest, (num_epochs,)) > 0
    if fit_fwhm:
        frames = frames._replace(fwhm=_rough_fwhm(frames))
    seen = _seen(frames)
    is_noisy = np.isfinite(frames.noise) & (frames.noise > 0)
    usable = np.flatnonzero((seen >= MIN_SEEN) & is_noisy)
    unknown = np.full(num_epochs, np.nan)
    result = PointFlux(unknown, unknown, seen, unknown, centre, frames.fwhm)
    if not len(usable):
        return result

    part = _pixels_in_reach(frames, usable)
    nodes = lattice(part, REACH) if steady else np.zeros((0, 2))
    freedom = Freedom(drift, find_centre, fit_fwhm, nodes)
    model, fit, chi_square = fit_scene(part, freedom)
    value, variance = fit.own[:, 0], np.diag(fit.covariance)
    if steady:
        value, variance = _relative_to_rest(fit, rest[usable])
    known = variance > 0
    if fit_fwhm:
        known &= _is_bright_point(part, value, variance, chi_square)
    variance = np.where(known, variance, np.nan)
    found = {
        "flux": np.where(known, value, np.nan),
        "error": np.sqrt(variance),
        "chi_square": chi_square,
        "place": centre[usable] + model.drift + model.move,
        "psf_fwhm": part.fwhm * np.exp(model.stretch),
    }
    return result._replace(
        **{name: _put(getattr(result, name), usable, v) for name, v in found.items()}
    )


def fill(name: str, value, shape: tuple[int, ...]) -> np.ndarray:
    """Returns a value per epoch, [t ...], from such values or from one for all epochs.

    Raises:
        InputError: if the value has another shape.
    """
    value = np.asarray(value, float)
    if value.shape != shape and value.shape != shape[1:]:
        raise InputError(
            f"{name} has shape {value.shape}. Photometry of {shape[0]} epochs needs "
            f"{shape}, or {shape[1:]} for all epochs. Give one of the two."
        )
    return np.broadcast_to(value, shape)


def _put(column: np.ndarray, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    column = column.copy()
    column[rows] = values
    return column


def _frames(
    flux, bad_pixel, psf_fwhm, noise, photon, centre
) -> tuple[Frames, np.ndarray]:
    """Returns all pixels of all epochs, and the centres [t 2]."""
    flux, bad_pixel = np.asarray(flux, np.float64), np.asarray(bad_pixel, bool)
    if flux.ndim != 3 or flux.shape != bad_pixel.shape:
        raise InputError(
            f"Cutouts of shape {flux.shape} with flags of shape {bad_pixel.shape}. "
            "Photometry needs [epochs, y, x] twice. Give one flag per pixel."
        )
    num_epochs, height, width = flux.shape
    fwhm = fill("psf_fwhm", psf_fwhm, (num_epochs,))
    noise = fill("noise", noise, (num_epochs,))
    photon = fill("photon", photon, (num_epochs,))
    middle = (width - 1) / 2, (height - 1) / 2
    centre = fill("centre", middle if centre is None else centre, (num_epochs, 2))
    scatter = border_statistics(flux, bad_pixel | ~np.isfinite(flux), BORDER)[1]
    y, x = np.mgrid[:height, :width].reshape(2, -1)
    flat = num_epochs, height * width
    good = (np.isfinite(flux) & ~bad_pixel).reshape(flat)
    frames = Frames(
        pixel=np.where(good, flux.reshape(flat), 0),
        good=good,
        dx=x - centre[:, :1],
        dy=y - centre[:, 1:],
        noise=np.where(np.isnan(noise), scatter, noise),
        photon=np.where(np.isfinite(photon), np.maximum(photon, 0), 0),
        fwhm=np.where(np.isfinite(fwhm) & (fwhm >= MIN_FWHM), fwhm, np.nan),
    )
    return frames, centre


def _pixels_in_reach(frames: Frames, rows: np.ndarray) -> Frames:
    """Returns the selected epochs, with the pixels within REACH of the object."""
    part = Frames(*(column[rows] for column in frames))
    radius = REACH * np.median(part.fwhm)
    good = part.good & (np.hypot(part.dx, part.dy) < radius)
    used = good.any(axis=0)
    cut = {name: getattr(part, name)[:, used] for name in ("pixel", "dx", "dy")}
    return part._replace(good=good[:, used], **cut)


def _seen(frames: Frames) -> np.ndarray:
    """Returns [t], the share of sum psf^2 on good pixels, 0 to 1."""
    psf, _ = psf_profile(frames.dx**2 + frames.dy**2, frames.fwhm[:, None])
    share = (frames.good * psf**2).sum(axis=1) / psf_norm(frames.fwhm)
    return np.nan_to_num(np.minimum(share, 1))


def _rough_fwhm(frames: Frames) -> np.ndarray:
    """Returns [t], of 12 widths the one whose PSF correlates best with the frame."""
    widths = np.geomspace(1.5, np.sqrt(frames.pixel.shape[1]) / 2, 12)
    correlations = []
    for width in widths:
        psf, _ = psf_profile(frames.dx**2 + frames.dy**2, width)
        # Over the good pixels; the norm of the pixels is the same for all widths.
        count = np.maximum(frames.good.sum(axis=1), 1)[:, None]
        a, b = (
            frames.good * (v - (frames.good * v).sum(axis=1, keepdims=True) / count)
            for v in (frames.pixel, psf)
        )
        norm = np.sqrt((b**2).sum(axis=1) + 1e-300)
        correlations.append((a * b).sum(axis=1) / norm)
    return widths[np.argmax(correlations, axis=0)]


def _relative_to_rest(fit: JointFit, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the fluxes minus their weighted mean over `rest`, and their variances.

    The constant light may contain any part of the object's light, so a constant offset
    of all fluxes is not constrained. The offset cancels in the difference.
    """
    weight = rest / fit.variance
    if not weight.any():
        return np.full((2, len(rest)), np.nan)
    change = np.eye(len(rest)) - weight / weight.sum()
    variance = np.einsum("ts,sr,tr->t", change, fit.covariance, change, optimize=True)
    # The flux of a single reference epoch is 0 by definition, which measures nothing.
    variance[variance < 1e-4 * fit.variance] = np.nan
    return change @ fit.own[:, 0], variance


def _is_bright_point(frames: Frames, flux, variance, chi_square) -> np.ndarray:
    """Returns [t] bool, whether an epoch can measure the width of its PSF."""
    ratio = flux / np.sqrt(variance)
    excess = np.maximum(chi_square - 1, 0) * frames.good.sum(axis=1)
    return (ratio >= BRIGHT) & (excess <= (POINT_LIKE * ratio) ** 2)
