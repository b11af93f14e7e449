"""Summary sentences and cautions of a comparison."""

from collections.abc import Sequence

import numpy as np

from jaxastro.evaluation.bootstrap import FEW_GROUPS
from jaxastro.evaluation.systems import SCORES, System
from jaxastro.reports.comparison.missing_epochs import SCORE_NAMES
from jaxastro.reports.comparison.order_check import OrderCheck, count_outcomes
from jaxastro.reports.style import count_text, percent_text

_FEW_OBJECTS = 20


def summarise(
    systems: Sequence[System],
    rows: Sequence[dict],
    checks: Sequence[OrderCheck],
    *,
    reference: str,
    runs: int,
) -> dict:
    """Returns facts, summary, cautions and tone, as the page shows them."""
    done = {system.name: len(system.members) for system in systems}
    is_done = all(number >= runs for number in done.values())
    total = f"{sum(done.values())} of {runs * len(done)} runs"
    tested = tested_once(systems)
    label = np.array([one[0] for one in tested.values()])
    groups = len({one[1] for one in tested.values()})
    classes = next(m.predictions.classes for s in systems for m in s.members)
    sentences = [*_best(rows, reference), *_published_order(checks)]
    if not is_done:
        sentences.insert(0, f"Unfinished: {total} are done.")
    return {
        "facts": [
            count_text(len(systems), "system"),
            total,
            f"{len(label)} objects in {groups} groups",
            f"classes {', '.join(classes)}",
        ],
        "summary": sentences,
        "cautions": [*_unfinished(done, runs), *_few(label, groups, classes)],
        "tone": "clear" if is_done and groups >= FEW_GROUPS else "unclear",
    }


def tested_once(systems: Sequence[System]) -> dict[str, tuple[int, str]]:
    """Returns label and group of every object on which any system was tested."""
    return {
        name: (int(label), str(group))
        for system in systems
        for member in system.members
        for name, label, group in zip(
            member.predictions.object_id.tolist(),
            member.predictions.label,
            member.predictions.group,
            strict=True,
        )
    }


def _best(rows: Sequence[dict], reference: str) -> list[str]:
    scored = {row["model"]: row for row in rows if row["seed"] == "ensemble"}
    best = max(scored, key=lambda name: (scored[name]["macro_f1"]["value"], name))
    row = scored[best]
    found = [f"Highest macro F1: “{best}”, {percent_text(row['macro_f1'])} %."]
    if "above_reference" in row:
        gap = row["above_reference"]["macro_f1"]
        enough = row["above_reference"]["groups"] >= FEW_GROUPS
        claim = "clearly" if gap["low"] > 0 and enough else "not clearly"
        found.append(
            f"It is {claim} above the reference, “{reference}”: "
            f"{percent_text(gap, sign='+')} points, paired."
        )
        if len(scored) > 2:
            found.append(
                f"It was selected as the best of {len(scored)} by this score, so its "
                "score on new objects is expected to be slightly lower."
            )
    elif best == reference and len(scored) > 1:
        found.append("It is the reference; the first table gives all differences.")
    return found


def _published_order(checks: Sequence[OrderCheck]) -> list[str]:
    found = []
    for score in reversed(SCORES):
        if counted := count_outcomes(checks, score):
            name = SCORE_NAMES[score]
            name = name[0].lower() + name[1:]
            found.append(f"Published orders by {name}: {counted}.")
    return found


def _unfinished(done: dict[str, int], runs: int) -> list[str]:
    short = [
        f"{name} {number} of {runs}" for name, number in done.items() if number < runs
    ]
    if not short:
        return []
    return [
        f"Not all runs are done: {'; '.join(short)}. Scores will change with the "
        "missing folds and seeds. Differences use only objects on which both systems "
        "were tested."
    ]


def _few(label: np.ndarray, groups: int, classes: Sequence[str]) -> list[str]:
    found = []
    if groups < FEW_GROUPS:
        found.append(
            f"The objects form only {count_text(groups, 'independent group')}. "
            f"Intervals from fewer than {FEW_GROUPS} groups are too narrow, so no "
            "order is decided."
        )
    counts = np.bincount(label, minlength=len(classes))
    absent = [n for n, c in zip(classes, counts, strict=True) if not c]
    rare = [n for n, c in zip(classes, counts, strict=True) if 0 < c < _FEW_OBJECTS]
    if absent:
        found.append(
            f"No object of class {', '.join(absent)} was tested. Such a class counts "
            "as 0 in macro F1."
        )
    if rare:
        found.append(
            f"Fewer than {_FEW_OBJECTS} objects of class {', '.join(rare)} were "
            "tested. A single object changes macro F1 by several points."
        )
    return found
