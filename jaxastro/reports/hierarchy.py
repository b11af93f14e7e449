"""Scores at each level of a class hierarchy, coarsest level first."""

import csv
from pathlib import Path

from jaxastro.data.hierarchy import index_within, levels_of, node_probabilities
from jaxastro.evaluation.hierarchy_scores import scores_at
from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.baselines import PANELS, draw_intervals


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws the scores of each level and writes them to hierarchy.csv.

    Returns nothing if the classes have no hierarchy.
    """
    p, folder = predictions, Path(folder)
    levels = levels_of(p.classes, p.hierarchy)
    if len(levels) < 2:
        return []
    names = [f"level {number}" for number in range(1, len(levels))] + ["classes"]
    tables = [
        scores_at(
            index_within(p.label, level),
            node_probabilities(p.probability, level),
            p.group,
            tuple(level),
        )
        for level in levels
    ]
    csv_path = folder / "hierarchy.csv"
    with csv_path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        columns = ["level", "name", "score", "value", "low", "high", "num_objects"]
        writer.writerow(columns)
        for name, table in zip(names, tables, strict=True):
            writer.writerows([name, *row] for row in _rows(table))
    listed = "; ".join(
        f"{name} {style.interval_text(table['all']['macro_f1'])}"
        for name, table in zip(names, tables, strict=True)
    )
    png_path = style.save(
        _draw(names, levels, tables),
        folder / "hierarchy.png",
        title="Hierarchy",
        caption=(
            "Scores at each level of the class hierarchy. The probability of a group "
            "is the sum over its classes, and the most probable name of a level is "
            "the prediction. Bars are 95% intervals. "
            f"{_list_levels(names, levels)} A level with more names is a harder task. "
            "hierarchy.csv has the scores of each name."
        ),
        alt=f"Scores with intervals at each level. Macro F1: {listed}.",
    )
    return [png_path, csv_path]


def _rows(table: dict[str, dict]):
    for name, scores in table.items():
        for score, interval in scores.items():
            if score != "num_objects":
                yield name, score, *interval, scores["num_objects"]


def _list_levels(names: list[str], levels: list[dict]) -> str:
    return " ".join(
        f"{name.capitalize()}: {', '.join(level)}."
        for name, level in zip(names, levels, strict=True)
    )


def _draw(names: list[str], levels: list[dict], tables: list[dict]):
    figure = style.new_figure(style.WIDTH, 1.25 + 0.42 * len(names))
    panels = figure.subplots(1, len(PANELS), sharey=True)
    for axes, (score, title) in zip(panels, PANELS.items(), strict=True):
        style.label_axes(axes, title=title, grid="x")
        intervals = [table["all"][score] for table in tables]
        draw_intervals(axes, intervals, emphasise_first=False)
    labels = [
        f"{name}, {len(level)} names" for name, level in zip(names, levels, strict=True)
    ]
    panels[0].set_yticks(range(len(names)), labels)
    panels[0].tick_params(axis="y", labelsize=style.NORMAL, labelcolor=style.INK)
    return figure
