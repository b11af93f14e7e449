"""Simulated image series of any class, for a given camera and observing log.

record = simulate_sequence("RRLyrae", camera, log, number=0, seed=0)
"""

import hashlib
from typing import NamedTuple

import numpy as np

from jaxastro.data.series import SeriesRecord, make_series_record
from jaxastro.simulation import hosts, light_curve, observing, scene
from jaxastro.simulation.classes import CLASSES, draw_candidates
from jaxastro.surveys import Survey
from jaxastro.units import microjansky_per_adu

CANDIDATES = 48  # possible objects, from which the selection of the survey takes one
DETECTION = 5.0  # signal to noise of a change, in one frame
TRACK_LENGTH = 5  # pixels of a cosmic ray


class Camera(NamedTuple):
    """Properties of a survey's images that its observing log does not have."""

    survey: Survey
    range_of: dict[str, tuple[float, float]]  # class -> magnitudes or redshifts
    keeps_sky: bool  # whether published images include the sky
    seconds: float  # typical exposure time
    saturation: float  # ADU; brighter pixels are bad
    centring: float  # pixels, scatter of a stamp's centre in addition to whole pixels
    frame_loss: float  # fraction of an object's frames that are lost
    cosmic_rays: float  # per frame, not flagged
    neighbours: float  # unrelated objects per stamp, on average
    detections: int  # frames with a significant change that the selection needs


def simulate_sequence(
    truth: str,
    camera: Camera,
    log: observing.ObservingLog,
    *,
    number: int,
    seed: int,
    label: str = "",
    group: str = "",
) -> SeriesRecord:
    """Returns object `number` of a class, observed by the camera according to the log.

    The object, its surroundings and the camera have separate streams of random numbers,
    which depend on (seed, number) only. Frames, losses, noise and cosmic rays therefore
    do not depend on the class.

    Args:
        truth: a key of CLASSES.
        log: of the field of the object.
        label: label and truth of the record; default: the class.
        group: name of the field.
    """
    physics, sky, frames = (
        np.random.default_rng([seed, 7, number, stream]) for stream in range(3)
    )
    survey, nature = camera.survey, CLASSES[truth]
    wavelength = np.array(survey.wavelength)[log.band]
    kept = np.flatnonzero(frames.random(len(log.mjd)) >= camera.frame_loss)
    seen = observing.ObservingLog(*(column[kept] for column in log))
    candidates = draw_candidates(
        truth,
        physics,
        log.mjd,
        wavelength,
        count=CANDIDATES,
        limits=camera.range_of[truth],
    )
    candidates = candidates._replace(
        flux=candidates.flux[:, kept], rest=candidates.rest[:, kept]
    )
    chosen = select(
        physics,
        candidates,
        seen,
        found_by=nature.found_by,
        pixel_scale=survey.pixel_scale,
        detections=camera.detections,
    )
    light = _scene(sky, truth, chosen, seen, camera)
    record, _ = make_series_record(
        sequence_name(survey.name, number, seed),
        survey,
        label=label or truth,
        truth=label or truth,
        label_source="simulated",
        redshift=float(chosen.redshift),
        group=group,
        **_frames(frames, light, seen, camera),
    )
    return record


def sequence_name(survey: str, number: int, seed: int) -> str:
    """Returns a name from which neither number nor class follow."""
    digest = hashlib.sha256(f"{survey}:{seed}:{number}".encode()).hexdigest()
    return f"SIM{digest[:12]}"


def select(
    rng, candidates, log, *, found_by: str, pixel_scale: float, detections: int
) -> light_curve.Candidates:
    """Draws one candidate according to the selection of the survey.

    Supernovae, whose redshifts are uniform, are weighted by volume. If found_by is
    "change" (or "rise"), a candidate needs frames whose flux differs from the median
    (or exceeds the first flux) significantly.

    Args:
        candidates: from draw_candidates.
        found_by: "change", "rise", or "" for no selection.
        detections: number of frames that is needed.
    """
    weight = np.ones(len(candidates.kind))
    if candidates.kind[0] in ("Ia", "Ibc", "II", "IIP"):
        z = candidates.redshift
        weight *= (light_curve.luminosity_distance(z) / (1 + z)) ** 2 / (1 + z)
    if found_by:
        error = observing.point_noise(log, pixel_scale=pixel_scale)
        photon = microjansky_per_adu(log.zero_point) / log.gain
        flux = candidates.flux
        error = np.sqrt(error**2 + photon * flux)
        change = np.abs(flux - np.median(flux, axis=1, keepdims=True)) / error
        if found_by == "rise":
            change = (flux - flux[:, :1]) / error
        wanted = min(detections, flux.shape[1])
        missing = np.maximum(wanted - (change > DETECTION).sum(axis=1), 0)
        # If no candidate has enough detections, those with the most are used.
        weight = np.where(missing == missing.min(), weight, 0)
    pick = rng.choice(len(weight), p=weight / weight.sum())
    return light_curve.Candidates(*(column[pick] for column in candidates))


def _scene(rng, truth: str, chosen, log, camera: Camera) -> scene.Gaussians:
    """Returns the object at the centre of its stamp, with host and neighbours."""
    survey, nature = camera.survey, CLASSES[truth]
    wavelength = np.array(survey.wavelength)[log.band]
    middle = np.zeros(2)
    point = scene.point(middle, chosen.flux)
    if nature.trail:
        angle = rng.uniform(0, np.pi)
        along = rng.uniform(0, nature.trail) * camera.seconds / 60
        cos, sin = np.cos(angle), np.sin(angle)
        # A line of length a has the variance a^2 / 12 in its direction.
        shape = along**2 / 12 * np.array([[cos**2, cos * sin, sin**2]])
        point = point._replace(covariance=shape)
    parts = [point]
    if nature.has_host:
        host = hosts.draw_host(
            rng, nature.has_host, float(chosen.redshift), wavelength, middle
        )
        parts += _centred(host) if truth == "Galaxy" else host
    edge = survey.image_size * survey.pixel_scale / 2
    for _ in range(rng.poisson(camera.neighbours)):
        parts.append(hosts.draw_neighbour(rng, wavelength, edge))
    return scene.together(parts)


def _centred(parts: list[scene.Gaussians]) -> list[scene.Gaussians]:
    return [p._replace(position=np.zeros_like(p.position)) for p in parts]


def _frames(rng, light, log, camera: Camera) -> dict[str, np.ndarray]:
    """Returns the columns of the record."""
    survey, size = camera.survey, camera.survey.image_size
    # Stamps are cut at whole pixels, so the position of the object varies.
    offset = rng.uniform(-0.5, 0.5, (len(log.mjd), 2))
    offset += camera.centring * rng.normal(size=offset.shape)
    key = int(rng.integers(2**62))
    image = scene.render(
        light,
        psf_fwhm=log.psf_fwhm,
        centre=(size - 1) / 2 + offset,
        pixel_scale=survey.pixel_scale,
        size=size,
    )
    flux, noise = observing.expose(image, log, key), observing.pixel_noise(log)
    scale = microjansky_per_adu(log.zero_point)
    adu = flux / scale[:, None, None] + log.sky[:, None, None]
    bad = adu > camera.saturation
    adu += _cosmic_rays(rng, len(log.mjd), size, camera.cosmic_rays)
    if camera.keeps_sky:
        flux, noise = adu, noise / scale
    else:
        flux = (adu - log.sky[:, None, None]) * scale[:, None, None]
    columns = ("mjd", "band", "psf_fwhm", "gain", "zero_point")
    return {name: getattr(log, name) for name in columns} | {
        "flux": flux.astype(np.float32),
        "noise": noise,
        "bad_pixel": bad,
    }


def _cosmic_rays(rng, num_frames: int, size: int, rate: float) -> np.ndarray:
    """Returns [t y x], ADU, of short bright tracks that are not flagged."""
    added = np.zeros((num_frames, size, size))
    for t in np.flatnonzero(rng.random(num_frames) < rate):
        y, x = rng.integers(0, size, 2)
        turn, step = rng.uniform(0, np.pi), np.arange(rng.integers(1, TRACK_LENGTH))
        rows = (y + np.round(step * np.sin(turn)).astype(int)) % size
        columns = (x + np.round(step * np.cos(turn)).astype(int)) % size
        added[t, rows, columns] = rng.exponential(600.0)
    return added
