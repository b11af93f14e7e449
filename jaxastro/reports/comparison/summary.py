"""The comparison in sentences: what was shown, what was not, what to beware of."""

from collections.abc import Sequence

import numpy as np

from jaxastro.evaluation.bootstrap import FEW_GROUPS
from jaxastro.evaluation.systems import SCORES, System
from jaxastro.reports.comparison import order_check
from jaxastro.reports.comparison.missing_epochs import WORDS
from jaxastro.reports.style import percent_text

_FEW_OBJECTS = 20


def words_of(
    systems: Sequence[System],
    rows: Sequence[dict],
    verdicts: Sequence[order_check.Verdict],
    *,
    reference: str,
    runs: int,
) -> dict:
    """Returns facts, verdict and cautions, and the tone in which they are shown."""
    done = {system.name: len(system.members) for system in systems}
    is_done = all(number >= runs for number in done.values())
    tested = tested_once(systems)
    label = np.array([one[0] for one in tested.values()])
    groups = len({one[1] for one in tested.values()})
    classes = next(m.predictions.classes for s in systems for m in s.members)
    sentences = [*_best(rows, reference), *_order(verdicts)]
    if not is_done:
        sentences.insert(0, f"Unfinished: {sum(done.values())} of {runs * len(done)} ")
        sentences[0] += "runs are done."
    return {
        "facts": [
            f"{len(systems)} system{'s' * (len(systems) > 1)}",
            f"{sum(done.values())} of {runs * len(done)} runs",
            f"{len(label)} objects in {groups} groups",
            f"classes {', '.join(classes)}",
        ],
        "verdict": sentences,
        "cautions": [
            *_unfinished(done, runs),
            *_few(label, groups, classes),
        ],
        "tone": "clear" if is_done and groups >= FEW_GROUPS else "unclear",
    }


def tested_once(systems: Sequence[System]) -> dict[str, tuple[int, str]]:
    """Returns label and group of every object that any system was tested on."""
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
    told = [f"Highest macro F1 here: “{best}”, {percent_text(row['macro_f1'])} %."]
    if "above_reference" in row:
        gap = row["above_reference"]["macro_f1"]
        enough = row["above_reference"]["groups"] >= FEW_GROUPS
        if gap["low"] > 0 and enough:
            claim = f"It is clearly above the reference, “{reference}”"
        else:
            claim = f"It is not clearly above the reference, “{reference}”"
        told.append(f"{claim}: {percent_text(gap, sign='+')} points, paired.")
        if len(scored) > 2:
            told.append(
                f"The best of {len(scored)} was picked by this very score, so what it "
                "is worth on new objects is a little less."
            )
    elif best == reference and len(scored) > 1:
        told.append("It is the reference; the first table says how clearly.")
    return told


def _order(verdicts: Sequence[order_check.Verdict]) -> list[str]:
    return [
        f"Published orders in {WORDS[score][0].lower()}{WORDS[score][1:]}: {counted}."
        for score in reversed(SCORES)
        if (counted := order_check.counts(verdicts, score))
    ]


def _unfinished(done: dict[str, int], runs: int) -> list[str]:
    short = [
        f"{name} {number} of {runs}" for name, number in done.items() if number < runs
    ]
    if not short:
        return []
    return [
        "Not all runs are done, and scores of other folds or fewer seeds will differ: "
        f"{'; '.join(short)}. Differences are taken on the objects that both systems "
        "were tested on."
    ]


def _few(label: np.ndarray, groups: int, classes: Sequence[str]) -> list[str]:
    told = []
    if groups < FEW_GROUPS:
        told.append(
            f"The objects fall into {groups} independent groups only. Intervals from "
            f"fewer than {FEW_GROUPS} are too narrow, so no order is decided."
        )
    counts = np.bincount(label, minlength=len(classes))
    absent = [n for n, c in zip(classes, counts, strict=True) if not c]
    rare = [n for n, c in zip(classes, counts, strict=True) if 0 < c < _FEW_OBJECTS]
    if absent:
        told.append(
            f"No object of class {', '.join(absent)} was tested; it counts as 0 in "
            "macro F1."
        )
    if rare:
        told.append(
            f"Fewer than {_FEW_OBJECTS} objects of class {', '.join(rare)}: one object "
            "more or less moves macro F1 by points."
        )
    return told
