"""Scene modelling: fits a point source, the sky and optional constant light to frames.

    pixel_t = flux_t psf_t + sky_t + sum over nodes of light_node psf_t(node) + noise_t

This is linear in flux, sky and light. Positions and PSF widths are found by
Gauss-Newton steps: their derivatives are further columns of the linear fit, so that the
error of the flux includes their uncertainty.
"""

from typing import NamedTuple

import numpy as np

from jaxastro.photometry.joint_fit import JointFit, joint_fit
from jaxastro.photometry.psf import psf_profile

NODE_SPACING = 0.4  # of the lattice of constant light, in widths of the sharpest PSF
NODE_MARGIN = 0.5  # PSF widths by which the lattice exceeds the fitted pixels
RIDGE = 1e-6  # of a node's mean information; regularises unconstrained nodes

MAX_PASSES = 10
TOLERANCE = 0.02  # largest change in flux errors, pixels and ln(fwhm) at convergence
MAX_STEP = 0.3  # of a position, in PSF widths, or of ln(fwhm), in one pass
WIDTH_PRIOR = 1.0  # standard deviation of ln(fwhm) about its initial value
PLACE_PRIOR = 0.5  # PSF widths, standard deviation of the object about the centre


class Frames(NamedTuple):
    """Pixels p of all epochs."""

    pixel: np.ndarray  # t p  flux; 0 where bad
    good: np.ndarray  # t p   bool
    dx: np.ndarray  # t p     pixels from the given centre
    dy: np.ndarray  # t p
    noise: np.ndarray  # t    standard deviation of an empty pixel
    photon: np.ndarray  # t   variance per unit of flux
    fwhm: np.ndarray  # t     pixels, initial value


class Model(NamedTuple):
    """Parameters of the scene."""

    flux: np.ndarray  # t     of the object
    drift: np.ndarray  # t 2  pixels, shift of the whole scene in a frame
    move: np.ndarray  # 2     pixels, shift of the object in the scene
    stretch: np.ndarray  # t  ln(fwhm) minus its initial value
    light: np.ndarray  # j    constant flux of each node


class Freedom(NamedTuple):
    """Parameters that are fitted in addition to flux and sky."""

    drift: float  # pixels, standard deviation of the prior; 0: not fitted
    move: bool
    stretch: bool
    nodes: np.ndarray  # j 2  pixels (x, y) from the object; j may be 0


def lattice(frames: Frames, reach: float) -> np.ndarray:
    """Returns [j 2], positions (x, y) of the nodes of constant light, in pixels.

    Args:
        frames: pixels around the object.
        reach: radius of the fitted pixels, PSF widths.
    """
    width = np.median(frames.fwhm)
    # Without the lower limit a single wrong width could require thousands of nodes.
    spacing = NODE_SPACING * max(frames.fwhm.min(), width / 2)
    radius = (reach + NODE_MARGIN) * width
    half = int(radius / spacing)
    step = spacing * np.arange(-half, half + 1)
    nodes = np.stack(np.meshgrid(step, step), axis=-1).reshape(-1, 2)
    return nodes[np.hypot(*nodes.T) <= radius]


def fit_scene(frames: Frames, freedom: Freedom) -> tuple[Model, JointFit, np.ndarray]:
    """Returns the model, the last linear fit and chi square per degree of freedom [t].

    The first pass uses the noise of empty pixels as weights, later passes add the
    photon noise of the model. Memory with n nodes: 32 n bytes per pixel and epoch,
    typically 3 MB per epoch.
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
        if max(abs(c).max() for c in change) < TOLERANCE:
            break
    return model, fit, chi_square


class _Scene(NamedTuple):
    """Images of a model and their derivatives."""

    psf: np.ndarray  # t p                  of the object, of flux one
    width_derivative: np.ndarray  # t p     d image / d ln(fwhm), of the object
    place_derivative: np.ndarray  # 2 t p   d image / d position, of the object
    light: np.ndarray  # t p j              of each node, of flux one
    constant: np.ndarray  # t p             of all nodes
    constant_derivative: np.ndarray  # 2 t p  d constant / d position


def _scene_of(frames: Frames, model: Model, nodes: np.ndarray) -> _Scene:
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
        width_derivative=-2 * flux * (psf + square * slope),
        place_derivative=-2 * flux * slope * away,
        light=light,
        constant=light @ model.light,
        constant_derivative=-2 * pull,
    )


def _refine(
    frames: Frames, model: Model, freedom: Freedom
) -> tuple[Model, JointFit, np.ndarray]:
    """Returns the model after one Gauss-Newton step, its fit and chi square [t].

    A parameter that is not free has a column of zeros, so it stays at the mean of its
    prior, zero.
    """
    scene = _scene_of(frames, model, freedom.nodes)
    image = model.flux[:, None] * scene.psf + scene.constant
    noise, photon = frames.noise[:, None], frames.photon[:, None]
    weight = frames.good / (noise**2 + photon * np.maximum(image, 0))
    drift_columns = scene.place_derivative + scene.constant_derivative
    drift_x, drift_y = (freedom.drift > 0) * drift_columns
    stretch = freedom.stretch * scene.width_derivative
    own = [scene.psf, np.ones_like(image), drift_x, drift_y, stretch]
    own = np.stack(own, axis=-1)  # t p 5
    zero = np.zeros(len(image))
    own_now = np.stack([zero, zero, *model.drift.T, model.stretch], axis=-1)
    drift_precision = freedom.drift**-2 if freedom.drift else 1.0
    width = np.median(frames.fwhm)
    information = np.tensordot(weight, scene.light**2, axes=2)
    ridge = RIDGE * information.mean() if len(information) else 0.0
    move = freedom.move * np.moveaxis(scene.place_derivative, 0, -1)
    fit = joint_fit(
        # The fit is linear about the present parameters, whose part is added back.
        frames.pixel + (own @ own_now[..., None])[..., 0] + move @ model.move,
        weight,
        own=own,
        own_precision=np.array([0, 0, *2 * [drift_precision], WIDTH_PRIOR**-2]),
        shared=np.concatenate([move, scene.light], axis=-1),
        shared_precision=np.array(
            2 * [(PLACE_PRIOR * width) ** -2] + len(information) * [ridge]
        ),
    )
    residual = frames.pixel - fit.own[:, :1] * scene.psf - fit.own[:, 1:2]
    residual -= scene.light @ fit.shared[2:]
    count = frames.good.sum(axis=1) - 2 * (1 + (freedom.drift > 0)) - freedom.stretch
    chi_square = (weight * residual**2).sum(axis=1) / np.maximum(count, 1)

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
