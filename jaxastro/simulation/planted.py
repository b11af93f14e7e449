"""Pairs of objects that differ in one property only, to test what a network uses.

    rise, fall = simulate_pair(0, seed=0, planted="order")

planted="order": a flare on a galaxy, and the same frames in reverse order. Times are
symmetric about their centre, and the conditions of a frame do not depend on its time.
Both objects therefore have the same times and the same frames, bit by bit. A model that
does not use the order predicts the same for both and is correct for one of them.

planted="host": a flat disc and a round bulge without variability, with the same
observing conditions and the same noise. A single frame distinguishes them.
"""

import hashlib

import numpy as np

from jaxastro.data.series import SeriesRecord, make_series_record
from jaxastro.errors import InputError
from jaxastro.simulation import cadence, observing, scene
from jaxastro.surveys import SURVEYS
from jaxastro.units import flux_of

SURVEY = SURVEYS["planted"]
CLASSES = {"order": ("rise", "fall"), "host": ("spiral", "elliptical")}
NUM_EPOCHS = 21  # odd, so that both objects of "order" share the middle frame
STEP = 4.0  # days between epochs
JITTER = 0.3  # of a step, plus or minus
R_BAND = 2  # index in u g r i z, of the observing conditions

HOST_MAGNITUDE = (17.0, 19.0)  # r
HOST_RADIUS = (1.0, 1.8)  # arcsec, half-light
FLARE_MAGNITUDE = (17.5, 19.0)  # r, at maximum
PEAK = 20.0  # days from the centre, plus or minus
FAST, SLOW = (1.0, 3.0), (12.0, 30.0)  # e-folding times, days


def simulate_pair(
    number: int, *, seed: int, planted: str
) -> tuple[SeriesRecord, SeriesRecord]:
    """Returns a pair of objects, one of each class, in the order of CLASSES[planted].

    Args:
        number: of the pair, from 0; the pair is a group, which folds do not split.
        planted: the property in which they differ, a key of CLASSES.
    """
    if planted not in CLASSES:
        raise InputError(
            f"Unknown property {planted!r}. {SURVEY.name} has {', '.join(CLASSES)}. "
            "Choose one of them."
        )
    rng = np.random.default_rng([seed, 9, number])
    mjd, log = _epochs(rng, number, seed)
    centre = (SURVEY.image_size - 1) / 2 + rng.uniform(-0.5, 0.5, (NUM_EPOCHS, 2))
    key = int(rng.integers(2**62))
    hosts = draw_hosts(rng)

    def columns(light: scene.Gaussians) -> dict[str, np.ndarray]:
        image = scene.render(
            light,
            psf_fwhm=log.psf_fwhm,
            centre=centre,
            pixel_scale=SURVEY.pixel_scale,
            size=SURVEY.image_size,
        )
        conditions = {n: getattr(log, n) for n in ("psf_fwhm", "gain", "zero_point")}
        noise = observing.pixel_noise(log)
        return conditions | {"flux": observing.expose(image, log, key), "noise": noise}

    if planted == "host":
        pair = [columns(host) for host in hosts]
    else:
        flare = scene.point(rng.normal(0, 0.5, 2), draw_flare(rng, mjd - mjd.mean()))
        falling = columns(scene.together([hosts[rng.integers(2)], flare]))
        pair = [{name: c[::-1] for name, c in falling.items()}, falling]

    def record(member: int) -> SeriesRecord:
        label = CLASSES[planted][member]
        named = f"{SURVEY.name}/{planted}:{seed}:{number}:{member}"
        record, _ = make_series_record(
            f"SIM{hashlib.sha256(named.encode()).hexdigest()[:12]}",
            SURVEY,
            mjd=mjd,
            band=np.zeros(NUM_EPOCHS, np.int32),
            label=label,
            truth=label,
            label_source="simulated",
            group=f"pair{number:04d}",
            **pair[member],
        )
        return record

    return record(0), record(1)


def draw_flare(rng: np.random.Generator, days: np.ndarray) -> np.ndarray:
    """Returns the flux of a flare [t], microjansky: fast rise, slow decline.

    Args:
        days: [t], from the centre of the series.
    """
    since = days - rng.uniform(-PEAK, PEAK)
    scale = np.where(since < 0, rng.uniform(*FAST), rng.uniform(*SLOW))
    peak = flux_of(np.asarray(rng.uniform(*FLARE_MAGNITUDE)))
    return peak * np.exp(-np.abs(since) / scale)


def draw_hosts(rng: np.random.Generator) -> tuple[scene.Gaussians, scene.Gaussians]:
    """Returns a flat disc and a round bulge of equal position, flux and radius."""
    flux = np.full(NUM_EPOCHS, flux_of(np.asarray(rng.uniform(*HOST_MAGNITUDE))))
    same = {"radius": rng.uniform(*HOST_RADIUS), "angle": rng.uniform(0, np.pi)}
    place = rng.normal(0, 0.3, 2)
    spiral = scene.sersic(
        place, flux, index=1, axis_ratio=rng.uniform(0.25, 0.45), **same
    )
    elliptical = scene.sersic(
        place, flux, index=4, axis_ratio=rng.uniform(0.85, 1.0), **same
    )
    return spiral, elliptical


def _epochs(
    rng: np.random.Generator, number: int, seed: int
) -> tuple[np.ndarray, observing.ObservingLog]:
    """Draws times, symmetric about their centre, and conditions of random nights."""
    each = np.arange(1, NUM_EPOCHS // 2 + 1)
    half = STEP * (each + JITTER * rng.uniform(-1, 1, len(each)))
    half = np.round(half * 4096) / 4096  # binary fractions: sums of them are exact
    middle = np.round(cadence.SEASON_START[0] + rng.uniform(0, cadence.SEASON_DAYS))
    mjd = middle + np.concatenate([-half[::-1], [0.0], half])

    frame = np.arange(NUM_EPOCHS, dtype=np.int32)
    night = cadence.SEASON_START[0] + rng.uniform(0, cadence.SEASON_DAYS, NUM_EPOCHS)
    visits = cadence.Visits(night, np.full_like(frame, R_BAND), frame, frame)
    log = observing.draw_log(
        visits, field=number, seed=seed, pixel_scale=SURVEY.pixel_scale
    )
    return mjd, log
