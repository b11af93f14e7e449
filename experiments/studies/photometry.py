r"""How far photometry can be trusted: bias, true errors, and what it costs.

    OPENBLAS_NUM_THREADS=1 python -m experiments.studies.photometry [--seed 0] [--json]

Stars and supernovae of the simulated survey, whose flux is known; and, where
JAXASTRO_DATA names the folder with real data, the constant stars of HiTS, whose flux
is known not to change. A pull is (measured - true) / error: of mean 0 and width 1 where
fluxes are unbiased and errors right. Rates are of processor time, so that what else
the machine does matters little; a second thread of BLAS would be counted too.
"""

import itertools
import os
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks.result import Row, parser_of, show, spread_of
from data_builders.hits import hits
from jaxastro.photometry import aperture_light_curve, psf_photometry
from jaxastro.simulation import hosts, observing, scene, survey
from jaxastro.units import microjansky_per_adu

SCALE, SIZE = survey.SURVEY.pixel_scale, survey.SURVEY.image_size
BAND = 2  # r
NUM_FIELDS = 20  # whose weather is drawn from
RADIUS = 6.0  # of the aperture, pixels: the forest's
STRAY = 0.29  # pixels, of a place that is uniform over one pixel
SIGNAL_TO_NOISE = (0, 3, 10, 30, 100, 300, np.inf)
PER_CURVE = 24  # epochs of a supernova
RISE = np.arange(PER_CURVE) - PER_CURVE // 2
LIGHT = np.where(RISE < 0, 0, np.exp(-RISE / 5))
BRIGHTNESS = (0, 2e4, 5e4, np.inf)  # ADU
MIN_STARS = 40  # in a field of HiTS, to tell a star's change from the air's


def frames_of(parts, flux, rng: np.random.Generator) -> tuple[dict, np.ndarray]:
    """Returns what photometry is given, and the noiseless images [t y x].

    Args:
        parts: what lies around the object.
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
        scene.together([scene.point((0, 0), flux), *parts]),
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


def measure_stars(epochs: int, seed: int) -> list[Row]:
    """Returns one row per range of signal to noise: lone stars, 0.1 to 30,000 uJy."""
    rng = np.random.default_rng([seed, 1])
    truth = 10 ** rng.uniform(-1, 4.5, epochs)
    frames, image = frames_of([], truth, rng)
    placeless = {name: v for name, v in frames.items() if name != "centre"}
    psf = psf_photometry(**frames)
    drift = psf_photometry(**placeless, drift=STRAY)
    pixels = frames["flux"], frames["bad_pixel"]
    flux, error = aperture_light_curve(*pixels, radius=RADIUS, photon=frames["photon"])
    inside, _ = aperture_light_curve(image, frames["bad_pixel"], radius=RADIUS)
    pulls = {
        "psf": (psf.flux - truth) / psf.error,
        "psf, place unknown": (drift.flux - truth) / drift.error,
        # What lies beyond the radius is no fault of the error.
        "aperture": (flux - inside) / error,
    }
    ratio, rows = truth / psf.error, []
    for low, high in itertools.pairwise(SIGNAL_TO_NOISE):
        some = (ratio >= low) & (ratio < high)
        found = {"epochs": some.sum()}
        for name, pull in pulls.items():
            found[f"{name}: mean"] = np.nanmean(pull[some])
            found[f"{name}: width"] = np.nanstd(pull[some])
            found[f"{name}: lost"] = np.isnan(pull[some]).mean()
        found["aperture error / psf error"] = np.nanmedian((error / psf.error)[some])
        found["light in aperture"] = np.nanmedian((inside / truth)[some])
        case = {"stars, signal to noise": f"{low} to {high}"}
        rows.append(Row(case, plain(found)))
    return rows


def measure_supernovae(count: int, seed: int) -> list[Row]:
    """Returns one row per way to take the host off, before and after the explosion."""
    before = LIGHT == 0
    ways = {
        "flux less its mean before": lambda f: _less_mean(psf_photometry(**f), before),
        "steady": lambda f: psf_photometry(**f, steady=True, rest=before),
        "steady, place unknown in each frame": lambda f: psf_photometry(
            **(f | {"centre": None}), steady=True, rest=before, drift=STRAY
        ),
        "steady, place found": lambda f: psf_photometry(
            **(f | {"centre": f["centre"] + 0.3}),
            steady=True,
            rest=before,
            find_centre=True,
        ),
    }
    pulls, seconds, error = defaultdict(list), defaultdict(float), defaultdict(list)
    for number in range(count):
        rng = np.random.default_rng([seed, 2, number])
        wavelength = np.full(PER_CURVE, survey.SURVEY.wavelength[BAND])
        host = hosts.draw_host(rng, "SNIa", 0.15, wavelength, np.zeros(2))
        truth = 10 ** rng.uniform(0.7, 1.7) * LIGHT
        frames, _ = frames_of(host, truth, rng)
        for name, way in ways.items():
            start = time.process_time()
            found = way(frames)
            seconds[name] += time.process_time() - start
            pulls[name].append((found[0] - truth) / found[1])
            error[name].append(found[1])
    rows = []
    for name, pull in pulls.items():
        pull = np.array(pull)
        found = {"median error": np.nanmedian(error[name])}
        for when, some in (("before", before), ("after", ~before)):
            mean = np.nanmean(pull[:, some], axis=1)  # of one supernova
            found[f"{when}: mean"] = np.nanmean(mean)
            found[f"{when}: mean's error"] = np.nanstd(mean) / np.sqrt(count)
            found[f"{when}: width"] = np.nanstd(pull[:, some])
        found["epochs/s"] = count * PER_CURVE / seconds[name]
        rows.append(Row({"supernovae": name}, plain(found)))
    return rows


def _less_mean(found, before) -> tuple[np.ndarray, np.ndarray]:
    weight = np.nan_to_num(before / found.error**2)
    mean = np.nansum(weight * found.flux) / weight.sum()
    return found.flux - mean, np.sqrt(found.error**2 + 1 / weight.sum())


def measure_centring(count: int, seed: int) -> list[Row]:
    """Returns one row per brightness: what it costs to find the place, 20 epochs."""
    rows = []
    for flux in (0.3, 1.0, 3.0, 10.0, 100.0):
        away, pulls, ratios, widths = [], [], [], []
        for number in range(count):
            rng = np.random.default_rng([seed, 4, number])
            frames, _ = frames_of([], np.full(20, flux), rng)
            truth = frames["centre"]
            frames["centre"] = truth + rng.uniform(-0.5, 0.5, 2)
            found = psf_photometry(**frames, find_centre=True)
            away += [*np.nanmean(found.place - truth, axis=0)]
            pulls.append((found.flux - flux) / found.error)
            ratios.append(np.sqrt(np.nansum((flux / found.error) ** 2)))
            widths.append(np.median(frames["psf_fwhm"]))
        found = {
            "signal to noise of all": np.median(ratios),
            "place's error, pixels": np.std(away),
            "0.6 fwhm / signal to noise": np.median(0.6 * np.divide(widths, ratios)),
            "mean": np.nanmean(pulls),
            "width": np.nanstd(pulls),
        }
        rows.append(Row({"centring, flux": flux}, plain(found)))
    return rows


def measure_speed(epochs: int, repeats: int, seed: int) -> list[Row]:
    """Returns the rates of the ways that need no steady light, lone stars."""
    rng = np.random.default_rng([seed, 3])
    frames, _ = frames_of([], np.full(epochs, 100.0), rng)
    pixels = frames["flux"], frames["bad_pixel"]
    ways = {
        "aperture": lambda: aperture_light_curve(*pixels, radius=RADIUS),
        "psf": lambda: psf_photometry(**frames),
        "psf, drift": lambda: psf_photometry(**frames, drift=STRAY),
        "psf, find_centre": lambda: psf_photometry(**frames, find_centre=True),
        "psf, fit_fwhm": lambda: psf_photometry(**frames, fit_fwhm=True),
    }
    rows = []
    for name, way in ways.items():
        rates = []
        for _ in range(repeats):
            start = time.process_time()
            way()
            rates.append(epochs / (time.process_time() - start))
        rows.append(Row({"speed": name}, {"epochs/s": spread_of(rates)}))
    return rows


def measure_hits(path: Path) -> list[Row]:
    """Returns one row per way and brightness: the scatter of HiTS' constant stars.

    Transparency is common to a field: each frame's median change of all its stars is
    taken off. The floor is what the scatter has beyond the error.
    """
    fields = defaultdict(list)
    for reading in hits.read(path):
        if reading.record is not None and reading.record.label == "NonVariable":
            fields[reading.record.group].append(reading.record)
    ways = {
        "psf": lambda r: psf_photometry(
            r.flux, r.bad_pixel, fit_fwhm=True, drift=STRAY
        )[:2],
        "aperture": lambda r: aperture_light_curve(r.flux, r.bad_pixel, radius=RADIUS),
    }
    rows = []
    for name, way in ways.items():
        parts = [_scatter(f, way) for f in fields.values() if len(f) >= MIN_STARS]
        scatter, error, light, known = np.concatenate(parts, axis=1)
        for low, high in itertools.pairwise(BRIGHTNESS):
            some = (light >= low) & (light < high)
            if some.any():
                excess = np.median(scatter[some] ** 2 - error[some] ** 2)
                found = {
                    "stars": some.sum(),
                    "measured": known[some].mean(),
                    "scatter": np.median(scatter[some]),
                    "error": np.median(error[some]),
                    "floor": np.sqrt(max(excess, 0)),
                }
                case = {"HiTS": name, "light": f"{low:g} to {high:g}"}
                rows.append(Row(case, plain(found)))
    return rows


def _scatter(records, way) -> np.ndarray:
    """Returns [4 n] relative scatter, relative error, light, share of epochs known."""
    times = np.unique(np.concatenate([record.mjd.round(3) for record in records]))
    flux, error = np.full((2, len(records), len(times)), np.nan)
    for star, record in enumerate(records):
        when = np.searchsorted(times, record.mjd.round(3))
        flux[star, when], error[star, when] = way(record)
    known = np.isfinite(flux).sum(axis=1) / [len(record.mjd) for record in records]
    good = known > 0.5
    flux, error, known = flux[good], error[good], known[good]
    flux = flux[:, np.isfinite(flux).any(axis=0)]
    change = np.log(flux)
    for _ in range(5):  # of stars, of frames, by turns
        change -= np.nanmedian(change, axis=1, keepdims=True)
        change -= np.nanmedian(change, axis=0)
    scatter = 1.4826 * np.nanmedian(abs(change), axis=1)
    light = np.nanmedian(flux, axis=1)
    return np.array([scatter, np.nanmedian(error, axis=1) / light, light, known])


def plain(found: dict) -> dict[str, float]:
    """Returns measures as plain numbers, which a result file can hold."""
    return {name: float(value) for name, value in found.items()}


def main() -> None:
    """Runs the command."""
    parser = parser_of(__doc__, repeats=5)
    parser.add_argument("--seed", type=int, default=0, help="of all that is simulated")
    parser.add_argument("--epochs", type=int, default=20000, help="of lone stars")
    parser.add_argument("--supernovae", type=int, default=200, help="on hosts")
    given = parser.parse_args()
    rows = [
        *measure_stars(given.epochs, given.seed),
        *measure_supernovae(given.supernovae, given.seed),
        *measure_centring(given.supernovae, given.seed),
        *measure_speed(2000, given.repeats, given.seed),
    ]
    about = {}
    if os.environ.get("JAXASTRO_DATA"):
        rows += measure_hits(hits.find_hits(None))
    else:
        about["HiTS"] = "left out: JAXASTRO_DATA names no folder with real data"
    show(rows, as_json=given.json, about=about)


if __name__ == "__main__":
    main()
