"""Fits what frames show: a point, the sky, and, if wanted, steady light around.

    pixel_t = flux_t psf_t + sky_t + sum over nodes of light_node psf_t(node) + noise_t

is linear in flux, sky and light. Places and PSF widths are found by Gauss-Newton steps:
their derivatives are further columns of the linear fit, so that what it costs to fit
them is in the error of the flux.
"""

from typing import NamedTuple

import numpy as np

from jaxastro.photometry.joint_fit import JointFit, joint_fit
from jaxastro.photometry.psf import psf_profile

NODE_SPACING = 0.4  # of the steady light's lattice, in widths of the finest PSF
NODE_MARGIN = 0.5  # PSF widths that it reaches beyond the fitted pixels
RIDGE = 1e-6  # of a node's mean information: settles what no frame can tell

MAX_PASSES = 10
SETTLED = 0.02  # errors of a flux, pixels, and ln(fwhm) that a last pass may change
MAX_STEP = 0.3  # of a place, in PSF widths, or of ln(fwhm)
WIDTH_PRIOR = 1.0  # standard deviation of ln(fwhm) about its rough value
PLACE_PRIOR = 0.5  # PSF widths: of the object about the centre, where it is sought


class Frames(NamedTuple):
    """The pixels p of the epochs."""

    pixel: np.ndarray  # t p  0 where bad
    good: np.ndarray  # t p
    dx: np.ndarray  # t p     from the given centre
    dy: np.ndarray  # t p
    noise: np.ndarray  # t
    photon: np.ndarray  # t
    fwhm: np.ndarray  # t     as known before the fit


class Model(NamedTuple):
    """What the frames are taken to show, refined pass by pass."""

    flux: np.ndarray  # t
    drift: np.ndarray  # t 2  of the whole scene in its frame
    move: np.ndarray  # 2     of the object in the scene
    stretch: np.ndarray  # t  of the PSF, ln(fwhm) less the rough one
    light: np.ndarray  # j    steady, at the nodes


class Freedom(NamedTuple):
    """What else is fitted beside flux and sky."""

    drift: float  # pixels, prior standard deviation; 0: not fitted
    move: bool
    stretch: bool
    nodes: np.ndarray  # j 2


def lattice(frames: Frames, reach: float) -> np.ndarray:
    """Returns [j 2] places (x, y) from the object: the nodes of the steady light."""
    width = np.median(frames.fwhm)
    # One wrong width must not bring thousands of nodes.
    spacing = NODE_SPACING * max(frames.fwhm.min(), width / 2)
    radius = (reach + NODE_MARGIN) * width
    half = int(radius / spacing)
    step = spacing * np.arange(-half, half + 1)
    nodes = np.stack(np.meshgrid(step, step), axis=-1).reshape(-1, 2)
    return nodes[np.hypot(*nodes.T) <= radius]


def fit_scene(frames: Frames, freedom: Freedom) -> tuple[Model, JointFit, np.ndarray]:
    """Returns model, last fit and chi square per degree of freedom [t].

    The first pass weighs by the noise of empty pixels, later ones with the photons of
    the model. Memory: with n nodes 32 n bytes per pixel and epoch, about 3 MB an epoch.
    """
    num_epochs = len(frames.pixel)
    model = Model(
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


def _look(frames: Frames, model: Model, nodes: np.ndarray) -> _Scene:
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
    frames: Frames, model: Model, freedom: Freedom
) -> tuple[Model, JointFit, np.ndarray]:
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

    better = Model(
        flux=fit.own[:, 0],
        drift=step(model.drift, fit.own[:, 2:4], MAX_STEP * width),
        move=step(model.move, fit.shared[:2], MAX_STEP * width),
        stretch=step(model.stretch, fit.own[:, 4], MAX_STEP),
        light=fit.shared[2:],
    )
    return better, fit, chi_square
