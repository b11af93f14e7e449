"""Difference images as the hand scanners of SDSS-II saw them, one of each class.

    image = simulate_image("Dipole", number=0, seed=0)

A difference in g, r and i, in units of its noise, stretched for the screen. What each
class looks like is taken from the scanners' words, not from images: none could be had.
"""

from collections.abc import Callable

import numpy as np

from jaxastro.errors import InputError
from jaxastro.simulation import scene
from jaxastro.simulation.artefacts import ARTEFACTS
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["sdss_handscan_sim"]
SIZE, SCALE = SURVEY.image_size, 0.396  # pixels, arcsec per pixel
MIDDLE = (SIZE - 1) / 2
SEEING = 1.35  # arcsec, median in r
SEEING_OF = np.array([1.07, 1.0, 0.96])  # g r i, relative
WHEN = np.array([4.0, 0.0, 1.0])  # rows of the camera after r, as the sky drifts
FAINT, BRIGHT = 5.0, 80.0  # signal to noise of what is detected
LOW, SOFT = -3.0, 3.0  # of the stretch, in units of the noise


def simulate_image(label: str, *, number: int, seed: int) -> np.ndarray:
    """Returns image `number` of a class, [y x 3] grey levels 0 to 255: i, r, g.

    The seeing and the noise depend on (seed, number) alone, whatever the class.

    Args:
        label: a class of the survey.
    """
    if label not in CLASSES:
        raise InputError(f"No class {label!r}. There are {', '.join(CLASSES)}.")
    physics, sky = (
        np.random.default_rng([seed, 13, number, stream]) for stream in range(2)
    )
    seeing = SEEING * np.exp(0.15 * sky.normal()) * SEEING_OF
    noise = sky.normal(size=(3, SIZE, SIZE))
    difference = noise + CLASSES[label](physics, seeing)
    high = max(np.percentile(difference, 99.8), 12.0)
    stretched = np.arcsinh(difference / SOFT) - np.arcsinh(LOW / SOFT)
    level = stretched / (np.arcsinh(high / SOFT) - np.arcsinh(LOW / SOFT))
    grey = np.rint(255 * np.clip(level, 0, 1)).astype(np.float32)
    return np.moveaxis(grey[::-1], 0, -1)


def _point(seeing, signal, x=0.0, y=0.0) -> np.ndarray:
    """Returns a point of some signal to noise in each band, [3 y x].

    Args:
        signal: [3] of a PSF fit, over noise of 1 a pixel.
        x, y: pixels from the middle, [3] or one for all.
    """
    ones = np.ones(3)
    star = scene.render(
        scene.point(np.zeros(2), ones),
        psf_fwhm=seeing,
        centre=MIDDLE + np.stack([x * ones, y * ones], axis=1),
        pixel_scale=SCALE,
        size=SIZE,
    )
    return (
        (signal * ones)[:, None, None]
        * star
        / np.sqrt((star**2).sum((1, 2), keepdims=True))
    )


def _signal(rng, low=FAINT, high=BRIGHT) -> np.ndarray:
    """Returns the signal to noise in g, r and i of something of some colour."""
    whole = low * (high / low) ** rng.random()
    return whole * np.exp(rng.normal(0, 0.35) * np.array([1.0, 0.0, -1.0]))


def _source(low: float, high: float, *, either_way=False, host=0.0) -> Callable:
    """Returns a class of point sources.

    Args:
        either_way: whether it may have faded.
        host: pixels, scatter of its place in a galaxy that leaves rests; 0: none.
    """

    def draw(rng, seeing) -> np.ndarray:
        sign = rng.choice([-1, 1]) if either_way else 1
        image = sign * _point(seeing, _signal(rng, low, high))
        if host:
            x, y = host * rng.normal(size=2)
            image = image + _rests(rng, 1.4 * seeing, rng.uniform(5, 40), x, y)
        return image

    return draw


def _rests(rng, seeing, size: float, x=0.0, y=0.0) -> np.ndarray:
    """Returns what is left of something steady that was not quite subtracted."""
    dx, dy = 0.08 * rng.normal(size=2)
    scale = 1 + 0.03 * rng.normal()
    one = _point(seeing, size * np.ones(3), x + dx, y + dy)
    return one - scale * _point(seeing, size * np.ones(3), x, y)


def _artefact(rng, seeing) -> np.ndarray:
    """One of what goes wrong in a camera, in one band; a ghost in all."""
    kind = str(rng.choice([name for name, one in ARTEFACTS.items() if not one.at_star]))
    added = ARTEFACTS[kind].add(rng, SIZE, 1.0)
    of_band = np.zeros(3)
    of_band[rng.integers(3)] = 1
    strength = rng.uniform(0.4, 1.2, 3) if kind == "ghost" else of_band
    return strength[:, None, None] * added


def _dipole(rng, seeing) -> np.ndarray:
    """A star that is not where the reference has it."""
    turn, apart = rng.uniform(0, 2 * np.pi), rng.uniform(0.4, 1.6)
    x, y = apart * np.cos(turn), apart * np.sin(turn)
    signal = _signal(rng, 40, 400)
    return _point(seeing, signal, x, y) - _point(seeing, signal, -x, -y)


def _saturated(rng, seeing) -> np.ndarray:
    """A star too bright for the camera: rings, speckles, and charge that bled."""
    star = _point(seeing * rng.uniform(1.5, 2.5), np.full(3, rng.uniform(500, 4000)))
    speckle = 1 + 0.6 * rng.normal(size=(1, SIZE, SIZE))
    wrong = 0.2 * rng.normal() * star + 0.1 * star * speckle
    wrong[:, star[1] > 0.5 * star[1].max()] = -3.0  # no measurement: grey
    column = int(MIDDLE) + rng.integers(-1, 2)
    reach = rng.integers(4, SIZE // 2)
    rows = slice(int(MIDDLE) - reach, int(MIDDLE) + reach)
    wrong[:, rows, column : column + rng.integers(1, 4)] += rng.uniform(10, 60)
    return wrong


def _moving(rng, seeing) -> np.ndarray:
    """An asteroid: at another place in each band."""
    turn, step = rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 3.5)  # pixels a row
    along = step * (WHEN - WHEN.mean())
    return _point(seeing, _signal(rng), along * np.cos(turn), along * np.sin(turn))


CLASSES = {
    "Artefact": _artefact,
    "Dipole": _dipole,
    "Saturated Star": _saturated,
    "Moving": _moving,
    "Variable": _source(FAINT, BRIGHT, either_way=True, host=0.3),
    "Transient": _source(FAINT, BRIGHT),
    "SN Other": _source(4, 9, host=6.0),
    "SN Bronze": _source(FAINT, 30, host=1.0),
    "SN Silver": _source(8, 18, host=4.0),
    "SN Gold": _source(18, BRIGHT, host=5.0),
}
