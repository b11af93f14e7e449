r"""What classical classifiers reach on HiTS, and what they reach without the object.

Run:     python -m experiments.studies.hits_baselines --manual_dir=FOLDER
Expect:  macro F1 0.94 from light curves, three classes; a minute on one core.

Five folds by field; each object is predicted once, by a forest that saw no object of
its field; the pooled predictions are scored. NonVariable stays out: its six fields
were observed otherwise, which alone gives it away.
"""

import json
from collections.abc import Callable

import numpy as np
from absl import app, flags

from data_builders.hits import hits
from jaxastro.baselines.aperture_features import (
    aperture_feature_names,
    aperture_features,
    noise_features,
)
from jaxastro.baselines.classifiers import fit_predict
from jaxastro.data.series import SeriesRecord
from jaxastro.data.split import split_of
from jaxastro.evaluation.bootstrap import score_intervals
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["hits"]
TASKS = {
    "SN, EB, RRLyrae": ("SN", "EB", "RRLyrae"),
    "EB, RRLyrae": ("EB", "RRLyrae"),
}
NUM_FOLDS = 5
SPLIT_SEED = 5  # of the seeds 0 to 39 the one whose smallest class in a fold is largest
NUM_DRAWS = 1000

FLAGS = flags.FLAGS


def shape_features(record: SeriesRecord) -> np.ndarray:
    """Returns the light-curve features that know nothing of absolute brightness."""
    absolute = {"g_brightness", "g_noise", "g_absolute_amplitude"}
    relative = [n not in absolute for n in aperture_feature_names(SURVEY)]
    return aperture_features(record, SURVEY)[relative]


def static_features(record: SeriesRecord) -> np.ndarray:
    """Returns the pixels of the median image: everything but time."""
    good = np.where(record.bad_pixel, np.nan, record.flux)
    return np.nanmedian(good, axis=0).ravel()


def schedule_features(record: SeriesRecord) -> np.ndarray:
    """Returns number of epochs, and median and scatter of the sky level."""
    return noise_features(record)[[0, -2, -1]]


INPUTS: dict[str, Callable[[SeriesRecord], np.ndarray]] = {
    "light curve": lambda record: aperture_features(record, SURVEY),
    "light curve, shape only": shape_features,
    "static median image": static_features,
    "noise of the corners (control)": noise_features,
    "epochs and sky (control)": schedule_features,
}


def measure(records: list[SeriesRecord], *, seed: int) -> list[dict]:
    """Returns one row per input, task and training set, with 95% intervals."""
    rows = []
    for input_name, features_of in INPUTS.items():
        features = np.array([features_of(record) for record in records])
        for task, classes in TASKS.items():
            for parts in (("train", "validation"), ("train",)):
                score = _score(records, features, classes, parts, seed)
                training = "+".join(parts)
                rows.append({"input": input_name, "task": task, "training": training})
                rows[-1] |= score
    return rows


def forest(
    features, label, group, num_classes: int, parts, seed: int, split_seed: int
) -> np.ndarray:
    """Returns [o c]: each object's probability from a forest blind to its fold.

    Args:
        parts: which splits the forest learns from, such as ("train", "validation").
    """
    probability = np.zeros((len(label), num_classes))
    for fold in range(NUM_FOLDS):
        split = split_of(group, test_fold=fold, num_folds=NUM_FOLDS, seed=split_seed)
        known = np.concatenate([split[part] for part in parts])
        probability[split["test"]] = fit_predict(
            features[known],
            label[known],
            features[split["test"]],
            num_classes=num_classes,
            seed=seed,
        )
    return probability


def _score(records, features, classes, parts, seed) -> dict:
    rows = np.array([i for i, r in enumerate(records) if r.label in classes])
    label = np.array([classes.index(records[i].label) for i in rows])
    group = np.array([records[i].group for i in rows])
    probability = forest(
        features[rows], label, group, len(classes), parts, seed, SPLIT_SEED
    )
    settings = {"num_draws": NUM_DRAWS, "seed": seed}
    found = {"objects": len(rows)}
    # By object, and by field, whose objects share sky and weather.
    for unit, names in (("object", np.arange(len(rows)).astype(str)), ("field", group)):
        interval = score_intervals(label, probability, names, len(classes), **settings)
        low, high = interval["macro_f1"].low, interval["macro_f1"].high
        found["macro_f1"] = round(interval["macro_f1"].value, 4)
        found[f"interval_by_{unit}"] = [round(low, 4), round(high, 4)]
    return found


def main(argv: list[str]) -> None:
    """Prints the table, or the same as JSON."""
    del argv
    readings = hits.read(hits.find_hits(FLAGS.manual_dir))
    records = [reading.record for reading in readings if reading.record is not None]
    rows = measure([r for r in records if r.label != "NonVariable"], seed=FLAGS.seed)
    if FLAGS.json:
        print(json.dumps(rows, indent=1))
        return
    print("| input | task | trained on | macro F1 | 95% by object | by field |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        ends = row["interval_by_object"] + row["interval_by_field"]
        by_object, by_field = (f"{a:.3f}-{b:.3f}" for a, b in (ends[:2], ends[2:]))
        cells = row["input"], row["task"], row["training"], f"{row['macro_f1']:.3f}"
        print("|", " | ".join([*cells, by_object, by_field]), "|")


if __name__ == "__main__":
    flags.DEFINE_string("manual_dir", "", "Folder of the raw HiTS file.")
    flags.DEFINE_bool("json", False, "Print JSON instead of a table.")
    flags.DEFINE_integer("seed", 0, "Of the forests and the bootstrap.")
    app.run(main)
