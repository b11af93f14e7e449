"""Simulated alerts of an object in the format of ZTF: packets with a history.

    packets = simulate_packets("SNIa", number=0, seed=0)

Times, seeing, sky and transparency depend on the field only, and the position of an
object does not depend on its class. PSF widths, noise and zero points follow 180 real
packets (data_builders/ztf/ztf_alerts_sim.md).
"""

import functools
import hashlib
from typing import NamedTuple

import numpy as np

from jaxastro.alerts.ztf_write import NO_NUMBER, make_packet
from jaxastro.errors import InputError
from jaxastro.simulation import hosts, observing, scene
from jaxastro.simulation.artefacts import ARTEFACTS, Subtraction, subtract
from jaxastro.simulation.classes import CLASSES, draw_candidates
from jaxastro.simulation.sequence import select
from jaxastro.surveys import SURVEYS
from jaxastro.units import MJD_ZERO, magnitude_of, microjansky_per_adu

SURVEY = SURVEYS["ztf_alerts_sim"]
SCALE, SIZE = SURVEY.pixel_scale, SURVEY.image_size
# Kind of object -> class of the survey, and range of magnitudes in r or of redshifts.
KINDS = {
    "SNIa": ("SN", (0.01, 0.12)),
    "SNIbc": ("SN", (0.01, 0.06)),
    "SNII": ("SN", (0.01, 0.06)),
    "AGN": ("AGN", (16.0, 20.0)),
    "RRLyrae": ("VS", (14.5, 19.5)),
    "EB": ("VS", (14.0, 18.5)),
    "Cepheid": ("VS", (14.0, 18.5)),
    "LongPeriod": ("VS", (14.0, 18.5)),
    "Asteroid": ("Asteroid", (16.5, 20.3)),
    **dict.fromkeys(ARTEFACTS, ("Bogus", (12.5, 16.5))),  # magnitudes of their star
}
NUM_FIELDS = 200
CANDIDATES = 48  # possible objects, from which the selection of the survey takes one
DETECTION = 5.0  # signal to noise in the difference image
HISTORY_DAYS = 30.0  # length of the history in a packet
SEASON = 240  # days
NIGHTS_APART = 3  # cadence of the public survey, with both bands in a night
CLEAR = 0.65  # fraction of nights
EXPOSURE = 30.0  # seconds
GAIN, READ_NOISE = 6.2, 10.0  # electrons per ADU, electrons
ZERO_POINT, SKY, SEEING = 26.25, 1000.0, 2.3  # medians: AB mag of 1 ADU, ADU, arcsec
TEMPLATE_SEEING, TEMPLATE_NOISE = 2.0, 2.0  # arcsec, ADU
PEDESTAL = 150.0  # ADU of sky that remains in published stamps
ARTEFACT_OFFSET = 1.4  # arcsec between an artefact and its star
MATCH_RADIUS = 30.0  # arcsec, of the catalogue sources in a packet
KNOWN_ASTEROIDS = 0.85  # fraction of the detected asteroids with a known orbit


class Neighbour(NamedTuple):
    """A catalogue source near the alert."""

    distance: float  # arcsec from the alert
    magnitude: float  # AB, in the band of the frame
    star: float  # star score, from 0, galaxy, to 1, star


def simulate_packets(
    kind: str, *, number: int, seed: int, most: int = 20, attempt: int = 0
) -> list:
    """Returns the packets of object `number`, one for each of its first detections.

    Position, object, surroundings and camera have separate streams of random numbers,
    which depend on (seed, number, attempt) only.

    Args:
        kind: a key of KINDS.
        most: largest number of alerts; later detections are omitted.
        attempt: gives another object of the same number, if this one has no detection.
    Returns: packets of schema 4.02; none without a detection.
    """
    if kind not in KINDS:
        raise InputError(f"No alerts of kind {kind!r}. Known: {', '.join(KINDS)}.")
    place, physics, sky, camera = (
        np.random.default_rng([seed, 9, number, stream, attempt]) for stream in range(4)
    )
    log = observing_log(field_of(number, seed), seed)
    ra, dec = place.uniform(0, 360), np.degrees(np.arcsin(place.uniform(-0.5, 1)))
    flux, rest, steady = _light(kind, physics, sky, log)
    frames = _detectable(kind, physics, flux - rest, flux, log)[:most]
    name = object_name(number, seed)
    first = int(hashlib.sha256(name.encode()).hexdigest()[:12], 16)
    found, seen = [], np.full(len(log.mjd), "", object)
    for t in frames:
        at = observing.ObservingLog(*(column[t : t + 1] for column in log))
        change = scene.point(np.zeros(2), (flux - rest)[t : t + 1])
        still = steady._replace(flux=steady.flux[:, t : t + 1])
        if kind == "Asteroid":
            change = change._replace(covariance=_trail(physics))
        stamps = subtract(
            kind,
            _images(change, still, at),
            camera,
            Subtraction(at, GAIN, TEMPLATE_NOISE, PEDESTAL),
        )
        measured = measure(stamps[2], at)
        if abs(measured["scorr"]) < DETECTION:
            continue
        sign = "t" if measured["scorr"] > 0 else "f"
        candidate = (
            measured
            | _of_frame(at, first + len(found), ra, dec)
            | {
                "isdiffpos": sign,
                **_catalogue_matches(steady, t, log, physics, kind, measured),
            }
        )
        found.append((t, candidate, stamps))
        seen[t] = candidate
    return [
        _packet(name, t, candidate, stamps, seen, log, ra, dec)
        for t, candidate, stamps in found
    ]


def object_name(number: int, seed: int) -> str:
    """Returns a name in ZTF's format, from which neither number nor class follow."""
    digest = hashlib.sha256(f"{SURVEY.name}:{seed}:{number}".encode()).digest()
    letters = "".join(chr(ord("a") + byte % 26) for byte in digest[:7])
    return f"ZTF{18 + digest[7] % 7}{letters}"


def field_of(number: int, seed: int) -> int:
    """Returns the field of an object, which does not depend on its class."""
    return int(np.random.default_rng([seed, 10, number]).integers(NUM_FIELDS))


@functools.lru_cache(maxsize=NUM_FIELDS)
def observing_log(field: int, seed: int) -> observing.ObservingLog:
    """Returns the frames of a field in one season, g and r in each clear night."""
    rng = np.random.default_rng([seed, 11, field])
    nights = np.arange(0, SEASON, NIGHTS_APART) + rng.integers(0, NIGHTS_APART)
    nights = nights[rng.random(len(nights)) < CLEAR]
    visit = np.repeat(np.arange(len(nights)), 2)
    band = np.tile([0, 1], len(nights))
    start = 58300.0 + rng.integers(0, 1400)
    hours = rng.uniform(0.15, 0.45, len(nights))
    mjd = start + nights[visit] + hours[visit] + np.where(band, 0.04, 0.0)
    kept = rng.random(len(mjd)) < 0.93
    seeing = SEEING * np.exp(0.18 * rng.normal(size=len(nights)))[visit]
    bright = np.exp(0.35 * rng.normal(size=len(nights)))[visit]
    clouds = np.where(
        rng.random(len(nights)) < 0.1, rng.exponential(0.3, len(nights)), 0
    )
    log = observing.ObservingLog(
        mjd=mjd,
        band=band.astype(np.int32),
        visit=visit,
        priority=visit,
        psf_fwhm=np.clip(seeing, 1.6, 5.0),
        sky=SKY * bright,
        gain=np.full(len(mjd), GAIN),
        zero_point=ZERO_POINT + 0.05 * rng.normal(size=len(mjd)) - clouds[visit],
        read_noise=np.full(len(mjd), READ_NOISE),
    )
    return observing.ObservingLog(*(column[kept] for column in log))


def measure(difference: np.ndarray, log: observing.ObservingLog) -> dict[str, float]:
    """Returns the photometry of a difference image at the stamp's centre.

    The flux is that of a PSF fit. The noise comes from the quartiles of the stamp's
    pixels. fwhm is that of the light above the noise in the inner 11 pixels.

    Args:
        difference: [y x], ADU.
        log: of this frame only.
    Returns:  values by the names of ZTF's packets.
    """
    psf = scene.render(
        scene.point(np.zeros(2), np.ones(1)),
        psf_fwhm=log.psf_fwhm,
        centre=np.full((1, 2), SIZE // 2),
        pixel_scale=SCALE,
        size=SIZE,
    )[0].astype(np.float64)
    low, high = np.percentile(difference, [25, 75])
    noise = max((high - low) / 1.349, 1e-3)
    norm = (psf**2).sum()
    flux = (psf * difference).sum() / norm
    error = noise / np.sqrt(norm)
    inner = slice(SIZE // 2 - 5, SIZE // 2 + 6)
    residual = (difference - flux * psf)[inner, inner] / noise
    light = np.maximum(np.sign(flux) * difference[inner, inner] - noise, 0)
    y, x = np.mgrid[-5:6, -5:6]
    width = np.sqrt((light * (x**2 + y**2)).sum() / max(light.sum(), 1e-9) / 2)
    faint = max(abs(flux), 1e-3)
    return {
        "magpsf": float(magnitude_of(faint, log.zero_point[0])),
        "sigmapsf": float(1.0857 * error / faint),
        "scorr": float(flux / error),
        "chipsf": float((residual**2).mean()),
        "fwhm": float(np.clip(2.355 * width, 0.5, 12)),
        "sky": float(np.median(difference)),
    }


def _light(kind: str, rng, sky, log):
    """Returns the object's flux and quiescent flux [t], and all constant light."""
    wavelength = np.array(SURVEY.wavelength)[log.band]
    truth = "NonVariable" if kind in ARTEFACTS else kind
    nature, limits = CLASSES[truth], KINDS[kind][1]
    candidates = draw_candidates(
        truth, rng, log.mjd, wavelength, count=CANDIDATES, limits=limits
    )
    chosen = select(
        rng,
        candidates,
        log,
        found_by=nature.found_by,
        pixel_scale=SCALE,
        detections=1 if kind == "Asteroid" else 3,
    )
    middle = np.zeros(2)
    if kind in ARTEFACTS:  # detected next to the star, in the residuals
        turn = sky.uniform(0, 6.3)
        middle = ARTEFACT_OFFSET * np.array([np.cos(turn), np.sin(turn)])
    parts = [scene.point(middle, chosen.rest)]
    if nature.has_host:
        redshift = float(chosen.redshift)
        parts += hosts.draw_host(sky, nature.has_host, redshift, wavelength, middle)
    edge = SIZE * SCALE / 2
    parts += [
        hosts.draw_neighbour(sky, wavelength, edge) for _ in range(sky.poisson(5))
    ]
    if kind in ARTEFACTS and not ARTEFACTS[kind].at_star:
        parts = parts[1:] or [scene.point(middle, np.zeros(len(log.mjd)))]
    flux = chosen.rest if kind in ARTEFACTS else chosen.flux
    return flux, chosen.rest, scene.together(parts)


def _detectable(kind: str, rng, change, flux, log) -> np.ndarray:
    """Returns the frames in which the change is above 0.8 of the detection limit.

    An artefact is due to the camera and has one or two random frames.
    """
    if kind in ARTEFACTS:
        return np.sort(rng.choice(len(log.mjd), rng.integers(1, 3), replace=False))
    photon = microjansky_per_adu(log.zero_point) / log.gain
    noise = observing.point_noise(log, pixel_scale=SCALE)
    noise = np.sqrt(noise**2 + photon * np.maximum(flux, 0))
    return np.flatnonzero(abs(change) > 0.8 * DETECTION * noise)


def _images(change, still, log) -> tuple[np.ndarray, ...]:
    """Returns noiseless images, ADU: science, science without change, reference."""
    scale = microjansky_per_adu(log.zero_point)[0]

    def render(light, seeing):
        image = scene.render(
            light,
            psf_fwhm=seeing,
            centre=np.full((1, 2), float(SIZE // 2)),
            pixel_scale=SCALE,
            size=SIZE,
        )
        return image[0] / scale

    unchanged = render(still, log.psf_fwhm)
    reference = render(still, np.array([TEMPLATE_SEEING]))
    return unchanged + render(change, log.psf_fwhm), unchanged, reference


def _trail(rng) -> np.ndarray:
    """Returns the covariance of a trail; a line of length a has variance a^2 / 12."""
    length = rng.uniform(0, CLASSES["Asteroid"].trail) * EXPOSURE / 60
    angle = rng.uniform(0, np.pi)
    cos, sin = np.cos(angle), np.sin(angle)
    return length**2 / 12 * np.array([[cos**2, cos * sin, sin**2]])


def _of_frame(log, candid: int, ra: float, dec: float) -> dict:
    limit = 5 * observing.point_noise(log, pixel_scale=SCALE)[0]
    return {
        "jd": float(log.mjd[0]) + MJD_ZERO,
        "fid": int(log.band[0]) + 1,
        "candid": candid,
        "programid": 1,
        "ra": float(ra),
        "dec": float(dec),
        "ranr": float(ra),
        "decnr": float(dec),
        "diffmaglim": float(magnitude_of(limit)),
        "magzpsci": float(log.zero_point[0]),
        "exptime": EXPOSURE,
    }


def _catalogue_matches(steady, t: int, log, rng, kind: str, measured: dict) -> dict:
    """Returns the columns of catalogue sources and known asteroids near the alert."""
    near = sorted(_neighbours(steady, t, log, rng))
    columns = {"ssdistnr": NO_NUMBER, "ssmagnr": NO_NUMBER, "nmtchps": len(near)}
    missing = Neighbour(NO_NUMBER, NO_NUMBER, NO_NUMBER)
    for rank, one in enumerate([*near, missing, missing, missing][:3], start=1):
        columns[f"distpsnr{rank}"] = one.distance
        columns[f"sgscore{rank}"] = one.star
    if near:
        columns |= {"distnr": near[0].distance / SCALE, "magnr": near[0].magnitude}
    if kind == "Asteroid" and rng.random() < KNOWN_ASTEROIDS:
        columns["ssdistnr"] = float(rng.rayleigh(2.0))
        columns["ssmagnr"] = float(measured["magpsf"] + 0.2 * rng.normal())
    return columns


def _neighbours(steady, t: int, log, rng) -> list[Neighbour]:
    """Returns the sources brighter than magnitude 21.5 within MATCH_RADIUS."""
    neighbours = []
    for row in np.unique(steady.position, axis=0, return_index=True)[1]:
        same = (steady.position == steady.position[row]).all(1)
        flux = steady.flux[same, t].sum()
        magnitude = magnitude_of(max(flux, 1e-9))
        distance = np.hypot(*(steady.position[row] + 0.1 * rng.normal(size=2)))
        if magnitude < 21.5 and distance < MATCH_RADIUS:
            points = same & ~steady.covariance.any(1)
            share = steady.flux[points, t].sum() / flux  # of the light in point sources
            score = rng.beta(1 + 7 * share, 1 + 5 * (1 - share))
            neighbours.append(
                Neighbour(float(distance), float(magnitude), float(score))
            )
    return neighbours


def _packet(name, t, candidate, stamps, seen, log, ra, dec) -> dict:
    """Returns a packet with the detections and limits of the days before."""
    detected = [s for s in range(t + 1) if seen[s] != ""]
    candidate = candidate | {
        "ndethist": len(detected),
        "ncovhist": int(t) + 1,
        "jdstarthist": seen[detected[0]]["jd"],
        "jdendhist": candidate["jd"],
    }
    rows = []
    for s in np.flatnonzero(log.mjd[t] - log.mjd[:t] <= HISTORY_DAYS):
        frame = observing.ObservingLog(*(column[s : s + 1] for column in log))
        row = _of_frame(frame, 0, ra, dec)
        keep = {"jd", "fid", "programid", "diffmaglim", "magzpsci"}
        row = {key: row[key] for key in keep}
        if seen[s] != "":
            wanted = ("candid", "isdiffpos", "magpsf", "sigmapsf", "ra", "dec", "scorr")
            row |= {key: seen[s][key] for key in wanted}
        rows.append(row)
    science, template, difference = stamps
    sign = 1 if candidate["isdiffpos"] == "t" else -1
    stored = science, template, sign * difference
    return make_packet(name, candidate, history=rows, stamps=stored)
