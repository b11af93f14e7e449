r"""How well can HiTS be classified without a network, and without the object itself?

    python -m experiments.studies.hits_baselines --manual_dir=FOLDER

Random forests on light curves, on the median image, and on two controls that hold no
light of the object. Five folds by field; each object is predicted by a forest that was
trained on other fields, and all predictions are scored together, with 95 % intervals
from resampling objects and from resampling fields. NonVariable is left out: its fields
were observed differently. It takes a minute on one core; scores: docs/results/hits.md.
"""

import json

import numpy as np

from experiments.studies import command
from experiments.studies.hits_forests import (
    INPUTS,
    NUM_DRAWS,
    TASKS,
    features_of,
    predict_folds,
    read_records,
)
from jaxastro.data.series import SeriesRecord
from jaxastro.evaluation.bootstrap import score_intervals

TRAINING = (("train", "validation"), ("train",))  # four folds, or three as for networks


def measure(records: list[SeriesRecord], *, seed: int) -> list[dict]:
    """Returns a row for each input, task and training set, with 95 % intervals."""
    rows = []
    for input_name in INPUTS:
        features = features_of(records, input_name)
        for task, classes in TASKS.items():
            for splits in TRAINING:
                found = _scores(records, features, classes, splits, seed)
                case = {"input": input_name, "task": task}
                rows.append(case | {"training": "+".join(splits)} | found)
    return rows


def _scores(records, features, classes, splits, seed) -> dict:
    rows = np.array([i for i, r in enumerate(records) if r.label in classes])
    label = np.array([classes.index(records[i].label) for i in rows])
    field = np.array([records[i].group for i in rows])
    probability = predict_folds(
        features[rows], label, field, len(classes), seed=seed, splits=splits
    )
    settings = {"num_draws": NUM_DRAWS, "seed": seed}
    found = {"objects": len(rows)}
    objects = np.arange(len(rows)).astype(str)
    # Objects of a field share sky and weather, so that these intervals are wider.
    for unit, group in (("object", objects), ("field", field)):
        scores = score_intervals(label, probability, group, len(classes), **settings)
        score = scores["macro_f1"]
        found["macro_f1"] = round(score.value, 4)
        found[f"interval_by_{unit}"] = [round(score.low, 4), round(score.high, 4)]
    return found


def main(given) -> None:
    """Prints the table, or the same as JSON."""
    records = read_records(given.manual_dir)
    rows = measure([r for r in records if r.label != "NonVariable"], seed=given.seed)
    if given.json:
        print(json.dumps(rows, indent=1))
        return
    ranges = "{0:.3f}-{1:.3f}".format
    command.print_table(
        ["input", "task", "trained on", "macro F1", "95 % by object", "95 % by field"],
        [
            [
                row["input"],
                row["task"],
                row["training"],
                f"{row['macro_f1']:.3f}",
                ranges(*row["interval_by_object"]),
                ranges(*row["interval_by_field"]),
            ]
            for row in rows
        ],
    )


if __name__ == "__main__":
    parser = command.make_parser(__doc__)
    parser.add_argument("--manual_dir", default="", help="folder of the raw HiTS file")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the forests and the bootstrap"
    )
    command.run(main, parser)
