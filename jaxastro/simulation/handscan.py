"""Simulated difference images in the format of the SDSS-II hand scanners.

    image = simulate_image("Dipole", number=0, seed=0)

An image is a difference in g, r and i, in units of its noise, with an asinh stretch.
The classes follow the scanners' descriptions, since no images are available.
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
RELATIVE_SEEING = np.array([1.07, 1.0, 0.96])  # g r i
SCAN_ORDER = np.array([4.0, 0.0, 1.0])  # g r i, rows of the camera after r
FAINT, BRIGHT = 5.0, 80.0  # signal to noise of detected sources
LOW, SOFT = -3.0, 3.0  # of the stretch, in units of the noise


def simulate_image(label: str, *, number: int, seed: int) -> np.ndarray:
    """Returns image `number` of a class, [y x 3], grey levels 0 to 255 in i, r, g.

    Seeing and noise depend on (seed, number) only, not on the class.

    Args:
        label: a class of the survey.
    """
    if label not in CLASSES:
        raise InputError(f"No class {label!r}. Known: {', '.join(CLASSES)}.")
    physics, sky = (
        np.random.default_rng([seed, 13, number, stream]) for stream in range(2)
    )
    seeing = SEEING * np.exp(0.15 * sky.normal()) * RELATIVE_SEEING
    noise = sky.normal(size=(3, SIZE, SIZE))
    difference = noise + CLASSES[label](physics, seeing)
    high = max(np.percentile(difference, 99.8), 12.0)
    stretched = np.arcsinh(difference / SOFT) - np.arcsinh(LOW / SOFT)
    level = stretched / (np.arcsinh(high / SOFT) - np.arcsinh(LOW / SOFT))
    grey = np.rint(255 * np.clip(level, 0, 1)).astype(np.float32)
    return np.moveaxis(grey[::-1], 0, -1)


def _point(seeing, signal, x=0.0, y=0.0) -> np.ndarray:
    """Returns a point source in each band, [3 y x].

    Args:
        signal: [3], signal to noise of a PSF fit, at a pixel noise of 1.
        x, y: pixels from the centre, [3] or one for all.
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
    """Returns [3], the signal to noise in g, r and i of a source of random colour."""
    in_r = low * (high / low) ** rng.random()
    return in_r * np.exp(rng.normal(0, 0.35) * np.array([1.0, 0.0, -1.0]))


def _source(low: float, high: float, *, either_way=False, host=0.0) -> Callable:
    """Returns a class of point sources.

    Args:
        low: signal to noise, with high.
        either_way: whether the source may have faded.
        host: pixels, scatter of the offset from a galaxy with residuals; 0: none.
    """

    def draw(rng, seeing) -> np.ndarray:
        sign = rng.choice([-1, 1]) if either_way else 1
        image = sign * _point(seeing, _signal(rng, low, high))
        if host:
            x, y = host * rng.normal(size=2)
            image = image + _residuals(rng, 1.4 * seeing, rng.uniform(5, 40), x, y)
        return image

    return draw


def _residuals(rng, seeing, size: float, x=0.0, y=0.0) -> np.ndarray:
    """Returns the residuals of a constant source after an imperfect subtraction."""
    dx, dy = 0.08 * rng.normal(size=2)
    scale = 1 + 0.03 * rng.normal()
    one = _point(seeing, size * np.ones(3), x + dx, y + dy)
    return one - scale * _point(seeing, size * np.ones(3), x, y)


def _artefact(rng, seeing) -> np.ndarray:
    """Returns a camera artefact in one band, or a ghost in all bands."""
    kind = str(rng.choice([name for name, one in ARTEFACTS.items() if not one.at_star]))
    added = ARTEFACTS[kind].add(rng, SIZE, 1.0)
    of_band = np.zeros(3)
    of_band[rng.integers(3)] = 1
    strength = rng.uniform(0.4, 1.2, 3) if kind == "ghost" else of_band
    return strength[:, None, None] * added


def _dipole(rng, seeing) -> np.ndarray:
    """Returns a star whose position differs from that in the reference."""
    turn, apart = rng.uniform(0, 2 * np.pi), rng.uniform(0.4, 1.6)
    x, y = apart * np.cos(turn), apart * np.sin(turn)
    signal = _signal(rng, 40, 400)
    return _point(seeing, signal, x, y) - _point(seeing, signal, -x, -y)


def _saturated(rng, seeing) -> np.ndarray:
    """Returns a saturated star: rings, speckles and a charge bleed."""
    star = _point(seeing * rng.uniform(1.5, 2.5), np.full(3, rng.uniform(500, 4000)))
    speckle = 1 + 0.6 * rng.normal(size=(1, SIZE, SIZE))
    wrong = 0.2 * rng.normal() * star + 0.1 * star * speckle
    wrong[:, star[1] > 0.5 * star[1].max()] = -3.0  # not measured
    column = int(MIDDLE) + rng.integers(-1, 2)
    reach = rng.integers(4, SIZE // 2)
    rows = slice(int(MIDDLE) - reach, int(MIDDLE) + reach)
    wrong[:, rows, column : column + rng.integers(1, 4)] += rng.uniform(10, 60)
    return wrong


def _moving(rng, seeing) -> np.ndarray:
    """Returns an asteroid, with another position in each band."""
    turn, step = rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 3.5)  # pixels per row
    along = step * (SCAN_ORDER - SCAN_ORDER.mean())
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
