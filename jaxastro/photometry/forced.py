"""Forced photometry: the flux of a point at a known place, weighed by its PSF.

Every epoch is a linear least-squares fit of

    pixel_t = flux_t psf_t + sky_t [+ the steady light around, seen through psf_t]

weighed by the inverse variance of a pixel,

    variance_t = noise_t^2 + photon_t max(flux_t psf_t + steady light, 0)

The second term takes the fitted model, not the pixel: pixels that fluctuate low would
otherwise weigh more than those that fluctuate high, and the flux come out low.
"""

from typing import NamedTuple

import numpy as np

from jaxastro.photometry.aperture import border_statistics
from jaxastro.photometry.joint_fit import JointFit, joint_fit
from jaxastro.photometry.psf import psf_norm, psf_profile

REACH = 2.5  # PSF widths around the object that are fitted
MIN_SEEN = 0.7  # of sum psf^2 must lie on good pixels, or the epoch has no flux
BORDER = 3  # pixels along the edge: their scatter is the noise where none is given
BRIGHT = 20.0  # signal to noise that an epoch needs to measure its own width
POINT_LIKE = 0.3  # ... and what the PSF may leave of the light, root mean square

# Steady light is a lattice of points. Of the finest PSF's width:
NODE_SPACING = 0.4
NODE_MARGIN = 0.5  # ... which reaches beyond the fitted pixels
RIDGE = 1e-6  # of a node's mean information: settles what no frame can tell

MAX_PASSES = 10
SETTLED = 0.02  # errors of a flux, pixels, and ln(fwhm) that a last pass may change
MAX_STEP = 0.3  # of a place, in PSF widths, or of ln(fwhm)
WIDTH_PRIOR = 1.0  # standard deviation of ln(fwhm) about its rough value
PLACE_PRIOR = 0.5  # PSF widths: of the object about the centre, where it is sought


class PointFlux(NamedTuple):
    """The flux of one point in each epoch; NaN in those that cannot say."""

    flux: np.ndarray  # t        unit of a pixel's flux
    error: np.ndarray  # t       one standard deviation
    seen: np.ndarray  # t        share of sum psf^2 on good pixels; 0 without a PSF
    chi_square: np.ndarray  # t  per good pixel less the unknowns
    place: np.ndarray  # t 2     pixel (x, y) where the object was taken to lie
    psf_fwhm: np.ndarray  # t    pixels


class _Frames(NamedTuple):
    """The pixels p of the epochs."""

    pixel: np.ndarray  # t p  0 where bad
    good: np.ndarray  # t p
    dx: np.ndarray  # t p     from the given centre
    dy: np.ndarray  # t p
    noise: np.ndarray  # t
    photon: np.ndarray  # t
    fwhm: np.ndarray  # t     as known before the fit


class _Model(NamedTuple):
    """What the frames are taken to show, refined pass by pass."""

    flux: np.ndarray  # t
    drift: np.ndarray  # t 2  of the whole scene in its frame
    move: np.ndarray  # 2     of the object in the scene
    stretch: np.ndarray  # t  of the PSF, ln(fwhm) less the rough one
    light: np.ndarray  # j    steady, at the nodes


class _Freedom(NamedTuple):
    """What else is fitted beside flux and sky."""

    drift: float  # pixels, prior standard deviation; 0: not fitted
    move: bool
    stretch: bool
    nodes: np.ndarray  # j 2


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
    """Returns the flux of a point in every epoch, and its error.

    Args:
        flux: [t y x].
        bad_pixel: [t y x] bool, True where flux is not a measurement.
        psf_fwhm: pixels; this, noise and photon [t] or one number for all.
        noise: standard deviation of an empty pixel; where NaN, the scatter of the
            frame's edge, 1.4826 MAD.
        photon: variance per unit of flux, from the photons of the object; 0 or NaN
            leaves it out.
        centre: [2] or [t 2], pixel (x, y) of the object; without it, the middle.
        drift: pixels, standard deviation of what `centre` does not know of the place
            in each single frame. Above 0, each frame's shift is fitted under that
            prior; a faint object stays where it is.
        find_centre: fit one shift of the object for all epochs together.
        fit_fwhm: measure each frame's PSF width on the object, which must be a bright
            point. The error is then larger by the square root of two.
        steady: take off all light that never changes, host galaxy and neighbours, as
            each frame's own PSF shows it; all frames must be of one band. The flux is
            then the change against its mean over the epochs `rest`, and the error
            holds the mean's, in which all epochs share.
        rest: [t] bool; without it, all epochs.
    Returns:  NaN where PSF or noise are unknown, less than MIN_SEEN is seen, the
        object is no bright point (`fit_fwhm`), or there is nothing to compare with
        (`steady`).
    Raises:  ValueError: if shapes or settings disagree.
    Source: Holtzman et al. 2008, AJ 136, 2306 (the idea of `steady`: a scene that is
        modelled, not subtracted).
    """
    frames, centre = _frames(flux, bad_pixel, psf_fwhm, noise, photon, centre)
    num_epochs = len(frames.pixel)
    rest = fill("rest", True if rest is None else rest, (num_epochs,)) > 0
    if not 0 <= drift < np.inf or (steady and fit_fwhm):
        raise ValueError(
            f"drift={drift}, steady={steady}, fit_fwhm={fit_fwhm}. Drift is a length "
            "in pixels, and a width cannot be measured on an object that steady light "
            "surrounds. Change what disagrees."
        )
    if fit_fwhm:
        frames = frames._replace(fwhm=_rough_fwhm(frames))
    seen = _seen(frames)
    usable = np.flatnonzero((seen >= MIN_SEEN) & (frames.noise > 0))
    unknown = np.full(num_epochs, np.nan)
    result = PointFlux(unknown, unknown, seen, unknown, centre, frames.fwhm)
    if not len(usable):
        return result

    part = _near(frames, usable)
    nodes = _lattice(part) if steady else np.zeros((0, 2))
    freedom = _Freedom(drift, find_centre, fit_fwhm, nodes)
    model, fit, chi_square = _fit(part, freedom)
    value, variance = fit.own[:, 0], np.diag(fit.covariance)
    if steady:
        value, variance = _against_rest(fit, rest[usable])
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
    """Returns what was given for all epochs or for each, one for each."""
    value = np.asarray(value, float)
    if value.shape != shape and value.shape != shape[1:]:
        raise ValueError(
            f"{name} has shape {value.shape}. Photometry of {shape[0]} epochs takes "
            f"{shape}, or {shape[1:]} for all of them. Give one of the two."
        )
    return np.broadcast_to(value, shape)


def _put(column: np.ndarray, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    column = column.copy()
    column[rows] = values
    return column


def _frames(
    flux, bad_pixel, psf_fwhm, noise, photon, centre
) -> tuple[_Frames, np.ndarray]:
    """Returns all pixels of all epochs, and the centres [t 2]."""
    flux, bad_pixel = np.asarray(flux, np.float64), np.asarray(bad_pixel, bool)
    if flux.ndim != 3 or flux.shape != bad_pixel.shape:
        raise ValueError(
            f"Cutouts of shape {flux.shape} with flags of shape {bad_pixel.shape}. "
            "Photometry needs [epochs, y, x] twice. Give one flag per pixel."
        )
    num_epochs, height, width = flux.shape
    fwhm = fill("psf_fwhm", psf_fwhm, (num_epochs,))
    noise = fill("noise", noise, (num_epochs,))
    photon = fill("photon", photon, (num_epochs,))
    middle = (width - 1) / 2, (height - 1) / 2
    centre = fill("centre", middle if centre is None else centre, (num_epochs, 2))
    scatter = border_statistics(flux, bad_pixel, BORDER)[1]
    y, x = np.mgrid[:height, :width].reshape(2, -1)
    flat = num_epochs, height * width
    good = ~bad_pixel.reshape(flat)
    frames = _Frames(
        pixel=np.where(good, flux.reshape(flat), 0),
        good=good,
        dx=x - centre[:, :1],
        dy=y - centre[:, 1:],
        noise=np.where(np.isnan(noise), scatter, noise),
        photon=np.where(photon > 0, photon, 0),
        fwhm=np.where(fwhm > 0, fwhm, np.nan),
    )
    return frames, centre


def _near(frames: _Frames, rows: np.ndarray) -> _Frames:
    """Returns some epochs, and only the pixels in reach of the object."""
    part = _Frames(*(column[rows] for column in frames))
    radius = REACH * np.median(part.fwhm)
    good = part.good & (np.hypot(part.dx, part.dy) < radius)
    used = good.any(axis=0)
    cut = {name: getattr(part, name)[:, used] for name in ("pixel", "dx", "dy")}
    return part._replace(good=good[:, used], **cut)


def _seen(frames: _Frames) -> np.ndarray:
    """Returns [t] how much of sum psf^2 lies on good pixels, 0 to 1."""
    psf, _ = psf_profile(frames.dx**2 + frames.dy**2, frames.fwhm[:, None])
    share = (frames.good * psf**2).sum(axis=1) / psf_norm(frames.fwhm)
    return np.nan_to_num(np.minimum(share, 1))


def _rough_fwhm(frames: _Frames) -> np.ndarray:
    """Returns [t] the width, of a few, whose PSF takes up most of the light."""
    widths = np.geomspace(1.5, np.sqrt(frames.pixel.shape[1]) / 2, 12)
    taken = []
    for width in widths:
        psf, _ = psf_profile(frames.dx**2 + frames.dy**2, width)
        # Correlation of pixel and PSF over the good pixels.
        count = np.maximum(frames.good.sum(axis=1), 1)[:, None]
        a, b = (
            frames.good * (v - (frames.good * v).sum(axis=1, keepdims=True) / count)
            for v in (frames.pixel, psf)
        )
        taken.append((a * b).sum(axis=1) / np.sqrt((b**2).sum(axis=1) + 1e-300))
    return widths[np.argmax(taken, axis=0)]


def _lattice(frames: _Frames) -> np.ndarray:
    """Returns [j 2] places (x, y) from the object: the nodes of the steady light."""
    spacing = NODE_SPACING * frames.fwhm.min()
    radius = (REACH + NODE_MARGIN) * np.median(frames.fwhm)
    half = int(radius / spacing)
    step = spacing * np.arange(-half, half + 1)
    nodes = np.stack(np.meshgrid(step, step), axis=-1).reshape(-1, 2)
    return nodes[np.hypot(*nodes.T) <= radius]


def _fit(frames: _Frames, freedom: _Freedom) -> tuple[_Model, JointFit, np.ndarray]:
    """Returns model, last fit and chi square per degree of freedom [t]."""
    num_epochs = len(frames.pixel)
    model = _Model(
        flux=np.zeros(num_epochs),
        drift=np.zeros((num_epochs, 2)),
        move=np.zeros(2),
        stretch=np.zeros(num_epochs),
        light=np.zeros(len(freedom.nodes)),
    )
    for _ in range(MAX_PASSES):
        better, fit, chi_square = _refine(frames, model, freedom)
        change = [(better.flux - model.flux) / np.sqrt(fit.variance)]
        change += [better.drift - model.drift, better.move - model.move]
        change += [better.stretch - model.stretch]
        model = better
        if max(abs(c).max() for c in change) < SETTLED:
            break
    return model, fit, chi_square


class _Scene(NamedTuple):
    """What a model looks like in each frame, and how that changes."""

    psf: np.ndarray  # t p
    wider: np.ndarray  # t p         d image / d ln(fwhm), of the object
    push: np.ndarray  # 2 t p        d image / d place, of the object
    light: np.ndarray  # t p j       of the nodes, each of flux one
    steady: np.ndarray  # t p
    push_steady: np.ndarray  # 2 t p d steady / d place


def _look(frames: _Frames, model: _Model, nodes: np.ndarray) -> _Scene:
    flux = model.flux[:, None]
    fwhm = (frames.fwhm * np.exp(model.stretch))[:, None]
    place = np.stack([frames.dx, frames.dy]) - model.drift.T[..., None]  # 2 t p
    away = place - model.move[:, None, None]
    square = (away**2).sum(axis=0)
    psf, slope = psf_profile(square, fwhm)
    square_of_node = sum(
        (a[..., None] - b) ** 2 for a, b in zip(place, nodes.T, strict=True)
    )
    light, light_slope = psf_profile(square_of_node, fwhm[..., None])  # t p j
    weighted = light_slope @ (model.light[:, None] * nodes)  # t p 2
    pull = place * (light_slope @ model.light) - np.moveaxis(weighted, -1, 0)
    return _Scene(
        psf=psf,
        wider=-2 * flux * (psf + square * slope),
        push=-2 * flux * slope * away,
        light=light,
        steady=light @ model.light,
        push_steady=-2 * pull,
    )


def _refine(
    frames: _Frames, model: _Model, freedom: _Freedom
) -> tuple[_Model, JointFit, np.ndarray]:
    """Returns a better model: one Gauss-Newton step in all that is free.

    What is not free has a column of zeros, and so stays at its prior's mean, zero.
    """
    scene = _look(frames, model, freedom.nodes)
    image = model.flux[:, None] * scene.psf + scene.steady
    noise, photon = frames.noise[:, None], frames.photon[:, None]
    weight = frames.good / (noise**2 + photon * np.maximum(image, 0))
    push = (freedom.drift > 0) * (scene.push + scene.push_steady)
    own = [scene.psf, np.ones_like(image), *push, freedom.stretch * scene.wider]
    own = np.stack(own, axis=-1)  # t p 5
    flat = np.zeros(len(image))
    own_now = np.stack([flat, flat, *model.drift.T, model.stretch], axis=-1)
    drift_precision = freedom.drift**-2 if freedom.drift else 1.0
    width = np.median(frames.fwhm)
    information = np.tensordot(weight, scene.light**2, axes=2)
    ridge = RIDGE * information.mean() if len(information) else 0.0
    move = freedom.move * np.moveaxis(scene.push, 0, -1)
    fit = joint_fit(
        # Linear about where the model stands: columns times what they stand at.
        frames.pixel + (own @ own_now[..., None])[..., 0] + move @ model.move,
        weight,
        own=own,
        own_precision=np.array([0, 0, *2 * [drift_precision], WIDTH_PRIOR**-2]),
        shared=np.concatenate([move, scene.light], axis=-1),
        shared_precision=np.array(
            2 * [(PLACE_PRIOR * width) ** -2] + len(information) * [ridge]
        ),
    )
    left = frames.pixel - fit.own[:, :1] * scene.psf - fit.own[:, 1:2]
    left -= scene.light @ fit.shared[2:]
    count = frames.good.sum(axis=1) - 2 * (1 + (freedom.drift > 0)) - freedom.stretch
    chi_square = (weight * left**2).sum(axis=1) / np.maximum(count, 1)

    def step(now, new, limit):
        return now + np.clip(new - now, -limit, limit)

    better = _Model(
        flux=fit.own[:, 0],
        drift=step(model.drift, fit.own[:, 2:4], MAX_STEP * width),
        move=step(model.move, fit.shared[:2], MAX_STEP * width),
        stretch=step(model.stretch, fit.own[:, 4], MAX_STEP),
        light=fit.shared[2:],
    )
    return better, fit, chi_square


def _against_rest(fit: JointFit, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the fluxes less their weighted mean at rest, and their variances.

    Steady light can hold any share of the object's, so fluxes alone mean nothing:
    their common part has the prior's variance. It cancels here.
    """
    weight = rest / fit.variance
    unknown = np.full(len(rest), np.nan)
    if not weight.any():
        return unknown, unknown
    change = np.eye(len(rest)) - weight / weight.sum()
    variance = np.einsum("ts,sr,tr->t", change, fit.covariance, change, optimize=True)
    # A lone epoch is its own mean: zero without error, which is no measurement.
    lone = variance < 1e-4 * fit.variance
    return np.where(lone, np.nan, change @ fit.own[:, 0]), np.where(
        lone, np.nan, variance
    )


def _is_bright_point(frames, flux, variance, chi_square) -> np.ndarray:
    """Returns [t] whether the object can measure its own PSF."""
    ratio = flux / np.sqrt(variance)
    # What is amiss, in units of the PSF's own light.
    amiss = np.maximum(chi_square - 1, 0) * frames.good.sum(axis=1) / ratio**2
    return (ratio >= BRIGHT) & (amiss <= POINT_LIKE**2)
