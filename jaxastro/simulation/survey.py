"""One simulated object of the supernova survey, from its number and a seed."""

import functools
import hashlib
from typing import NamedTuple

import numpy as np

from jaxastro.data.series import SeriesRecord, make_series_record
from jaxastro.errors import InputError
from jaxastro.simulation import cadence, hosts, light_curve, observing, scene
from jaxastro.surveys import SURVEYS, UNLABELLED
from jaxastro.units import microjansky_per_adu

SURVEY = SURVEYS["sdss_sn_sim"]
CANDIDATES = 64  # possible objects, of which the survey's selection takes one
DETECTION = 5.0  # signal to noise of a change, in one frame in g, r or i
KNOWN_DETECTIONS = 5  # visits with a detection that a classified object needs, at least
SPECTROSCOPY_LIMIT = 21.3  # r magnitude at which half the supernovae get a spectrum
SPECTROSCOPY_WIDTH = 0.4  # magnitudes over which that fraction falls
MISTAKE_BRIGHT = 0.03  # of photometric supernova types are wrong, for bright ones
MISTAKE_FAINT = 0.20  # ... and for faint ones
MISTAKE_TURN = 21.8  # r magnitude half-way between
CENTRING = 0.08  # arcsec, scatter of a candidate's position
FRAME_LOSS = 0.03  # of an object's frames, at random: edges, satellites
NEIGHBOURS = 0.35  # unrelated objects per stamp, on average


class Category(NamedTuple):
    """One row of the survey's table: what it says of an object, and what that is."""

    count: int  # of 10,217
    truth: tuple[str, ...]  # classes it is drawn from
    share: tuple[float, ...]  # with these probabilities
    label: str
    label_source: str


# The counts of Sako et al. (2018) as Bairouk et al. (2023, A&A 673, A141, table 1)
# group them. PT: the type is photometric.
CATEGORIES = {
    "AGN": Category(906, ("AGN",), (1.0,), "AGN", "spectroscopic"),
    "SNIa": Category(499, ("SNIa",), (1.0,), "SNIa", "spectroscopic"),
    "SNOther": Category(89, ("SNOther",), (1.0,), "SNOther", "spectroscopic"),
    "Unknown": Category(
        2009,
        ("AGN", "SNIa", "SNOther", "Variable"),
        (0.15, 0.30, 0.35, 0.20),
        UNLABELLED,
        "none",
    ),
    "Variable": Category(3225, ("Variable",), (1.0,), "Variable", "catalogue"),
    "SNOther_PT": Category(2041, ("SNOther",), (1.0,), "SNOther", "photometric"),
    "SNIa_PT": Category(1448, ("SNIa",), (1.0,), "SNIa", "photometric"),
}
TOTAL = sum(category.count for category in CATEGORIES.values())
MISTAKEN_FOR = {"SNIa": "SNOther", "SNOther": "SNIa"}


class Preset(NamedTuple):
    """How much of the survey to make. The objects are the same in all of them."""

    objects: int
    visits: float  # fraction of each field's visits that is kept
    max_visits: int  # and at most so many


PRESETS = {
    "tiny": Preset(objects=60, visits=0.5, max_visits=3),
    "laptop": Preset(objects=2400, visits=0.5, max_visits=100),
    "paper": Preset(objects=TOTAL, visits=1.0, max_visits=100),
    "all_objects": Preset(objects=TOTAL, visits=0.5, max_visits=100),
}


def preset_of(name: str) -> Preset:
    """Returns a preset by name, or says which there are."""
    if name not in PRESETS:
        raise InputError(
            f"No preset named {name!r} for {SURVEY.name}. Known presets: "
            f"{', '.join(PRESETS)}. Choose one of them."
        )
    return PRESETS[name]


@functools.lru_cache(maxsize=cadence.NUM_FIELDS)
def observing_log(field: int, seed: int) -> observing.ObservingLog:
    """Returns all frames of a field: what every object in it is seen in."""
    visits = cadence.draw_visits(field, seed)
    return observing.draw_log(
        visits, field=field, seed=seed, pixel_scale=SURVEY.pixel_scale
    )


def category_of(number: int, seed: int) -> str:
    """Returns the row of the table that object `number` belongs to.

    Numbers step through the table by the golden ratio, so that any run of them,
    however short, holds the rows in nearly the right proportions.
    """
    start = np.random.default_rng([seed, 4]).random()
    place = (start + number * 0.6180339887498949) % 1.0 * TOTAL
    bounds = np.cumsum([category.count for category in CATEGORIES.values()])
    return list(CATEGORIES)[int(np.searchsorted(bounds, place, side="right"))]


def simulate_object(
    number: int, *, seed: int, preset: Preset, category: str = ""
) -> SeriesRecord:
    """Returns object `number` of the survey that `seed` names.

    The same number and seed give the same object, pixel for pixel, whatever else is
    made, and in every preset: a smaller preset only keeps fewer visits. The position,
    and with it the field and its frames, come from other random streams than the
    class, so when and how an object was observed says nothing about what it is.

    Labels. The row of CATEGORIES is drawn first. Spectroscopic and catalogue labels
    are true; a photometric one is wrong with mistake_probability, and the object is
    then one of the other supernova class, as bright. Spectra go to bright objects,
    photometric types to those left (SPECTROSCOPY_LIMIT). An object with a label was
    detected in KNOWN_DETECTIONS visits of the full survey or more, an Unknown one in
    fewer, but in one at least (or as near to that as CANDIDATES tries come).

    Args:
        number: from 0 on.
        preset: how many visits to keep; one of PRESETS, or your own.
        category: a row of CATEGORIES to make instead of the one that is drawn.
    """
    if category and category not in CATEGORIES:
        raise InputError(
            f"No category {category!r}. {SURVEY.name} has {', '.join(CATEGORIES)}. "
            "Choose one, or leave it out to have it drawn."
        )
    place, physics, sky, camera = (
        np.random.default_rng([seed, 5, number, stream]) for stream in range(4)
    )
    ra = place.uniform(*cadence.RIGHT_ASCENSION)
    dec = place.uniform(*cadence.DECLINATION)
    field = cadence.field_of(ra, dec)
    log = observing_log(field, seed)
    row = CATEGORIES[category or category_of(number, seed)]
    chosen, truth = _choose(physics, row, log)
    light = _scene(sky, truth, chosen, np.array(SURVEY.wavelength)[log.band])

    is_spectroscopic = row.label_source == "spectroscopic"
    record, _ = make_series_record(
        object_name(number, seed),
        SURVEY,
        label=row.label,
        label_source=row.label_source,
        truth=truth,
        ra=ra % 360,
        dec=dec,
        redshift=chosen.redshift if is_spectroscopic else np.nan,
        group=f"field{field:03d}",
        **_frames(camera, light, log, preset),
    )
    return record


def _frames(
    rng: np.random.Generator,
    light: scene.Gaussians,
    log: observing.ObservingLog,
    preset: Preset,
) -> dict[str, np.ndarray]:
    """Takes the frames that are kept; returns the columns of the record."""
    num_visits = log.visit.max() + 1
    keep = min(round(preset.visits * num_visits), preset.max_visits)
    is_lost = rng.random(len(log.mjd)) < FRAME_LOSS
    kept = np.flatnonzero((log.priority < keep) & ~is_lost)
    # Stamps are cut at whole pixels: each frame catches the object elsewhere.
    offset = rng.uniform(-0.5, 0.5, (len(log.mjd), 2))[kept]
    key = int(rng.integers(2**62))
    log = observing.ObservingLog(*(column[kept] for column in log))
    image = scene.render(
        light._replace(flux=light.flux[:, kept]),
        psf_fwhm=log.psf_fwhm,
        centre=(SURVEY.image_size - 1) / 2 + offset,
        pixel_scale=SURVEY.pixel_scale,
        size=SURVEY.image_size,
    )
    columns = ("mjd", "band", "psf_fwhm", "gain", "zero_point")
    return {name: getattr(log, name) for name in columns} | {
        "flux": observing.expose(image, log, key),
        "noise": observing.pixel_noise(log),
        "bad_pixel": observing.flag_pixels(log, key, SURVEY.image_size),
    }


def object_name(number: int, seed: int) -> str:
    """Returns a name that tells neither the number nor, with it, the class."""
    digest = hashlib.sha256(f"{SURVEY.name}:{seed}:{number}".encode()).hexdigest()
    return f"SIM{digest[:12]}"


def mistake_probability(magnitude: float) -> float:
    """Returns how often a photometric supernova type is wrong.

        p = BRIGHT + (FAINT - BRIGHT) / (1 + exp(-4 (magnitude - MISTAKE_TURN)))

    Args:
        magnitude: AB, in r, at maximum.
    """
    faint = 1 / (1 + np.exp(-4 * (magnitude - MISTAKE_TURN)))
    return MISTAKE_BRIGHT + (MISTAKE_FAINT - MISTAKE_BRIGHT) * faint


def count_detections(
    flux: np.ndarray, rest: np.ndarray, log: observing.ObservingLog
) -> np.ndarray:
    """Returns [k] the visits in which a change is detected, in g, r or i.

    Args:
        flux: [k t] of the point, microjansky.
        rest: [k t] what it is compared with, microjansky.
    """
    photon = microjansky_per_adu(log.zero_point) / log.gain
    faint = observing.point_noise(log, pixel_scale=SURVEY.pixel_scale)
    # Two per cent: what calibration and subtraction leave of a bright star.
    noise = np.sqrt(faint**2 + flux * photon + (0.02 * flux) ** 2)
    seen = np.abs(flux - rest) > DETECTION * noise
    seen &= np.isin(log.band, [SURVEY.bands.index(band) for band in "gri"])
    visits = log.visit[:, None] == np.arange(log.visit.max() + 1)  # t visits
    return ((seen.astype(np.float32) @ visits.astype(np.float32)) > 0).sum(axis=1)


def _candidates(
    rng: np.random.Generator, truth: str, log: observing.ObservingLog
) -> light_curve.Candidates:
    wavelength = np.array(SURVEY.wavelength)[log.band]
    if truth == "AGN":
        return light_curve.active_nuclei(rng, log.mjd, wavelength, count=CANDIDATES)
    if truth == "Variable":
        return light_curve.variable_stars(rng, log.mjd, wavelength, count=CANDIDATES)
    is_ia = truth == "SNIa"
    start = np.array(cadence.SEASON_START)
    return light_curve.supernovae(
        rng,
        log.mjd,
        wavelength,
        draw=light_curve.draw_type_ia if is_ia else light_curve.draw_core_collapse,
        seasons=np.stack([start, start + cadence.SEASON_DAYS], axis=1),
        count=CANDIDATES,
        max_redshift=0.45 if is_ia else 0.35,
    )


def _choose(
    rng: np.random.Generator, row: Category, log: observing.ObservingLog
) -> tuple[light_curve.Candidates, str]:
    """Draws the object that fills a row of the table, and the class it really has."""
    truth = str(rng.choice(row.truth, p=row.share))
    chosen = _select(rng, row, _candidates(rng, truth, log), log)
    if row.label_source != "photometric":
        return chosen, truth
    if rng.random() >= mistake_probability(chosen.magnitude):
        return chosen, truth
    # The impostor is as bright as the one it is taken for.
    truth = MISTAKEN_FOR[truth]
    others = _candidates(rng, truth, log)
    likeness = np.exp(-0.5 * ((others.magnitude - chosen.magnitude) / 0.2) ** 2)
    return _select(rng, row, others, log, likeness), truth


def _select(
    rng: np.random.Generator,
    row: Category,
    candidates: light_curve.Candidates,
    log: observing.ObservingLog,
    weight=1.0,
) -> light_curve.Candidates:
    """Draws one candidate as the survey would have found it.

    By volume for supernovae (their redshifts are proposed uniformly), by the
    brightness that spectroscopy wants, and by the number of detections.
    """
    weight = weight * np.ones(CANDIDATES)
    if candidates.kind[0] in ("Ia", "Ibc", "II", "IIP"):
        z = candidates.redshift
        # Volume per redshift, near enough below z = 0.5; rates are dilated.
        weight *= (light_curve.luminosity_distance(z) / (1 + z)) ** 2 / (1 + z)
    if row.label_source in ("spectroscopic", "photometric"):
        excess = (candidates.magnitude - SPECTROSCOPY_LIMIT) / SPECTROSCOPY_WIDTH
        spectrum = 1 / (1 + np.exp(np.clip(excess, -60, 60)))
        is_bright = row.label_source == "spectroscopic"
        weight *= spectrum if is_bright else 1 - spectrum
    detections = count_detections(candidates.flux, candidates.rest, log)
    if row.label == UNLABELLED:
        amiss = np.where(
            detections < 1,
            1 - detections,
            np.maximum(detections - KNOWN_DETECTIONS + 1, 0),
        )
    else:
        amiss = np.maximum(KNOWN_DETECTIONS - detections, 0)
    # Where no candidate has the detections wanted, those that come closest.
    weight = np.where(amiss == amiss.min(), weight, 0)
    pick = rng.choice(CANDIDATES, p=weight / weight.sum())
    return light_curve.Candidates(*(column[pick] for column in candidates))


def _scene(
    rng: np.random.Generator,
    truth: str,
    chosen: light_curve.Candidates,
    wavelength: np.ndarray,
) -> scene.Gaussians:
    """Puts the object near the middle of its stamp, and round it what belongs there."""
    where = rng.normal(0, CENTRING, 2)
    parts = [scene.point(where, chosen.flux)]
    if truth != "Variable":
        redshift = float(chosen.redshift)
        parts += hosts.draw_host(rng, truth, redshift, wavelength, where)
    edge = SURVEY.image_size * SURVEY.pixel_scale / 2
    for _ in range(rng.poisson(NEIGHBOURS)):
        parts.append(hosts.draw_neighbour(rng, wavelength, edge))
    return scene.together(parts)
