"""Image subtraction and its artefacts, which cause bogus alerts.

dipole      a star whose position differs from that in the reference
cosmic_ray  a hit on the detector, sharper than the PSF
column      a bad column or row of the detector
ghost       reflected light, wider than the PSF
noise       a noise peak
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jaxastro.simulation.observing import ObservingLog

MISALIGNED = 0.06  # pixels, scatter of the offset of the reference, per axis
MISSCALED = 0.007  # relative scatter of the flux scale of the reference


class Subtraction(NamedTuple):
    """Properties of the frame and its reference."""

    log: ObservingLog  # of this frame only
    gain: float  # electrons per ADU
    template_noise: float  # ADU, standard deviation of a pixel
    pedestal: float  # ADU of sky that remains in stamps


class Artefact(NamedTuple):
    """A kind of bogus alert."""

    add: Callable  # (rng, size, noise) -> [y x] ADU, added to the science image
    at_star: bool = False  # whether it is at the position of a star
    misaligned: float = MISALIGNED  # pixels


def subtract(kind: str, images, rng, how: Subtraction) -> tuple[np.ndarray, ...]:
    """Returns science, template and science - template as published, [y x] ADU.

    Science and difference have the same noise of the frame. Offset and scale of the
    reference are slightly wrong, so that bright stars leave residuals.

    Args:
        kind: a key of ARTEFACTS; any other for a real source.
        images: noiseless, ADU: science, science without the change, and the reference
            in its own, better seeing.
    """
    science, unchanged, reference = images
    artefact = ARTEFACTS.get(kind, Artefact(_nothing))
    log, size = how.log, len(science)
    electrons = (np.maximum(science, 0) + log.sky[0]) * how.gain
    noisy = rng.poisson(electrons) + log.read_noise[0] * rng.normal(size=science.shape)
    noise = np.sqrt(log.sky[0] / how.gain + (log.read_noise[0] / how.gain) ** 2)
    noisy = noisy / how.gain - log.sky[0] + artefact.add(rng, size, noise)
    old = how.template_noise * rng.normal(size=science.shape)
    moved = _moved(unchanged, artefact.misaligned * rng.normal(size=2))
    difference = noisy - moved * (1 + MISSCALED * rng.normal()) - old
    sky = how.pedestal * np.exp(0.3 * rng.normal())
    stamps = noisy + sky, reference + old + sky, difference
    return tuple(stamp.astype(np.float32) for stamp in stamps)


def _moved(image: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Returns the image shifted by a fraction of a pixel, to second order in it."""
    (dy, dx), rows = by, np.gradient(image)
    (yy, yx), (_, xx) = np.gradient(rows[0]), np.gradient(rows[1])
    first = -dy * rows[0] - dx * rows[1]
    return image + first + dy**2 / 2 * yy + dx * dy * yx + dx**2 / 2 * xx


def _nothing(rng, size: int, noise: float) -> np.ndarray:
    return np.zeros((size, size))


def _cosmic_ray(rng, size: int, noise: float) -> np.ndarray:
    added, length = np.zeros((size, size)), rng.integers(1, 8)
    turn, step = rng.uniform(0, np.pi), np.arange(length) - length // 2
    y = size // 2 + np.round(step * np.sin(turn)).astype(int)
    x = size // 2 + np.round(step * np.cos(turn)).astype(int)
    added[y, x] = noise * rng.uniform(15, 120)
    return added


def _column(rng, size: int, noise: float) -> np.ndarray:
    added, width = np.zeros((size, size)), rng.integers(1, 3)
    begin, end = sorted(rng.integers(0, size, 2))
    # The column includes the centre of the stamp, where the alert is.
    rows = slice(min(begin, size // 2), max(end, size // 2) + 1)
    added[rows, size // 2 : size // 2 + width] = noise * rng.uniform(5, 40)
    return added.T if rng.random() < 0.3 else added


def _ghost(rng, size: int, noise: float) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - size // 2
    distance, radius = np.hypot(y, x), rng.uniform(6, 20)
    edge = 1 / (1 + np.exp((distance - radius) / rng.uniform(1, 4)))
    hollow = rng.uniform(0, 0.8) * np.exp(-((distance / radius * 2) ** 2))
    return noise * rng.uniform(2, 8) * (edge - hollow)


def _peak(rng, size: int, noise: float) -> np.ndarray:
    added = np.zeros((size, size))
    middle = slice(size // 2 - 1, size // 2 + 2)
    added[middle, middle] = noise * rng.uniform(0.5, 6, (3, 3))
    return added


ARTEFACTS = {
    "dipole": Artefact(_nothing, at_star=True, misaligned=0.4),
    "cosmic_ray": Artefact(_cosmic_ray),
    "column": Artefact(_column),
    "ghost": Artefact(_ghost),
    "noise": Artefact(_peak),
}
