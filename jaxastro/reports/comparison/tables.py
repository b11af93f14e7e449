"""The tables of the page: ours, and apart from them what was published."""

from collections.abc import Sequence
from typing import NamedTuple

from jaxastro.evaluation.systems import SCORES, System
from jaxastro.reports.comparison.missing_epochs import (
    WORDS,
    Curve,
    area_above,
    area_under,
)
from jaxastro.reports.comparison.order_check import Verdict
from jaxastro.reports.style import percent_text

PUBLISHED = {"accuracy": "accuracy, %", "macro_f1": "macro F1, %"}
PUBLISHED |= {"seconds": "training", "parameters": "parameters"}
_NONE = "–"


class Table(NamedTuple):
    """A table in words, for Markdown and HTML alike."""

    name: str  # in addresses
    heading: str
    note: str  # how to read it
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]  # the first cell names the row


def measured(rows: Sequence[dict], reference: str, runs: int) -> Table:
    """Returns our scores: one row for each system, seeds averaged, folds pooled."""
    columns = ["model", "accuracy, %", "macro F1, %", "macro F1 above reference"]
    columns += ["p, accuracy (Holm)", "runs", "training of a run", "parameters"]
    told = []
    for row in _ensembles(rows):
        gap, p_value = _NONE, _NONE
        # A forest has none that compare with a network's weights.
        size = f"{row['parameters']:,}" if row["parameters"] else _NONE
        if "above_reference" in row:
            above = row["above_reference"]
            gap = percent_text(above["macro_f1"], sign="+")
            p_value = p_text(above["p_value_holm"])
        elif row["model"] == reference:
            gap = "the reference"
        told.append(
            (
                row["model"],
                *(percent_text(row[score]) for score in SCORES),
                *(gap, p_value, f"{row['runs']} of {runs}"),
                *(time_text(row["seconds"] / row["runs"]), size),
            )
        )
    note = (
        "Every object once, by models that were not trained on it: in each test fold "
        "the probabilities of the seeds are averaged, and the folds are pooled. "
        "Brackets are 95% intervals from resampling the objects by group. The "
        f"difference to the reference, {reference}, is paired, in percentage points: "
        "both are scored on the same resamples. p is McNemar's exact test of the "
        "accuracies, corrected for all rows together (Holm); it takes each object to "
        "be independent, the intervals do not."
    )
    return Table("measured", "Measured here", note, tuple(columns), told)


def otherwise(rows: Sequence[dict]) -> Table:
    """Returns our scores averaged in other ways: classes, folds, seeds, sure labels."""
    by_model = {row["model"]: row for row in rows if row["seed"] == "mean"}
    columns = ["model", "balanced accuracy, %"]
    for words in ("accuracy", "macro F1"):
        columns.append(f"{words}, mean over folds, %")
    columns += ["accuracy, mean of the seeds", "macro F1, mean of the seeds"]
    has_confirmed = any("accuracy_confirmed" in row for row in rows)
    if has_confirmed:
        columns += ["accuracy, confirmed labels", "macro F1, confirmed labels"]
    told = []
    for row in _ensembles(rows):
        mean = by_model.get(row["model"], {})
        cells = [percent_text(row["balanced_accuracy"])]
        cells += [_spread_text(row[f"{score}_over_folds"]) for score in SCORES]
        cells += [percent_text(mean[s]) if mean else _NONE for s in SCORES]
        if has_confirmed:
            sure = [row[f"{score}_confirmed"] for score in SCORES]
            cells += [percent_text(one) if one else _NONE for one in sure]
        told.append((row["model"], *cells))
    note = (
        "The same runs, averaged in other ways. Balanced accuracy: the mean over the "
        "classes of the share of their objects that are found. Mean over folds: the "
        "score within each test fold (seeds averaged first), its mean and its standard "
        "deviation over folds, as most papers give it; macro F1 of a small fold is not "
        "that of all objects together. Mean of the seeds: one network at a time, and "
        "no ensemble."
    )
    if has_confirmed:
        note += (
            " Confirmed labels: only objects whose class is known from a spectrum or "
            "a catalogue; macro F1 is then over the classes that have any."
        )
    return Table("otherwise", "Averaged otherwise", note, tuple(columns), told)


def published(systems: Sequence[System]) -> Table | None:
    """Returns what was published of the systems, or None."""
    named = [system for system in systems if system.published]
    keys = dict.fromkeys(key for system in named for key in system.published)
    keys = sorted(keys, key=[*PUBLISHED, *keys].index)
    if not keys:
        return None
    rows = [
        (s.name, *(_published_text(key, s.published) for key in keys)) for s in named
    ]
    note = (
        "Numbers of the publications, of other data: other objects, other cuts, other "
        "machines. They stand apart because no number here may be set against one "
        "above; only the order of the rows can be compared, which the next table does."
    )
    columns = ("model", *(PUBLISHED.get(key, key) for key in keys))
    return Table("published", "Published, of other data", note, columns, rows)


def order(verdicts: Sequence[Verdict]) -> Table | None:
    """Returns row by row whether a published order of two systems holds here."""
    if not verdicts:
        return None
    rows = [
        (
            v.above,
            v.below,
            WORDS[v.score],
            f"{v.published:.2f}",
            percent_text(v.here, sign="+"),
            f"{v.says} here",
        )
        for v in verdicts
    ]
    note = (
        "Each row names two systems in the order of their publication. Confirmed: here "
        "too the first is above the second, and the 95% interval of the paired "
        "difference leaves out zero. Contradicted: it is below, and the interval "
        "leaves out zero. Undecided: our objects cannot tell. Each interval is one of "
        "95% by itself, so of twenty systems that are alike one seems to differ. "
        "Differences are percentage points."
    )
    columns = ("published above", "the other", "score", "published difference")
    heading = "Does the published order hold here?"
    return Table("order", heading, note, (*columns, "difference here", "verdict"), rows)


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
            words = percent_text(gap, sign="+") if gap else _NONE
            cells.append(percent_text(area_under(curve, score)))
            cells.append("the reference" if name == reference else words)
        rows.append(tuple(cells))
    note = (
        "Mean height of the curves drawn below: the area under the score over the "
        "shares of epochs taken away, divided by their range. Differences are paired, "
        "in percentage points."
    )
    columns = ["model", "shares"]
    for words in ("accuracy", "macro F1"):
        columns += [f"{words}, %", "above reference"]
    heading = "Mean score over all shares of missing epochs"
    return Table("areas", heading, note, tuple(columns), rows)


def cells(rows: Sequence[dict]) -> Table:
    """Returns the score of every run by itself."""
    single = [row for row in rows if row["fold"] != "all"]
    told = [
        (
            f"{row['model']}, fold {row['fold']}, seed {row['seed']}",
            str(row["objects"]),
            *(percent_text(row[score]) for score in SCORES),
            time_text(row["seconds"]),
        )
        for row in single
    ]
    columns = ("run", "objects", "accuracy, %", "macro F1, %", "training")
    return Table("runs", "Every run", "One test fold and one seed each.", columns, told)


def time_text(seconds: float) -> str:
    """Returns such as 48 s, 12 min, 3.1 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def p_text(p_value: float) -> str:
    """Returns a p-value to two digits, or that it is at most 0.0001."""
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
