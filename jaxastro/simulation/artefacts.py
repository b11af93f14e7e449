"""Image subtraction, and what goes wrong with it: the alerts that are no source.

dipole      a star that was not quite where the reference has it
cosmic_ray  a hit on the camera, sharper than any source
column      a column or row of the camera that counts too much
ghost       light thrown about in the telescope, wider than any source
noise       a peak of the noise, or of two
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jaxastro.simulation.observing import ObservingLog

MISALIGNED = 0.06  # pixels, scatter of the reference against a frame, either way
MISSCALED = 0.007  # of the light of what is steady


class Subtraction(NamedTuple):
    """The frame, and what its reference is like."""

    log: ObservingLog  # of this frame alone
    gain: float  # electrons per ADU
    template_noise: float  # ADU, of a pixel
    pedestal: float  # ADU of sky that stamps keep


class Artefact(NamedTuple):
    """How a kind of bogus alert looks."""

    add: Callable  # (rng, size, noise) -> [y x] ADU, to the science image
    at_star: bool = False  # whether it lies on a star
    misaligned: float = MISALIGNED  # pixels


def subtract(kind: str, images, rng, how: Subtraction) -> tuple[np.ndarray, ...]:
    """Returns science, template and science - template as published, [y x] ADU.

    The noise of the frame is in science and difference alike; the reference is moved
    and scaled a little wrongly, so that bright stars leave rests.

    Args:
        kind: a key of ARTEFACTS, or any other for a true source.
        images: without noise, ADU: science, the same unchanged, and the reference as
            its own better seeing shows it.
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
    """Returns the image moved by parts of a pixel, to second order in them."""
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
    # One end lies at the stamp's middle or beyond: the alert is on it.
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
