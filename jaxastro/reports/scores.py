"""All scores with their intervals, as metrics.json and scores.csv."""

import csv
import json
from pathlib import Path

import numpy as np

from jaxastro.evaluation import bootstrap, calibration, metrics
from jaxastro.evaluation.predictions import Predictions


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Writes metrics.json and scores.csv."""
    result = compute(predictions)
    json_path, csv_path = Path(folder) / "metrics.json", Path(folder) / "scores.csv"
    json_path.write_text(
        json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False) + "\n",
        encoding="utf-8",
    )
    with csv_path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(_rows(result))
    return [json_path, csv_path]


def compute(predictions: Predictions) -> dict:
    """Returns the content of metrics.json; jaxastro.evaluation defines each score."""
    p = predictions
    num_classes = len(p.classes)
    task = (p.group, num_classes)
    point = metrics.scores(p.label, p.probability, num_classes)
    intervals = bootstrap.score_intervals(p.label, p.probability, *task)
    chosen = p.probability.max(axis=1)
    return {
        "title": p.title,
        "scored_against": p.scored_against,
        "num_objects": len(p.label),
        "num_groups": len(np.unique(p.group)),
        "interval": "95% bootstrap over groups",
        **{name: intervals[name]._asdict() for name in metrics.SCORES},
        "log_loss": point["log_loss"],
        "brier": point["brier"],
        "ece": calibration.expected_calibration_error(p.label, p.probability),
        "ece_by_chance": calibration.chance_calibration_error(p.probability),
        "predicted_classes": _predicted_classes(p),
        "mean_confidence": float(np.mean(chosen, dtype=np.float64)),
        "baselines": {
            name: _as_dicts(bootstrap.score_intervals(p.label, probability, *task))
            for name, probability in p.baseline_probability.items()
        },
        "above_baselines": {
            name: _as_dicts(
                bootstrap.difference_intervals(
                    p.label, p.probability, probability, *task
                )
            )
            for name, probability in p.baseline_probability.items()
        },
        "after_detection": _after_detection(p),
        "spread": _spread(p),
        "per_class": _per_class(p),
        "by_label_source": _by_label_source(p),
    }


def _predicted_classes(p: Predictions) -> dict[str, int]:
    """Returns how many objects are predicted as each class that occurs."""
    number, count = np.unique(
        metrics.predicted_class(p.probability), return_counts=True
    )
    return {p.classes[i]: int(n) for i, n in zip(number, count, strict=True)}


def _after_detection(p: Predictions) -> dict:
    label, task = p.label[p.detected], (p.group[p.detected], len(p.classes))
    early = zip(p.early_days.tolist(), p.early_days_probability, strict=True)
    if not len(label):  # no object was detected, or early classification was not run
        early = ()
    return {
        "num_objects": len(label),
        "days": {
            str(days): _as_dicts(bootstrap.score_intervals(label, probability, *task))
            for days, probability in early
        },
    }


def _spread(p: Predictions) -> dict:
    """Mean spread of the predicted class; {} for models that sample no networks."""
    if not p.spread.size:
        return {}
    of_all = calibration.spread_of_predicted_class(p.probability, p.spread)
    early = {
        n: calibration.spread_of_predicted_class(probability, spread)
        for n, probability, spread in zip(
            p.early_epochs.tolist(), p.early_probability, p.early_spread, strict=True
        )
    }
    gaps = {}
    if early:
        first = early[min(early)] - of_all
        gaps["first_above_all"] = bootstrap.mean_interval(first, p.group)
    is_wrong = metrics.predicted_class(p.probability) != p.label
    if is_wrong.any() and not is_wrong.all():
        gap = bootstrap.mean_gap_interval(of_all, is_wrong, p.group)
        gaps["wrong_above_right"] = gap
    means = {n: bootstrap.mean_interval(spread, p.group) for n, spread in early.items()}
    return {
        "all": bootstrap.mean_interval(of_all, p.group)._asdict(),
        "first": {str(n): interval._asdict() for n, interval in means.items()},
        **_as_dicts(gaps),
    }


def _per_class(p: Predictions) -> dict[str, dict]:
    predicted = metrics.predicted_class(p.probability)
    value = metrics.per_class_scores(p.label, predicted, len(p.classes))
    draws = bootstrap.per_class_scores_of(
        bootstrap.confusion_draws(p.label, predicted, p.group, len(p.classes))
    )
    return {
        name: {
            score: bootstrap.interval(value[score][c], draws[score][:, c])._asdict()
            for score in ("precision", "recall", "f1")
        }
        | {"count": int(value["count"][c])}
        for c, name in enumerate(p.classes)
    }


def _by_label_source(p: Predictions) -> dict[str, dict]:
    found = {}
    for source in np.unique(p.label_source).tolist():
        rows = p.label_source == source
        intervals = bootstrap.score_intervals(
            p.label[rows], p.probability[rows], p.group[rows], len(p.classes)
        )
        found[source] = _as_dicts(intervals) | {"count": int(rows.sum())}
    return found


def _as_dicts(intervals: dict) -> dict[str, dict]:
    return {name: interval._asdict() for name, interval in intervals.items()}


def _rows(result: dict):
    yield ["name", "score", "value", "low", "high", "num_objects"]
    num_objects = result["num_objects"]
    for name in metrics.SCORES:
        yield ["all", name, *result[name].values(), num_objects]
    for baseline, table in result["baselines"].items():
        for name, interval in table.items():
            yield [f"baseline {baseline}", name, *interval.values(), num_objects]
    for name, table in result["per_class"].items():
        for score in ("precision", "recall", "f1"):
            yield [f"class {name}", score, *table[score].values(), table["count"]]
