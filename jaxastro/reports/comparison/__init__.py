"""Several trained systems in one table, with the pictures that compare them.

Reads Systems (jaxastro/evaluation/systems.py) and nothing else. One file per picture;
tables.py has the tables, page.py sets them as Markdown and HTML.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from jaxastro.errors import InputError
from jaxastro.evaluation.systems import System, table_rows
from jaxastro.reports.comparison import (
    confusion,
    curves,
    embedding,
    forest,
    missing_epochs,
    page,
    tables,
)
from jaxastro.reports.comparison.order_check import published_order
from jaxastro.reports.comparison.summary import words_of


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
    """Writes table.json, table.md, table.html and the pictures, and returns them.

    A table half done is written from the runs there are, and says how many of how many.

    Args:
        reference: the system that all others are measured against.
        runs: how many each system is to have: folds times seeds.
        shown: systems whose confusion matrices are drawn; of the first two also curves
            and embeddings. If empty: the reference, and the best of the others.
        classes: whose curves are drawn, at most four. If empty: the first four.
    Raises:
        ValueError: if the systems cannot stand in one table.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rows = table_rows(systems, reference)
    trained = [system for system in systems if system.members]
    scores = {r["model"]: r["macro_f1"] for r in rows if r["seed"] == "ensemble"}
    known = trained[0].members[0].predictions.classes
    _check_names("systems to show", shown, [system.name for system in systems])
    _check_names("classes of the curves", classes, known)
    chosen = _chosen(trained, shown or _default_shown(scores, reference))
    thinned = missing_epochs.curves_of(trained)
    pictures = [
        *forest.write(trained, folder, scores, reference),
        *missing_epochs.write(thinned, folder),
        *confusion.write(chosen, folder),
        *curves.write(chosen[:2], folder, classes or known),
        *embedding.write(chosen[:2], folder),
    ]
    others = [path for path in pictures if path.suffix != ".png"]
    pictures = [path for path in pictures if path.suffix == ".png"]

    verdicts = published_order(trained, reference)
    found = [
        tables.measured(rows, reference, runs),
        tables.otherwise(rows),
        tables.missing(thinned, reference),
        tables.published(systems),
        tables.order(verdicts),
    ]
    parts = {
        "title": title,
        "words": words_of(systems, rows, verdicts, reference=reference, runs=runs),
        "tables": [table for table in found if table],
        "pictures": pictures,
    }
    path = folder / "table.json"
    text = json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
    return [
        path,
        page.write_markdown(folder, **parts),
        page.write_html(folder, **parts, runs=tables.cells(rows), reference=reference),
        *pictures,
        *others,
    ]


def _check_names(what: str, given: Sequence[str], known: Sequence[str]) -> None:
    if unknown := [name for name in given if name not in known]:
        raise InputError(
            f"Unknown name {unknown[0]!r} among the {what}. The table knows "
            f"{', '.join(known)}. Write one of them."
        )


def _default_shown(scores: dict[str, dict], reference: str) -> list[str]:
    others = sorted(
        (name for name in scores if name != reference),
        key=lambda name: (-scores[name]["value"], name),
    )
    return [name for name in (reference, *others[:1]) if name in scores]


def _chosen(trained: Sequence[System], shown: Sequence[str]) -> list[System]:
    """The systems of these names that have runs; if none has, the first that has."""
    by_name = {system.name: system for system in trained}
    return [by_name[name] for name in shown if name in by_name] or [trained[0]]
