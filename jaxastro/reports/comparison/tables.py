"""Tables of a comparison: measured scores, and separately the published ones."""

from collections.abc import Sequence
from typing import NamedTuple

from jaxastro.evaluation.systems import SCORES, System
from jaxastro.reports.comparison.missing_epochs import (
    SCORE_NAMES,
    Curve,
    area_above,
    area_under,
)
from jaxastro.reports.comparison.order_check import OrderCheck
from jaxastro.reports.style import percent_text

PUBLISHED = {
    "accuracy": "accuracy, %",
    "macro_f1": "macro F1, %",
    "seconds": "training",
    "parameters": "parameters",
}
_NONE = "–"


class Table(NamedTuple):
    """A table of texts, for Markdown and HTML."""

    name: str  # anchor in the page
    heading: str
    note: str  # how to read it
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]  # the first cell names the row


def measured(rows: Sequence[dict], reference: str, runs: int) -> Table:
    """Returns the scores of every system, seeds averaged and folds pooled."""
    columns = (
        "model",
        "accuracy, %",
        "macro F1, %",
        "macro F1 above reference",
        "p, accuracy (Holm)",
        "runs",
        "training of a run",
        "parameters",
    )
    found = []
    for row in _ensembles(rows):
        gap, p_value = _NONE, _NONE
        # Forests have no parameters comparable to the weights of a network.
        size = f"{row['parameters']:,}" if row["parameters"] else _NONE
        if "above_reference" in row:
            above = row["above_reference"]
            gap = percent_text(above["macro_f1"], sign="+")
            p_value = p_text(above["p_value_holm"])
        elif row["model"] == reference:
            gap = "the reference"
        scores = (percent_text(row[score]) for score in SCORES)
        runs_done = f"{row['runs']} of {runs}"
        seconds = time_text(row["seconds"] / row["runs"])
        found.append((row["model"], *scores, gap, p_value, runs_done, seconds, size))
    note = (
        "Every object is scored once, by models that were not trained on it: the "
        "probabilities of the seeds are averaged within each test fold, and the folds "
        "are pooled. Brackets are 95% intervals from resampling the objects by group. "
        f"The difference to the reference, {reference}, is paired, in percentage "
        "points: both systems are scored on the same resamples. p is McNemar's exact "
        "test of the accuracies with Holm's correction for all rows; it assumes "
        "independent objects, the intervals do not."
    )
    return Table("measured", "Measured scores", note, columns, found)


def other_averages(rows: Sequence[dict]) -> Table:
    """Returns the scores averaged over classes, folds, seeds and confirmed labels."""
    by_model = {row["model"]: row for row in rows if row["seed"] == "mean"}
    columns = [
        "model",
        "balanced accuracy, %",
        "accuracy, mean over folds, %",
        "macro F1, mean over folds, %",
        "accuracy, mean of the seeds",
        "macro F1, mean of the seeds",
    ]
    has_confirmed = any("accuracy_confirmed" in row for row in rows)
    if has_confirmed:
        columns += ["accuracy, confirmed labels", "macro F1, confirmed labels"]
    found = []
    for row in _ensembles(rows):
        mean = by_model.get(row["model"], {})
        cells = [percent_text(row["balanced_accuracy"])]
        cells += [_spread_text(row[f"{score}_over_folds"]) for score in SCORES]
        cells += [percent_text(mean[s]) if mean else _NONE for s in SCORES]
        if has_confirmed:
            confirmed = [row[f"{score}_confirmed"] for score in SCORES]
            cells += [percent_text(one) if one else _NONE for one in confirmed]
        found.append((row["model"], *cells))
    note = (
        "The same runs with other averages. Balanced accuracy: mean recall over the "
        "classes. Mean over folds: the score within each test fold (seeds averaged "
        "first), mean and standard deviation over the folds, as in most papers. Macro "
        "F1 of small folds differs from that of all objects together. Mean of the "
        "seeds: scores of single networks, without an ensemble."
    )
    if has_confirmed:
        note += (
            " Confirmed labels: only objects with a class from a spectrum or a "
            "catalogue; macro F1 is then over the classes of these objects."
        )
    columns = tuple(columns)
    return Table("other_averages", "Other averages", note, columns, found)


def published(systems: Sequence[System]) -> Table | None:
    """Returns the published scores of the systems, or None."""
    named = [system for system in systems if system.published]
    keys = dict.fromkeys(key for system in named for key in system.published)
    keys = sorted(keys, key=[*PUBLISHED, *keys].index)
    if not keys:
        return None
    rows = [
        (s.name, *(_published_text(key, s.published) for key in keys)) for s in named
    ]
    note = (
        "Scores from the publications, measured on other objects, selections and "
        "machines. They cannot be compared with the scores above; only the order of "
        "the systems can, which the next table does."
    )
    columns = ("model", *(PUBLISHED.get(key, key) for key in keys))
    return Table("published", "Published scores (other data)", note, columns, rows)


def order(checks: Sequence[OrderCheck]) -> Table | None:
    """Returns the outcome for each published order of two systems, or None."""
    if not checks:
        return None
    rows = [
        (
            check.above,
            check.below,
            SCORE_NAMES[check.score],
            f"{check.published:.2f}",
            percent_text(check.measured, sign="+"),
            check.outcome,
        )
        for check in checks
    ]
    note = (
        "Each row names two systems in their published order. Confirmed: the first is "
        "also higher here, and the 95% interval of the paired difference excludes "
        "zero. Contradicted: it is lower, and the interval excludes zero. Undecided: "
        "the interval contains zero. The intervals are not corrected for multiple "
        "comparisons: one in twenty pairs of equal systems appears different. "
        "Differences are in percentage points."
    )
    columns = (
        "published higher",
        "published lower",
        "score",
        "published difference",
        "measured difference",
        "outcome",
    )
    return Table("order", "Published and measured order", note, columns, rows)


def missing(curves: dict[str, Curve], reference: str) -> Table | None:
    """Returns the mean score over all shares of missing epochs, or None."""
    if not curves:
        return None
    rows = []
    base = curves.get(reference)
    for name, curve in curves.items():
        cells = [name, f"0 to {curve.share[-1]:.0%}"]
        for score in SCORES:
            gap = base and area_above(curve, base, score)
            text = percent_text(gap, sign="+") if gap else _NONE
            cells.append(percent_text(area_under(curve, score)))
            cells.append("the reference" if name == reference else text)
        rows.append(tuple(cells))
    note = (
        "Mean height of the curves of missing epochs below: area under the curve "
        "divided by the range of shares. Differences are paired, in percentage points."
    )
    columns = (
        "model",
        "shares",
        "accuracy, %",
        "above reference",
        "macro F1, %",
        "above reference",
    )
    heading = "Mean score over shares of missing epochs"
    return Table("mean_missing_epochs", heading, note, columns, rows)


def all_runs(rows: Sequence[dict]) -> Table:
    """Returns the scores of every single run."""
    found = [
        (
            f"{row['model']}, fold {row['fold']}, seed {row['seed']}",
            str(row["objects"]),
            *(percent_text(row[score]) for score in SCORES),
            time_text(row["seconds"]),
        )
        for row in rows
        if row["fold"] != "all"
    ]
    columns = ("run", "objects", "accuracy, %", "macro F1, %", "training")
    note = "One test fold and one seed each."
    return Table("runs", "Single runs", note, columns, found)


def time_text(seconds: float) -> str:
    """Returns such as 48 s, 12 min, 3.1 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def p_text(p_value: float) -> str:
    """Returns a p-value with two digits, or an upper bound of 0.0001."""
    return "≤ 0.0001" if p_value <= 1e-4 else f"{p_value:.2g}"


def _ensembles(rows: Sequence[dict]) -> list[dict]:
    return [row for row in rows if row["seed"] == "ensemble"]


def _spread_text(found: dict) -> str:
    mean, deviation = found["mean"], found["deviation"]
    if deviation is None:
        return f"{100 * mean:.1f}"
    return f"{100 * mean:.1f} ± {100 * deviation:.1f}"


def _published_text(key: str, given: dict) -> str:
    if key not in given:
        return _NONE
    if key == "seconds":
        return time_text(given[key])
    return f"{given[key]:,.0f}" if key == "parameters" else f"{given[key]:.2f}"
