"""Scores at every level of a hierarchy of classes, the coarsest first."""

import csv
from pathlib import Path

from jaxastro.data.hierarchy import index_within, levels_of, node_probabilities
from jaxastro.evaluation.hierarchy_scores import scores_at
from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.baselines import draw_intervals

_PANELS = {
    "macro_f1": "Macro F1",
    "balanced_accuracy": "Balanced accuracy",
    "accuracy": "Accuracy",
}


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws each level's scores and writes them as a table, if there are levels."""
    p, folder = predictions, Path(folder)
    levels = levels_of(p.classes, p.hierarchy)
    if len(levels) < 2:
        return []
    names = [f"level {number}" for number in range(1, len(levels))] + ["classes"]
    tables = [
        scores_at(
            index_within(p.label, level),
            node_probabilities(p.probability, level),
            *(p.group, tuple(level)),
        )
        for level in levels
    ]
    path = folder / "levels.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = zip(names, tables, strict=True)
        table = csv.writer(file)
        table.writerow(["level", "who", "score", "value", "low", "high", "num_objects"])
        table.writerows([name, *row] for name, table in rows for row in _rows(table))
    picture = _drawn(names, levels, tables)
    told = "; ".join(
        f"{name} {style.interval_text(table['all']['macro_f1'])}"
        for name, table in zip(names, tables, strict=True)
    )
    saved = style.save(
        picture,
        folder / "levels.png",
        title="How finely can it tell?",
        caption=(
            "Classes lie within others; what is said of a whole is the sum of what is "
            "said of its parts, and at each level the most probable is predicted. Each "
            "dot is a score, each bar the range it would have with other objects "
            f"(95%). {_listed(names, levels)} A level of more names is a harder task, "
            "so a lower score is no worse network. levels.csv has each name's own."
        ),
        alt=f"Scores with intervals at each level. Macro F1: {told}.",
    )
    return [saved, path]


def _rows(table: dict[str, dict]):
    for who, scores in table.items():
        for score, interval in scores.items():
            if score != "num_objects":
                yield who, score, *interval, scores["num_objects"]


def _listed(names: list[str], levels: list[dict]) -> str:
    return " ".join(
        f"{name.capitalize()}: {', '.join(level)}."
        for name, level in zip(names, levels, strict=True)
    )


def _drawn(names: list[str], levels: list[dict], tables: list[dict]):
    figure = style.new_figure(style.WIDTH, 1.25 + 0.42 * len(names))
    panels = figure.subplots(1, len(_PANELS), sharey=True)
    for axes, (score, title) in zip(panels, _PANELS.items(), strict=True):
        style.tidy(axes, title=title, grid="x")
        draw_intervals(axes, [table["all"][score] for table in tables], first=False)
    words = [
        f"{name}, {len(level)} names" for name, level in zip(names, levels, strict=True)
    ]
    panels[0].set_yticks(range(len(names)), words)
    panels[0].tick_params(axis="y", labelsize=style.NORMAL, labelcolor=style.INK)
    return figure
