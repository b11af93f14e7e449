r"""How real the image simulator is: distributions beside the real survey's.

Run:     python -m experiments.studies.realism --manual_dir=FOLDER --pictures=docs/pictures

Two comparisons. Stamps: simulated HiTS objects beside the real ones, class by class:
brightness, amplitude, signal to noise, sky, pixel noise, seeing, sampling, and a forest
that tries to tell the two apart by the shapes of their light curves. Light curves:
simulated type Ia supernovae beside 1,091 real ones, each simulated at the redshift,
times, bands and errors of a real one: colours at maximum, decline, brightness.
"""

import csv
import json
from pathlib import Path

import numpy as np
from absl import app, flags
from tqdm import tqdm

from data_builders.engine.raw import find_raw
from data_builders.hits import hits, hits_sim
from experiments.studies.hits_baselines import shape_features
from experiments.studies.type_ia import LABELS as IA_LABELS
from experiments.studies.type_ia import pairs_of_curves
from jaxastro.leakage.two_sample import compare_columns, two_sample_auc
from jaxastro.photometry import aperture_light_curve, border_statistics
from jaxastro.reports.realism import draw_realism
from jaxastro.simulation.conditions import measure_star
from jaxastro.simulation.sequence import simulate_sequence
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["hits"]
CLASSES = {  # of the survey -> classes of the simulator, with how often
    "SN": {"SNIa": 0.6, "SNIbc": 0.12, "SNII": 0.28},
    "EB": {"EB": 1.0},
    "RRLyrae": {"RRLyrae": 1.0},
    "NonVariable": {"NonVariable": 1.0},
}
LABELS = {
    "brightness": "median light, log10 ADU",
    "amplitude": "range / median, log10",
    "signal_to_noise": "signal to noise, log10",
    "sky": "sky, log10 ADU",
    "pixel_noise": "pixel noise, log10 ADU",
    "seeing": "seeing, arcsec",
    "epochs": "epochs",
}
RADIUS, BORDER = 6.0, 3  # pixels: aperture, and frame that gives the sky

FLAGS = flags.FLAGS


def quantities(record) -> dict[str, float]:
    """Returns what is compared of one object's stamps."""
    flux, error = aperture_light_curve(
        record.flux, record.bad_pixel, radius=RADIUS, border=BORDER
    )
    sky, noise, _ = border_statistics(record.flux, record.bad_pixel, BORDER)
    seeing, _ = measure_star(record, pixel_scale=SURVEY.pixel_scale, border=BORDER)
    low, middle, high = np.nanpercentile(flux, [5, 50, 95])
    return {
        "brightness": np.log10(max(middle, 10.0)),
        "amplitude": np.log10((high - low) / max(middle, 10.0)),
        "signal_to_noise": np.log10(max(np.nanmedian(flux / error), 0.1)),
        "sky": np.log10(np.nanmedian(sky)),
        "pixel_noise": np.log10(np.nanmedian(noise)),
        "seeing": np.nanmedian(seeing),
        "epochs": len(record.mjd),
    }


def columns(rows: list[dict]) -> dict[str, list[float]]:
    """Returns rows of quantities as columns."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def simulated_like(truth: str, count: int, logs: dict) -> list:
    """Returns simulated objects of one class of the survey, each in some field."""
    rng = np.random.default_rng(FLAGS.seed)
    kinds = CLASSES[truth]
    share = np.array(list(kinds.values()))
    records = []
    for number in tqdm(range(count), desc=f"Simulating {truth}", unit="object"):
        field = str(rng.choice(list(logs)))
        kind = str(rng.choice(list(kinds), p=share / share.sum()))
        records.append(
            simulate_sequence(
                kind,
                hits_sim.CAMERA,
                logs[field],
                number=number,
                seed=FLAGS.seed + 1000,  # not the training set's objects
                group=field,
            )
        )
    return records


def compare_stamps() -> dict:
    """Returns class -> (real, simulated, comparison, area under the ROC curve)."""
    manual_dir = Path(FLAGS.manual_dir) if FLAGS.manual_dir else None
    logs = hits_sim.read_field_logs(manual_dir)
    readings = hits.read(hits.find_hits(manual_dir))
    records = [r.record for r in readings if r.record is not None]
    found = {}
    for truth in CLASSES:
        real = [record for record in records if record.label == truth]
        made = simulated_like(truth, FLAGS.objects, logs)
        samples = [columns([quantities(r) for r in some]) for some in (real, made)]
        shapes = [np.array([shape_features(r) for r in some]) for some in (real, made)]
        area = two_sample_auc(
            *shapes, group=[r.group for r in (*real, *made)], seed=FLAGS.seed
        )
        found[truth] = (*samples, compare_columns(*samples), area)
    return found


def compare_type_ia() -> tuple:
    """Returns real and simulated type Ia quantities, and their comparison."""
    manual_dir = Path(FLAGS.manual_dir) if FLAGS.manual_dir else None
    folder = find_raw(
        "",
        survey="snia_photometry",
        manual_dir=manual_dir,
        source="Pantheon+ (github.com/PantheonPlusSH0ES/DataRelease)",
    )
    with (folder / "objects.csv").open(newline="") as file:
        objects = list(csv.DictReader(file))
    real, made = pairs_of_curves(objects, folder / "photometry.parquet", FLAGS.seed)
    return real, made, compare_columns(real, made)


def table(rows: dict) -> list[str]:
    """Returns the lines of a table: quartiles of both, distance and p."""
    lines = ["| | quantity | real | simulated | D | p |", "|---|---|---|---|---|---|"]
    for name, (_, _, found, *_) in rows.items():
        for quantity, like in found.items():
            real, made = (
                "{1:.2f} ({0:.2f}–{2:.2f})".format(*q)
                for q in (like.first, like.second)
            )
            p = f"{like.p_value:.0e}" if like.p_value < 0.001 else f"{like.p_value:.3f}"
            row = (name, quantity, real, made, f"{like.distance:.2f}", p)
            lines.append(f"| {' | '.join(row)} |")
    return lines


def main(argv: list[str]) -> None:
    """Prints the tables and draws the pictures, or prints JSON."""
    del argv
    stamps, curves = compare_stamps(), {"SN Ia": compare_type_ia()}
    if FLAGS.json:
        found = {
            name: {q: like._asdict() for q, like in row[2].items()}
            for name, row in (stamps | curves).items()
        }
        areas = {name: row[3] for name, row in stamps.items()}
        print(json.dumps({"quantities": found, "told_apart": areas}, indent=1))
    else:
        print("\n".join(table(stamps | curves)))
        for name, row in stamps.items():
            print(f"{name}: a forest tells them apart with an area of {row[3]:.2f}")
    if FLAGS.pictures:
        folder = Path(FLAGS.pictures)
        folder.mkdir(parents=True, exist_ok=True)
        for rows, name, labels in (
            (stamps, "hits_realism", LABELS),
            (curves, "type_ia_realism", IA_LABELS),
        ):
            drawn = {what: row[:3] for what, row in rows.items()}
            title = "Simulated beside real"
            draw_realism(drawn, folder / f"{name}.png", title=title, labels=labels)


if __name__ == "__main__":
    flags.DEFINE_string("manual_dir", "", "Folder of raw files; else JAXASTRO_DATA.")
    flags.DEFINE_string("pictures", "", "Folder for pictures; none if empty.")
    flags.DEFINE_integer("objects", 600, "Simulated for each class.")
    flags.DEFINE_integer("seed", 0, "Of the simulated objects and the forests.")
    flags.DEFINE_bool("json", False, "Print JSON instead of tables.")
    app.run(main)
