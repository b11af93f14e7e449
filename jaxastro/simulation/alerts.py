"""The alerts of a simulated object, as ZTF would send them: packets with a history.

    packets = simulate_packets("SNIa", number=0, seed=0)

Times, seeing, sky and transparency are drawn for a field before any object is; where on
the sky an object lies tells nothing of its class. Widths, noise and zero points are as
those of 180 real packets (data_builders/ztf/ztf_alerts_sim.md).
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
# Kind of object -> the survey's class, and magnitudes in r or redshifts it is drawn at.
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
    **dict.fromkeys(ARTEFACTS, ("Bogus", (12.5, 16.5))),  # of the star they lie on
}
NUM_FIELDS = 200
CANDIDATES = 48  # possible objects, of which the survey's selection takes one
DETECTION = 5.0  # signal to noise, of the difference
HISTORY_DAYS = 30.0  # before an alert, of the frames that its packet tells
SEASON = 240  # days
NIGHTS_APART = 3  # of the public survey, both bands a night
CLEAR = 0.65  # fraction of nights
EXPOSURE = 30.0  # seconds
GAIN, READ_NOISE = 6.2, 10.0  # electrons per ADU, electrons
ZERO_POINT, SKY, SEEING = 26.25, 1000.0, 2.3  # AB mag of 1 ADU, ADU, arcsec: medians
TEMPLATE_SEEING, TEMPLATE_NOISE = 2.0, 2.0  # arcsec, ADU
PEDESTAL = 150.0  # ADU that published stamps keep of the sky
BESIDE = 1.4  # arcsec from a star that is not where the reference has it
NEIGHBOURS = 5.0  # unrelated sources per stamp, on average
NEAR = 30.0  # arcsec within which neighbours are told
KNOWN_ASTEROIDS = 0.85  # of the asteroids seen have an orbit


class Neighbour(NamedTuple):
    """A steady source of the reference image, as a catalogue tells it."""

    distance: float  # arcsec from the alert
    magnitude: float  # AB, in the band of the frame
    star: float  # score, 0 galaxy to 1 star


def simulate_packets(
    kind: str, *, number: int, seed: int, most: int = 20, attempt: int = 0
) -> list:
    """Returns the packets of object `number`: one for each of its first detections.

    What is drawn for the object, for what lies beside it and for the camera comes from
    three streams of random numbers that depend on (seed, number) alone.

    Args:
        kind: a key of KINDS.
        most: alerts at most; later detections are left out.
        attempt: another object of the same number, where the first was not detected.
    Returns: packets of schema 4.02, none if nothing of it was detected.
    """
    if kind not in KINDS:
        raise InputError(
            f"No alerts of {kind!r}. There are those of {', '.join(KINDS)}."
        )
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
                **_told_beside(steady, t, log, physics, kind, measured),
            }
        )
        found.append((t, candidate, stamps))
        seen[t] = candidate
    return [
        _packet(name, t, candidate, stamps, seen, log, ra, dec)
        for t, candidate, stamps in found
    ]


def object_name(number: int, seed: int) -> str:
    """Returns a name like ZTF's, which tells neither the number nor the class."""
    digest = hashlib.sha256(f"{SURVEY.name}:{seed}:{number}".encode()).digest()
    letters = "".join(chr(ord("a") + byte % 26) for byte in digest[:7])
    return f"ZTF{18 + digest[7] % 7}{letters}"


def field_of(number: int, seed: int) -> int:
    """Returns the field that an object lies in, drawn apart from its class."""
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
    """Returns what photometry makes of a difference at the stamp's middle.

    The flux is that of the PSF fitted there, the noise that of the stamp's pixels, by
    their quartiles; fwhm is of the light above the noise in the inner 11 pixels.

    Args:
        difference: [y x] ADU.
        log: of this frame alone.
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
    """Returns the flux of the object, its reference's, [t], and all that is steady."""
    wavelength = np.array(SURVEY.wavelength)[log.band]
    truth = "NonVariable" if kind in ARTEFACTS else kind
    nature, limits = CLASSES[truth], KINDS[kind][1]
    drawn = draw_candidates(
        *(truth, rng, log.mjd, wavelength), count=CANDIDATES, limits=limits
    )
    chosen = select(
        *(rng, drawn, log),
        found_by=nature.found_by,
        pixel_scale=SCALE,
        detections=1 if kind == "Asteroid" else 3,
    )
    middle = np.zeros(2)
    if kind in ARTEFACTS:  # seen beside the star, where too much or too little is left
        middle = BESIDE * np.array([np.cos(turn := sky.uniform(0, 6.3)), np.sin(turn)])
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
    """Returns the frames in which the change is near the limit of detection, or above.

    Of an artefact one or two at random: it comes from the camera, not from the sky.
    """
    if kind in ARTEFACTS:
        return np.sort(rng.choice(len(log.mjd), rng.integers(1, 3), replace=False))
    photon = microjansky_per_adu(log.zero_point) / log.gain
    noise = observing.point_noise(log, pixel_scale=SCALE)
    noise = np.sqrt(noise**2 + photon * np.maximum(flux, 0))
    return np.flatnonzero(abs(change) > 0.8 * DETECTION * noise)


def _images(change, still, log) -> tuple[np.ndarray, ...]:
    """Returns without noise, ADU: science, the same unchanged, and the reference."""
    scale = microjansky_per_adu(log.zero_point)[0]

    def taken(light, seeing):
        how = {"pixel_scale": SCALE, "size": SIZE}
        centre = np.full((1, 2), float(SIZE // 2))
        return scene.render(light, psf_fwhm=seeing, centre=centre, **how)[0] / scale

    unchanged = taken(still, log.psf_fwhm)
    reference = taken(still, np.array([TEMPLATE_SEEING]))
    return unchanged + taken(change, log.psf_fwhm), unchanged, reference


def _trail(rng) -> np.ndarray:
    """A line of 0 to 0.6 arcsec a minute: of length a the variance is a^2 / 12."""
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


def _told_beside(steady, t: int, log, rng, kind: str, measured: dict) -> dict:
    """Returns what catalogues say of the place: stars, galaxies, known asteroids."""
    near = sorted(_neighbours(steady, t, log, rng))
    told = {"ssdistnr": NO_NUMBER, "ssmagnr": NO_NUMBER, "nmtchps": len(near)}
    for rank in (1, 2, 3):
        has = len(near) >= rank
        told[f"distpsnr{rank}"] = near[rank - 1].distance if has else NO_NUMBER
        told[f"sgscore{rank}"] = near[rank - 1].star if has else NO_NUMBER
    if near:
        told |= {"distnr": near[0].distance / SCALE, "magnr": near[0].magnitude}
    if kind == "Asteroid" and rng.random() < KNOWN_ASTEROIDS:
        told["ssdistnr"] = float(rng.rayleigh(2.0))
        told["ssmagnr"] = float(measured["magpsf"] + 0.2 * rng.normal())
    return told


def _neighbours(steady, t: int, log, rng) -> list[Neighbour]:
    """Returns the sources brighter than magnitude 21.5 within NEAR of the middle."""
    found = []
    for row in np.unique(steady.position, axis=0, return_index=True)[1]:
        same = (steady.position == steady.position[row]).all(1)
        flux = steady.flux[same, t].sum()
        magnitude = magnitude_of(max(flux, 1e-9))
        distance = np.hypot(*(steady.position[row] + 0.1 * rng.normal(size=2)))
        if magnitude < 21.5 and distance < NEAR:
            points = same & ~steady.covariance.any(1)
            share = steady.flux[points, t].sum() / flux  # of the light in a point
            score = rng.beta(1 + 7 * share, 1 + 5 * (1 - share))
            found.append(Neighbour(float(distance), float(magnitude), float(score)))
    return found


def _packet(name, t, candidate, stamps, seen, log, ra, dec) -> dict:
    """Returns a packet, with what was and was not seen in the days before."""
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
