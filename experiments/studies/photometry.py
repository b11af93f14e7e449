r"""Are the fluxes of photometry unbiased, and are their errors right?

    OPENBLAS_NUM_THREADS=1 python -m experiments.studies.photometry [--seed 0] [--json]

Measured on stars and supernovae of the simulated survey, whose flux is known, and on
the constant stars of HiTS, if JAXASTRO_DATA names the folder with real data. A pull is
(measured - true) / error: its mean is 0 where fluxes are unbiased, and its width is 1
where errors are right. Speed: python -m benchmarks.photometry.
"""

import itertools
import json
import os
from collections import defaultdict
from pathlib import Path

import numpy as np

from data_builders.hits import hits
from experiments.studies import command
from experiments.studies.simulated_frames import make_frames, make_supernova
from jaxastro.photometry import aperture_light_curve, psf_photometry

RADIUS = 6.0  # of the aperture, pixels: as of the forest's features
DRIFT = 0.29  # pixels, the deviation of a place that is uniform over one pixel
SIGNAL_TO_NOISE = (0, 3, 10, 30, 100, 300, np.inf)  # edges of the bins
BRIGHTNESS = (0, 2e4, 5e4, np.inf)  # edges of the bins, ADU
MIN_STARS = 40  # in a field of HiTS, to separate stars and atmosphere


def measure_stars(epochs: int, seed: int) -> list[dict]:
    """Returns a row for each bin of signal to noise: lone stars, 0.1 to 30,000 uJy."""
    rng = np.random.default_rng([seed, 1])
    truth = 10 ** rng.uniform(-1, 4.5, epochs)
    frames, image = make_frames([], truth, rng)
    placeless = {name: v for name, v in frames.items() if name != "centre"}
    psf = psf_photometry(**frames)
    drift = psf_photometry(**placeless, drift=DRIFT)
    pixels = frames["flux"], frames["bad_pixel"]
    flux, error = aperture_light_curve(*pixels, radius=RADIUS, photon=frames["photon"])
    inside, _ = aperture_light_curve(image, frames["bad_pixel"], radius=RADIUS)
    pulls = {
        "psf": (psf.flux - truth) / psf.error,
        "psf, place unknown": (drift.flux - truth) / drift.error,
        # Against the light inside the radius: what lies beyond is no error of it.
        "aperture": (flux - inside) / error,
    }
    ratio, rows = truth / psf.error, []
    for low, high in itertools.pairwise(SIGNAL_TO_NOISE):
        some = (ratio >= low) & (ratio < high)
        row = {"stars, signal to noise": f"{low} to {high}", "epochs": int(some.sum())}
        for name, pull in pulls.items():
            row[f"{name}: mean"] = np.nanmean(pull[some])
            row[f"{name}: width"] = np.nanstd(pull[some])
            row[f"{name}: lost"] = np.isnan(pull[some]).mean()
        row["aperture error / psf error"] = np.nanmedian((error / psf.error)[some])
        row["light in aperture"] = np.nanmedian((inside / truth)[some])
        rows.append(row)
    return rows


def subtractions(before: np.ndarray) -> dict:
    """Returns the ways to subtract the host: name -> function of frames.

    Args:
        before: [t] bool, epochs without the supernova.
    """
    return {
        "flux minus its mean before": lambda frames: _minus_mean(
            psf_photometry(**frames), before
        ),
        "steady": lambda frames: psf_photometry(**frames, steady=True, rest=before),
        "steady, place unknown in each frame": lambda frames: psf_photometry(
            **(frames | {"centre": None}), steady=True, rest=before, drift=DRIFT
        ),
        "steady, place fitted": lambda frames: psf_photometry(
            **(frames | {"centre": frames["centre"] + 0.3}),
            steady=True,
            rest=before,
            find_centre=True,
        ),
    }


def measure_supernovae(count: int, seed: int) -> list[dict]:
    """Returns a row for each way to subtract the host, before and after explosion."""
    pulls, errors = defaultdict(list), defaultdict(list)
    for number in range(count):
        frames, truth = make_supernova(number, seed)
        before = truth == 0
        for name, measure in subtractions(before).items():
            flux, error, *_ = measure(frames)
            pulls[name].append((flux - truth) / error)
            errors[name].append(error)
    rows = []
    for name, pull in pulls.items():
        pull = np.array(pull)
        row = {"supernovae": name, "median error": np.nanmedian(errors[name])}
        for when, some in (("before", before), ("after", ~before)):
            mean = np.nanmean(pull[:, some], axis=1)  # of one supernova
            row[f"{when}: mean"] = np.nanmean(mean)
            row[f"{when}: error of the mean"] = np.nanstd(mean) / np.sqrt(count)
            row[f"{when}: width"] = np.nanstd(pull[:, some])
        rows.append(row)
    return rows


def _minus_mean(found, before) -> tuple[np.ndarray, np.ndarray]:
    weight = np.nan_to_num(before / found.error**2)
    mean = np.nansum(weight * found.flux) / weight.sum()
    return found.flux - mean, np.sqrt(found.error**2 + 1 / weight.sum())


def measure_centring(count: int, seed: int) -> list[dict]:
    """Returns a row for each flux: the effect of fitting the place, 20 epochs."""
    rows = []
    for flux in (0.3, 1.0, 3.0, 10.0, 100.0):
        offsets, pulls, ratios, widths = [], [], [], []
        for number in range(count):
            rng = np.random.default_rng([seed, 4, number])
            frames, _ = make_frames([], np.full(20, flux), rng)
            truth = frames["centre"]
            frames["centre"] = truth + rng.uniform(-0.5, 0.5, 2)
            found = psf_photometry(**frames, find_centre=True)
            offsets += [*np.nanmean(found.place - truth, axis=0)]
            pulls.append((found.flux - flux) / found.error)
            ratios.append(np.sqrt(np.nansum((flux / found.error) ** 2)))
            widths.append(np.median(frames["psf_fwhm"]))
        rows.append(
            {
                "centring, flux": flux,
                "signal to noise of all": np.median(ratios),
                "error of the place, pixels": np.std(offsets),
                "0.6 fwhm / signal to noise": np.median(
                    0.6 * np.divide(widths, ratios)
                ),
                "mean": np.nanmean(pulls),
                "width": np.nanstd(pulls),
            }
        )
    return rows


def measure_hits(path: Path) -> list[dict]:
    """Returns a row for each method and brightness: scatter of HiTS' constant stars.

    Transparency is common to a field: the median change of all stars of a frame is
    subtracted. The floor is the scatter beyond the error.
    """
    fields = defaultdict(list)
    for reading in hits.read(path):
        if reading.record is not None and reading.record.label == "NonVariable":
            fields[reading.record.group].append(reading.record)
    methods = {
        "psf": lambda r: psf_photometry(
            r.flux, r.bad_pixel, fit_fwhm=True, drift=DRIFT
        )[:2],
        "aperture": lambda r: aperture_light_curve(r.flux, r.bad_pixel, radius=RADIUS),
    }
    rows = []
    for name, measure in methods.items():
        parts = [_scatter(f, measure) for f in fields.values() if len(f) >= MIN_STARS]
        scatter, error, light, known = np.concatenate(parts, axis=1)
        for low, high in itertools.pairwise(BRIGHTNESS):
            some = (light >= low) & (light < high)
            if some.any():
                excess = np.median(scatter[some] ** 2 - error[some] ** 2)
                rows.append(
                    {
                        "HiTS": name,
                        "light, ADU": f"{low:g} to {high:g}",
                        "stars": int(some.sum()),
                        "epochs measured": known[some].mean(),
                        "scatter": np.median(scatter[some]),
                        "error": np.median(error[some]),
                        "floor": np.sqrt(max(excess, 0)),
                    }
                )
    return rows


def _scatter(records, measure) -> np.ndarray:
    """Returns [4 n] relative scatter, relative error, light, share of known epochs."""
    times = np.unique(np.concatenate([record.mjd.round(3) for record in records]))
    flux, error = np.full((2, len(records), len(times)), np.nan)
    for star, record in enumerate(records):
        columns = np.searchsorted(times, record.mjd.round(3))
        flux[star, columns], error[star, columns] = measure(record)
    known = np.isfinite(flux).sum(axis=1) / [len(record.mjd) for record in records]
    good = known > 0.5
    flux, error, known = flux[good], error[good], known[good]
    flux = flux[:, np.isfinite(flux).any(axis=0)]
    change = np.log(flux)
    for _ in range(5):  # stars and frames in turn
        change -= np.nanmedian(change, axis=1, keepdims=True)
        change -= np.nanmedian(change, axis=0)
    scatter = 1.4826 * np.nanmedian(abs(change), axis=1)
    light = np.nanmedian(flux, axis=1)
    return np.array([scatter, np.nanmedian(error, axis=1) / light, light, known])


def main(given) -> None:
    """Prints the tables, or the same as JSON."""
    tables = [
        measure_stars(given.epochs, given.seed),
        measure_supernovae(given.supernovae, given.seed),
        measure_centring(given.supernovae, given.seed),
    ]
    if os.environ.get("JAXASTRO_DATA"):
        tables.append(measure_hits(hits.find_hits(None)))
    if given.json:
        rows = [row for rows in tables for row in rows]
        print(json.dumps(rows, indent=1, default=float))
        return
    for rows in tables:
        cells = [[*map(_text, row.values())] for row in rows]
        command.print_table([*rows[0]], cells)
        print()
    if len(tables) == 3:
        print("HiTS is left out: JAXASTRO_DATA names no folder with real data.")


def _text(value: str | float) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    parser = command.make_parser(__doc__)
    add = parser.add_argument
    add("--seed", type=int, default=0, help="of the simulations")
    add("--epochs", type=int, default=20000, help="of lone stars")
    add("--supernovae", type=int, default=200, help="on hosts")
    command.run(main, parser)
