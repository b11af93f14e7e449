"""Report that compares several trained systems in one table.

Each module writes one picture from Systems (jaxastro/evaluation/systems.py). tables.py
builds the tables; page.py writes them as Markdown and HTML.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from jaxastro.errors import InputError
from jaxastro.evaluation.systems import System, table_rows
from jaxastro.reports.comparison import (
    confusion_matrix,
    embedding,
    missing_epochs,
    page,
    roc_curves,
    score_intervals,
    tables,
)
from jaxastro.reports.comparison.order_check import published_order
from jaxastro.reports.comparison.summary import summarise


def write(
    systems: Sequence[System],
    folder: Path,
    *,
    title: str,
    reference: str,
    runs: int,
    shown: Sequence[str] = (),
    classes: Sequence[str] = (),
) -> list[Path]:
    """Writes table.json, table.md, table.html and pictures, and returns their paths.

    An unfinished table is written from the finished runs; the page states their number.

    Args:
        reference: the system with which all others are compared.
        runs: planned runs of each system, folds times seeds.
        shown: systems whose confusion matrices are drawn; for the first two also ROC
            curves and embeddings. If empty: the reference and the best other system.
        classes: classes whose ROC curves are drawn, at most four. If empty: the first
            four.
    Raises:
        ValueError: if the systems cannot be compared in one table.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rows = table_rows(systems, reference)
    trained = [system for system in systems if system.members]
    scores = {r["model"]: r["macro_f1"] for r in rows if r["seed"] == "ensemble"}
    known = trained[0].members[0].predictions.classes
    _check_names("system", shown, [system.name for system in systems])
    _check_names("class", classes, known)
    chosen = _choose(trained, shown or _default_shown(scores, reference))
    curves = missing_epochs.curves_of(trained)
    paths = [
        *score_intervals.write(trained, folder, scores, reference),
        *confusion_matrix.write(chosen, folder),
        *roc_curves.write(chosen[:2], folder, classes or known),
        *missing_epochs.write(curves, folder),
        *embedding.write(chosen[:2], folder),
    ]
    others = [path for path in paths if path.suffix != ".png"]
    pictures = [path for path in paths if path.suffix == ".png"]

    checks = published_order(trained, reference)
    found = [
        tables.measured(rows, reference, runs),
        tables.other_averages(rows),
        tables.missing(curves, reference),
        tables.published(systems),
        tables.order(checks),
    ]
    parts = {
        "title": title,
        "summary": summarise(systems, rows, checks, reference=reference, runs=runs),
        "tables": [table for table in found if table],
        "pictures": pictures,
    }
    path = folder / "table.json"
    text = json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
    all_runs = tables.all_runs(rows)
    return [
        path,
        page.write_markdown(folder, **parts),
        page.write_html(folder, **parts, runs=all_runs, reference=reference),
        *pictures,
        *others,
    ]


def _check_names(kind: str, given: Sequence[str], known: Sequence[str]) -> None:
    if unknown := [name for name in given if name not in known]:
        raise InputError(
            f"Unknown {kind} {unknown[0]!r}. The table has {', '.join(known)}. Use one "
            "of these names."
        )


def _default_shown(scores: dict[str, dict], reference: str) -> list[str]:
    others = sorted(
        (name for name in scores if name != reference),
        key=lambda name: (-scores[name]["value"], name),
    )
    return [name for name in (reference, *others[:1]) if name in scores]


def _choose(trained: Sequence[System], shown: Sequence[str]) -> list[System]:
    """Returns the trained systems of these names, or the first if none is trained."""
    by_name = {system.name: system for system in trained}
    return [by_name[name] for name in shown if name in by_name] or [trained[0]]
