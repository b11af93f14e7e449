r"""Scores what experiments.predict wrote, once it is known what the objects were.

    python -m experiments.score --workdir=RUN --predictions=said.csv \
        --truth=night.tar.gz.truth.csv

The truth is a CSV table with a column alert_id or object_id, by which its rows join
those of the predictions, and one of labels: those of the run's survey, or names from
its hierarchy. Every row is scored at each level of the hierarchy that its label tells;
intervals (95 %) come from resampling objects, with all alerts of each. A class that no
row is of counts 0 in macro F1, and is left out of balanced accuracy. Rows without a
truth, truths without a row, and labels that the run does not know are counted and told.
"""

import csv
import json
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from absl import flags
from ml_collections import ConfigDict

from experiments import assemble, command
from experiments.prediction_file import read_predictions
from jaxastro.data.hierarchy import levels_of, nodes_of, sums_within
from jaxastro.data.loader import class_index
from jaxastro.evaluation.leakage import majority_baseline
from jaxastro.evaluation.levels import scores_at
from jaxastro.evaluation.metrics import SCORES

FLAGS = flags.FLAGS
KEYS = ("alert_id", "object_id")  # by which tables are joined, the better first
LABELS = ("class", "label", "kind")  # columns of labels, the likeliest first
BLIND = "always the commonest"
OF_CLASS = ("precision", "recall", "f1")


class Truth(NamedTuple):
    """A table of what objects were."""

    path: Path
    keys: dict[str, list[str]]  # those of KEYS that it has, row by row
    label: list[str]


def score(
    workdir: Path, predictions: Path, truth: Path, *, column: str = ""
) -> tuple[dict[str, dict], list[str]]:
    """Returns the scores at each level, and sentences on what is not scored.

    Args:
        column: of the truth that holds the labels; "": the first of LABELS.
    Raises:
        ValueError: if the tables do not fit each other or the run.
    """
    config, table = assemble.read_config(workdir), read_predictions(predictions)
    classes = tuple(config.classes)
    absent = [name for name in classes if f"p_{name}" not in table]
    if absent:
        raise ValueError(
            f"{predictions} has no column p_{absent[0]}, and {absent[0]} is a class of "
            f"the run {workdir}. Score predictions by the run that made them."
        )
    label, told = labels_of_rows(table, predictions, read_truth(truth, column))
    inside, strange = classes_of_labels(config, label)
    told += [
        f"{count} of label {name!r}, which the run does not know, are not scored."
        for name, count in strange.items()
    ]
    if not inside.any():
        raise ValueError(
            f"Not one row of {predictions} has a label in {truth} that the run knows. "
            f"{' '.join(told)} Its classes are {', '.join(classes)}."
        )
    probability = np.stack([table[f"p_{name}"] for name in classes], 1)
    group, found = np.array(table["object_id"], str), {}
    levels = levels_of(classes, nodes_of(classes, config.hierarchy))
    for number, level in enumerate(levels, start=1):
        name = f"level {number}" if number < len(levels) else "classes"
        within = np.array([*level.values()])  # n c
        holds = inside.any(1)[:, None] & (inside[:, None] <= within).all(-1)  # o n
        rows = np.flatnonzero(holds.any(1))
        if not len(rows):
            told.append(f"No label tells the {name}.")
            continue
        index, sums = holds[rows].argmax(1), sums_within(probability[rows], level)
        found[name] = scores_at(index, sums, group[rows], tuple(level))
        guess = majority_baseline(index, len(rows), len(level))
        blind = scores_at(index, guess, group[rows], tuple(level))
        found[name][BLIND] = blind["all"]
    return found, told


def read_truth(path: Path, column: str) -> Truth:
    """Returns a table of truths.

    Raises:
        ValueError: if nothing in it can be joined, or it has no labels.
    """
    with path.open(newline="", encoding="utf-8") as file:
        table = csv.DictReader(file)
        has, rows = table.fieldnames or [], list(table)
    labels = [name for name in ([column] if column else LABELS) if name in has]
    keys = {key: [row[key] for row in rows] for key in KEYS if key in has}
    if not keys or not labels or not rows:
        wanted = column or f"one of {', '.join(LABELS)}"
        raise ValueError(
            f"{path} has {len(rows)} rows and columns {', '.join(has) or 'none'}. A "
            f"table with {' or '.join(KEYS)} and a column of labels, {wanted}, was "
            "expected. Name the column by --column."
        )
    return Truth(path, keys, [row[labels[0]] for row in rows])


def labels_of_rows(
    table: dict[str, list], path: Path, truth: Truth
) -> tuple[np.ndarray, list[str]]:
    """Returns the label of each prediction, "" without one, and what does not join."""
    key = next((key for key in KEYS if key in table and key in truth.keys), None)
    if key is None:
        raise ValueError(
            f"{path} and {truth.path} have neither of {', '.join(KEYS)} in common. "
            "Give the truth a column object_id, or predict with --each_alert."
        )
    label_of: dict[str, str] = {}
    for name, label in zip(truth.keys[key], truth.label, strict=True):
        if label_of.setdefault(name, label) != label:
            raise ValueError(
                f"{truth.path} calls {key} {name} {label_of[name]!r} and {label!r}. "
                "Give it one label."
            )
    names, told = [str(name) for name in table[key]], []
    if count := sum(name not in label_of for name in names):
        told.append(f"{count} predictions have no truth.")
    if count := len(set(label_of) - set(names)):
        told.append(f"{count} truths have no prediction.")
    return np.array([label_of.get(name, "") for name in names]), told


def classes_of_labels(
    config: ConfigDict, label: np.ndarray
) -> tuple[np.ndarray, dict[str, int]]:
    """Returns [o c] bool, which classes each label may be, and how many it cannot.

    One for the label of a class, all within it for the name of a row of the hierarchy.
    """
    classes = tuple(config.classes)
    nodes, alone = nodes_of(classes, config.hierarchy), np.eye(len(classes), dtype=bool)
    names, of_row = np.unique(label, return_inverse=True)
    index = class_index(names, assemble.written_classes(config))
    known = [
        alone[i] if i >= 0 else nodes.get(name, np.zeros(len(classes), bool))
        for name, i in zip(names.tolist(), index, strict=True)
    ]
    inside = np.array(known)[of_row]
    strange = Counter(label[~inside.any(1) & (label != "")].tolist())
    return inside, dict(sorted(strange.items()))


def in_words(found: dict[str, dict]) -> str:
    """Returns the scores as two tables, of levels and of names."""
    levels = [f"| level | {' | '.join(SCORES)} | rows |", "|---" * 5 + "|"]
    names = [f"| name | {' | '.join(OF_CLASS)} | rows |", "|---" * 5 + "|"]
    for level, scores in found.items():
        for who, row in scores.items():
            is_class = who.startswith("class ")
            lines, shown = (names, OF_CLASS) if is_class else (levels, SCORES)
            name = f"{level}: {who.removeprefix('class ')}"
            cells = ["{:.3f} [{:.3f}, {:.3f}]".format(*row[score]) for score in shown]
            name = level if who == "all" else name
            lines.append(f"| {name} | {' | '.join(cells)} | {row['num_objects']} |")
    return "\n".join([*levels, "", *names])


def main() -> None:
    """Runs the command."""
    paths = (Path(getattr(FLAGS, name)) for name in ("workdir", "predictions", "truth"))
    found, told = score(*paths, column=FLAGS.column)
    print("\n".join(told), file=sys.stderr)
    if FLAGS.json:
        print(json.dumps({"scores": found, "not_scored": told}, indent=1))
    else:
        print(in_words(found))


if __name__ == "__main__":
    flags.DEFINE_string("workdir", None, "Folder of the run that predicted.")
    flags.DEFINE_string("predictions", None, "What it wrote: .csv, .parquet or .avro.")
    flags.DEFINE_string("truth", None, "CSV table of what the objects were.")
    flags.DEFINE_string(
        "column", "", "Of the truth's labels. Default: class, label or kind."
    )
    flags.DEFINE_bool("json", False, "Print JSON instead of tables.")
    command.run(main, needs=("workdir", "predictions", "truth"))
