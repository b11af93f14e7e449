"""Simulated images of known flux: what photometry is measured on."""

import numpy as np

from jaxastro.simulation import hosts, observing, scene, survey
from jaxastro.units import microjansky_per_adu

SCALE, SIZE = survey.SURVEY.pixel_scale, survey.SURVEY.image_size
BAND = 2  # r
NUM_FIELDS = 20  # from whose observing logs the conditions are drawn
PER_SUPERNOVA = 24  # epochs: 12 before the explosion, 12 after
REDSHIFT = 0.15  # of the hosts


def make_frames(
    sources, flux: np.ndarray, rng: np.random.Generator
) -> tuple[dict, np.ndarray]:
    """Returns the arguments of photometry, and the images [t y x] without noise.

    Args:
        sources: that surround the object.
        flux: [t] of the object, microjansky.
    """
    count = len(flux)
    logs = [survey.observing_log(field, 0) for field in range(NUM_FIELDS)]
    log = observing.ObservingLog(*(np.concatenate(c) for c in zip(*logs, strict=True)))
    rows = rng.choice(np.flatnonzero(log.band == BAND), count)
    log = observing.ObservingLog(*(column[rows] for column in log))
    log = log._replace(visit=np.arange(count))
    centre = (SIZE - 1) / 2 + rng.uniform(-0.5, 0.5, (count, 2))
    image = scene.render(
        scene.together([scene.point((0, 0), flux), *sources]),
        psf_fwhm=log.psf_fwhm,
        centre=centre,
        pixel_scale=SCALE,
        size=SIZE,
    )
    key = int(rng.integers(2**62))
    bad_pixel = observing.flag_pixels(log, key, SIZE)
    frames = {
        "flux": np.where(bad_pixel, np.nan, observing.expose(image, log, key)),
        "bad_pixel": bad_pixel,
        "psf_fwhm": log.psf_fwhm / SCALE,
        "noise": observing.pixel_noise(log),
        "photon": microjansky_per_adu(log.zero_point) / log.gain,
        "centre": centre,
    }
    return frames, image


def make_supernova(number: int, seed: int) -> tuple[dict, np.ndarray]:
    """Returns the frames of a supernova on its host, and its flux [t], microjansky.

    It is 0 for half of the epochs; then it jumps to 5 to 50 and decays.
    """
    rng = np.random.default_rng([seed, 2, number])
    wavelength = np.full(PER_SUPERNOVA, survey.SURVEY.wavelength[BAND])
    host = hosts.draw_host(rng, "SNIa", REDSHIFT, wavelength, np.zeros(2))
    phase = np.arange(PER_SUPERNOVA) - PER_SUPERNOVA // 2
    flux = 10 ** rng.uniform(0.7, 1.7) * np.where(phase < 0, 0, np.exp(-phase / 5))
    frames, _ = make_frames(host, flux, rng)
    return frames, flux
