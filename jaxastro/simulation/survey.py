"""Simulated objects of the SDSS-II supernova survey, from a number and a seed."""

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
CANDIDATES = 64  # possible objects, from which the selection of the survey takes one
DETECTION = 5.0  # signal to noise of a change, in one frame in g, r or i
KNOWN_DETECTIONS = 5  # visits with a detection that a classified object needs
SPECTROSCOPY_LIMIT = 21.3  # r magnitude at which half the supernovae get a spectrum
SPECTROSCOPY_WIDTH = 0.4  # magnitudes over which that fraction falls
MISTAKE_BRIGHT = 0.03  # fraction of wrong photometric types of bright supernovae
MISTAKE_FAINT = 0.20  # and of faint ones
MISTAKE_TURN = 21.8  # r magnitude at the mean of the two
CENTRING = 0.08  # arcsec, scatter of the measured position
FRAME_LOSS = 0.03  # fraction of an object's frames that are lost
SECOND_SURVEY = 1_000_000  # added to the seed, for objects that only train
NEIGHBOURS = 0.35  # unrelated objects per stamp, on average


class Category(NamedTuple):
    """One row of the survey's table: labels, and the true classes of its objects."""

    count: int  # of 10,217
    truth: tuple[str, ...]  # true classes
    share: tuple[float, ...]  # their probabilities
    label: str
    label_source: str


# Counts of Sako et al. (2018), grouped as by Bairouk et al. (2023, A&A 673, A141,
# table 1). PT: photometric type.
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
    """Size of the survey. Objects are the same in all presets."""

    objects: int
    visits: float  # fraction of each field's visits
    max_visits: int  # largest number of visits of a field
    simulations: int = 0  # further objects with true labels, only for training


PRESETS = {
    "tiny": Preset(objects=60, visits=0.5, max_visits=3),
    "laptop": Preset(objects=2400, visits=0.5, max_visits=100),
    "paper": Preset(objects=TOTAL, visits=1.0, max_visits=100),
    "all_objects": Preset(objects=TOTAL, visits=0.5, max_visits=100),
    "with_simulations": Preset(TOTAL, visits=0.5, max_visits=100, simulations=12_000),
}


def preset_of(name: str) -> Preset:
    """Returns the preset of a name.

    Raises:
        InputError: if there is none; the message lists the names.
    """
    if name not in PRESETS:
        raise InputError(
            f"No preset named {name!r} for {SURVEY.name}. Known presets: "
            f"{', '.join(PRESETS)}. Choose one of them."
        )
    return PRESETS[name]


@functools.lru_cache(maxsize=cadence.NUM_FIELDS)
def observing_log(field: int, seed: int) -> observing.ObservingLog:
    """Returns all frames of a field."""
    visits = cadence.draw_visits(field, seed)
    return observing.draw_log(
        visits, field=field, seed=seed, pixel_scale=SURVEY.pixel_scale
    )


def category_of(number: int, seed: int) -> str:
    """Returns the category of object `number`.

    Consecutive numbers step through the table by the golden ratio, so that any range of
    numbers has the categories in nearly the right proportions.
    """
    start = np.random.default_rng([seed, 4]).random()
    place = (start + number * 0.6180339887498949) % 1.0 * TOTAL
    bounds = np.cumsum([category.count for category in CATEGORIES.values()])
    return list(CATEGORIES)[int(np.searchsorted(bounds, place, side="right"))]


def simulate_object(
    number: int, *, seed: int, preset: Preset, category: str = ""
) -> SeriesRecord:
    """Returns object `number` of the survey with a given seed.

    The same number and seed give the same object, pixel for pixel, in every preset; a
    smaller preset only has fewer visits. Position, field and frames use other random
    streams than the class, so that they are not correlated with it.

    Labels: the category is drawn first. Spectroscopic and catalogue labels are correct.
    A photometric label is wrong with mistake_probability; the object then belongs to
    the other supernova class and has a similar magnitude. Bright objects have spectra,
    fainter ones photometric types (SPECTROSCOPY_LIMIT). A labelled object has at least
    KNOWN_DETECTIONS visits of the full survey with a detection, an Unknown object has
    fewer, but at least one (as far as CANDIDATES random objects allow).

    Args:
        number: from 0.
        preset: number of visits; one of PRESETS, or another.
        category: a key of CATEGORIES; default: random.
    """
    if category and category not in CATEGORIES:
        raise InputError(
            f"No category {category!r}. {SURVEY.name} has {', '.join(CATEGORIES)}. "
            "Choose one, or omit it for a random one."
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


def simulate_for_training(number: int, *, seed: int, preset: Preset) -> SeriesRecord:
    """Returns object `number` of a second survey of other nights, with its true class.

    A survey that can be simulated can be simulated again. Such objects must not be
    tested: `label_source` is "simulated", which config.folds.only_training names.
    """
    record = simulate_object(number, seed=seed + SECOND_SURVEY, preset=preset)
    return record._replace(
        label=record.truth,
        label_source="simulated",
        group=f"simulation of {record.group}",
    )


def _frames(
    rng: np.random.Generator,
    light: scene.Gaussians,
    log: observing.ObservingLog,
    preset: Preset,
) -> dict[str, np.ndarray]:
    """Returns the columns of the record, for the frames of the preset."""
    num_visits = log.visit.max() + 1
    keep = min(round(preset.visits * num_visits), preset.max_visits)
    is_lost = rng.random(len(log.mjd)) < FRAME_LOSS
    kept = np.flatnonzero((log.priority < keep) & ~is_lost)
    # Stamps are cut at whole pixels, so the position of the object varies.
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
    """Returns a name from which neither number nor class follow."""
    digest = hashlib.sha256(f"{SURVEY.name}:{seed}:{number}".encode()).hexdigest()
    return f"SIM{digest[:12]}"


def mistake_probability(magnitude: float) -> float:
    """Returns the probability that a photometric supernova type is wrong.

        p = BRIGHT + (FAINT - BRIGHT) / (1 + exp(-4 (magnitude - MISTAKE_TURN)))

    Args:
        magnitude: AB, in r, at maximum.
    """
    faint = 1 / (1 + np.exp(-4 * (magnitude - MISTAKE_TURN)))
    return MISTAKE_BRIGHT + (MISTAKE_FAINT - MISTAKE_BRIGHT) * faint


def count_detections(
    flux: np.ndarray, rest: np.ndarray, log: observing.ObservingLog
) -> np.ndarray:
    """Returns [k], the number of visits in which a change is detected in g, r or i.

    Args:
        flux: [k t], of the point source, microjansky.
        rest: [k t], quiescent flux, microjansky.
    """
    photon = microjansky_per_adu(log.zero_point) / log.gain
    faint = observing.point_noise(log, pixel_scale=SURVEY.pixel_scale)
    # 2 % residuals of bright stars, from calibration and subtraction.
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
    """Draws an object of a category; returns it with its true class."""
    truth = str(rng.choice(row.truth, p=row.share))
    chosen = _select(rng, row, _candidates(rng, truth, log), log)
    if row.label_source != "photometric":
        return chosen, truth
    if rng.random() >= mistake_probability(chosen.magnitude):
        return chosen, truth
    # The misclassified object has a similar magnitude.
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
    """Draws one candidate according to the selection of the survey.

    The weights are the volume for supernovae (whose redshifts are uniform), the
    probability of a spectrum, and the number of detections.
    """
    weight = weight * np.ones(CANDIDATES)
    if candidates.kind[0] in ("Ia", "Ibc", "II", "IIP"):
        z = candidates.redshift
        # Volume per redshift, approximate below z = 0.5, and time dilation of rates.
        weight *= (light_curve.luminosity_distance(z) / (1 + z)) ** 2 / (1 + z)
    if row.label_source in ("spectroscopic", "photometric"):
        excess = (candidates.magnitude - SPECTROSCOPY_LIMIT) / SPECTROSCOPY_WIDTH
        spectrum = 1 / (1 + np.exp(np.clip(excess, -60, 60)))
        is_bright = row.label_source == "spectroscopic"
        weight *= spectrum if is_bright else 1 - spectrum
    detections = count_detections(candidates.flux, candidates.rest, log)
    if row.label == UNLABELLED:
        deviation = np.where(
            detections < 1,
            1 - detections,
            np.maximum(detections - KNOWN_DETECTIONS + 1, 0),
        )
    else:
        deviation = np.maximum(KNOWN_DETECTIONS - detections, 0)
    # If no candidate has the required number of detections, the closest are used.
    weight = np.where(deviation == deviation.min(), weight, 0)
    pick = rng.choice(CANDIDATES, p=weight / weight.sum())
    return light_curve.Candidates(*(column[pick] for column in candidates))


def _scene(
    rng: np.random.Generator,
    truth: str,
    chosen: light_curve.Candidates,
    wavelength: np.ndarray,
) -> scene.Gaussians:
    """Returns the object near the centre of its stamp, with host and neighbours."""
    where = rng.normal(0, CENTRING, 2)
    parts = [scene.point(where, chosen.flux)]
    if truth != "Variable":
        redshift = float(chosen.redshift)
        parts += hosts.draw_host(rng, truth, redshift, wavelength, where)
    edge = SURVEY.image_size * SURVEY.pixel_scale / 2
    for _ in range(rng.poisson(NEIGHBOURS)):
        parts.append(hosts.draw_neighbour(rng, wavelength, edge))
    return scene.together(parts)
