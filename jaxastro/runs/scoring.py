"""Scores written predictions against a table of true labels.

The truth is a CSV table with a column alert_id or object_id, by which its rows join
those of the predictions, and one of labels: those of the run's survey, or names from
its hierarchy. Every row is scored at each level of the hierarchy that its label
determines; intervals (95 %) come from resampling objects, with all alerts of each. A
class without a row counts 0 in macro F1, and is left out of balanced accuracy. Rows
without a truth, truths without a row, and labels that the run does not have are counted
and listed. A CSV holds six digits of each probability; of two that are equal there, the
first wins.
"""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxastro.data.hierarchy import (
    levels_of,
    node_of_labels,
    node_probabilities,
    nodes_of,
)
from jaxastro.data.text_table import Row, rows_of
from jaxastro.errors import InputError
from jaxastro.evaluation.bootstrap import score_intervals
from jaxastro.evaluation.hierarchy_scores import scores_at
from jaxastro.evaluation.metrics import SCORES
from jaxastro.leakage.nuisance_baseline import majority_baseline
from jaxastro.runs.prediction_table import read_predictions
from jaxastro.runs.task import read_task

KEYS = ("alert_id", "object_id")  # by which tables are joined, the better first
LABELS = ("class", "label", "kind")  # columns of labels, the likeliest first
MAJORITY = "always the most frequent"
OF_CLASS = ("precision", "recall", "f1")


class PredictedRows(NamedTuple):
    """A table of predictions."""

    path: Path
    keys: dict[str, list[str]]  # those of KEYS that it has, row by row
    probability: np.ndarray  # o c


class TrueLabels(NamedTuple):
    """A table of true labels."""

    path: Path
    keys: dict[str, list[str]]  # those of KEYS that it has, row by row
    label: list[str]  # "": none


def score(
    workdir: Path, predictions: Path, truth: Path, *, column: str = ""
) -> tuple[dict[str, dict], list[str]]:
    """Returns the scores at each level, and sentences on rows that are not scored.

    Args:
        column: of the truth that holds the labels; "": the first of LABELS.
    Raises:
        ValueError: if the tables do not fit each other or the run.
    """
    task = read_task(workdir)
    classes, hierarchy = task.classes, task.hierarchy
    predicted = read_predicted_rows(predictions, classes, workdir)
    label, notes = labels_of_rows(predicted, read_true_labels(truth, column))
    levels = levels_of(classes, nodes_of(classes, hierarchy))
    index = [node_of_labels(label, level, hierarchy) for level in levels]
    unknown = (np.max(index, axis=0) < 0) & (label != "")
    notes += [
        f"{count} of label {name!r}, which the run does not have, are not scored."
        for name, count in sorted(Counter(label[unknown].tolist()).items())
    ]
    if np.max(index) < 0:
        raise InputError(
            f"Not one row of {predictions} has a label in {truth} that the run has. "
            f"{' '.join(notes)} Its classes are {', '.join(classes)}."
        )
    group, found = np.array(predicted.keys["object_id"]), {}
    for number, (level, within) in enumerate(zip(levels, index, strict=True), start=1):
        name = f"level {number}" if number < len(levels) else "classes"
        rows = np.flatnonzero(within >= 0)
        if not len(rows):
            notes.append(f"No label determines the {name}.")
            continue
        sums = node_probabilities(predicted.probability[rows], level)
        found[name] = scores_at(within[rows], sums, group[rows], tuple(level))
        majority = majority_baseline(within[rows], len(rows), len(level))
        constant = score_intervals(within[rows], majority, group[rows], len(level))
        found[name][MAJORITY] = constant | {"num_objects": len(rows)}
    return found, notes


def read_predicted_rows(
    path: Path, classes: tuple[str, ...], workdir: Path
) -> PredictedRows:
    """Returns a table of predictions.

    Raises:
        ValueError: if it has no rows, or is not of a run of these classes.
    """
    table = read_predictions(path)
    if not any(map(len, table.values())):
        raise InputError(f"{path} holds no predictions. Predict something first.")
    wanted = ("object_id", *(f"p_{name}" for name in classes))
    if absent := [name for name in wanted if name not in table]:
        raise InputError(
            f"{path} has no column {absent[0]}, which predictions of the run {workdir} "
            "have. Score predictions by the run that made them."
        )
    try:
        columns = [np.array(table[f"p_{name}"], np.float64) for name in classes]
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{path}: a probability is no number ({error}). Give the file as "
            "`jaxastro predict` wrote it."
        ) from error
    keys = {key: [str(name) for name in table[key]] for key in KEYS if key in table}
    return PredictedRows(path, keys, np.stack(columns, 1))


def read_true_labels(path: Path, column: str) -> TrueLabels:
    """Returns a table of truths.

    Raises:
        ValueError: if it is no table, nothing in it can be joined, or it has no labels.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = rows_of(file)
            has = next(lines, Row(0, [])).cells
            empty = dict.fromkeys(has, "")
            rows = [empty | dict(zip(has, row.cells, strict=False)) for row in lines]
    except (UnicodeDecodeError, InputError) as error:
        raise InputError(
            f"{path} is no CSV table in UTF-8 ({error}). Write it as one."
        ) from error
    labels = [name for name in ([column] if column else LABELS) if name in has]
    keys = {key: [row[key] for row in rows] for key in KEYS if key in has}
    for what, expected, is_there in (
        ("rows", "one for each object", rows),
        ("column to join by", f"{' or '.join(KEYS)}", keys),
        ("column of labels", column or f"{', '.join(LABELS)} or --column", labels),
    ):
        if not is_there:
            raise InputError(
                f"{path} has no {what}: {expected} was expected, and its columns are "
                f"{', '.join(has) or 'none'}. Add it."
            )
    return TrueLabels(path, keys, [row[labels[0]] for row in rows])


def labels_of_rows(
    predicted: PredictedRows, truth: TrueLabels
) -> tuple[np.ndarray, list[str]]:
    """Returns the label of each prediction that counts, else "", and why others not."""
    key = next(
        (key for key in KEYS if key in predicted.keys and key in truth.keys), None
    )
    if key is None:
        raise InputError(
            f"{predicted.path} and {truth.path} have neither of {', '.join(KEYS)} in "
            "common. Give the truth a column object_id, or predict with --each_alert."
        )
    label_of: dict[str, str] = {}
    for name, label in zip(truth.keys[key], truth.label, strict=True):
        if label and label_of.setdefault(name, label) != label:
            raise InputError(
                f"{truth.path} calls {key} {name} {label_of[name]!r} and {label!r}. "
                "Give it one label."
            )
    first, seen = [], set()
    for name in predicted.keys[next(key for key in KEYS if key in predicted.keys)]:
        first.append(name not in seen)
        seen.add(name)
    names = predicted.keys[key]
    notes = [
        f"{count} {what}."
        for count, what in (
            (first.count(False), "predictions repeat one above, and are not scored"),
            (sum(n not in label_of for n in names), "predictions have no truth"),
            (len(set(label_of) - set(names)), "truths have no prediction"),
            (truth.label.count(""), "truths have no label"),
        )
        if count
    ]
    pairs = zip(names, first, strict=True)
    return np.array(
        [label_of.get(n, "") if is_first else "" for n, is_first in pairs]
    ), notes


def as_text(found: dict[str, dict]) -> str:
    """Returns the scores as two tables, of levels and of names that some row is of."""
    levels = [f"| level | {' | '.join(SCORES)} | rows |", "|---" * 5 + "|"]
    names = [f"| name | {' | '.join(OF_CLASS)} | rows |", "|---" * 5 + "|"]
    for level, scores in found.items():
        for who, row in scores.items():
            is_class = who.startswith("class ")
            if is_class and not row["num_objects"]:
                continue
            lines, shown = (names, OF_CLASS) if is_class else (levels, SCORES)
            name = f"{level}: {who.removeprefix('class ')}"
            cells = ["{:.3f} [{:.3f}, {:.3f}]".format(*row[score]) for score in shown]
            name = level if who == "all" else name
            lines.append(f"| {name} | {' | '.join(cells)} | {row['num_objects']} |")
    return "\n".join([*levels, "", *names])
