"""Confusion matrix, as a picture and as a table of counts."""

import csv
from pathlib import Path

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from jaxastro.data.csv_escaping import escape_cell
from jaxastro.evaluation import bootstrap, metrics
from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style

_MOST_DETAILED_CLASSES = 8  # larger matrices have no room for three lines per cell
_DETAILS = (
    "Brackets are 95% intervals, omitted for 0% and 100%; the number below is the "
    "count of objects. "
)
SHADES = LinearSegmentedColormap.from_list("white to blue", ["#ffffff", "#0072B2"])


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws the confusion matrix and writes its counts to confusion_matrix.csv."""
    p = predictions
    predicted = metrics.predicted_class(p.probability)
    counts = metrics.confusion(p.label, predicted, len(p.classes))
    draws = bootstrap.confusion_draws(p.label, predicted, p.group, len(p.classes))
    share = row_share(counts)
    low, high = np.percentile(row_share(draws), [2.5, 97.5], axis=0)

    csv_path = Path(folder) / "confusion_matrix.csv"
    with csv_path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["true class", *(f"predicted {name}" for name in p.classes)])
        rows = zip(p.classes, counts.tolist(), strict=True)
        writer.writerows([escape_cell(name), *row] for name, row in rows)

    details = _DETAILS if len(p.classes) <= _MOST_DETAILED_CLASSES else ""
    png_path = style.save(
        _draw(p.classes, counts, share, low, high),
        Path(folder) / "confusion_matrix.png",
        title="Confusion matrix",
        caption=(
            "One row per true class: the share of its objects that the model assigned "
            f"to each class. Each row adds up to 100%. {details}A perfect model has "
            "100% on the diagonal; a dark cell off the diagonal is a systematic "
            "confusion."
        ),
        alt=_alt(p.classes, counts),
    )
    return [png_path, csv_path]


def row_share(counts: np.ndarray) -> np.ndarray:
    """Returns the share of each true class predicted as each class; 0/0 gives 0."""
    total = counts.sum(-1, keepdims=True)
    return np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)


def _draw(classes, counts, share, low, high):
    size = len(classes)
    is_detailed = size <= _MOST_DETAILED_CLASSES
    side = 1.15 * size if is_detailed else min(0.42 * size, style.WIDTH - 1.5)
    figure = style.new_figure(min(side + 2, style.WIDTH), 0.78 * side + 1.2)
    axes = figure.subplots()
    axes.imshow(share, cmap=SHADES, vmin=0, vmax=1, aspect="auto")
    num_lines = 3 if is_detailed else 1
    for true, predicted in np.ndindex(size, size):
        cell = true, predicted
        _write_cell(
            axes,
            (predicted, true),
            is_empty=not counts[true].any(),
            texts=_cell_texts(cell, counts, share, low, high)[:num_lines],
            color="white" if share[true, predicted] > 0.75 else style.INK,
        )
    names = [style.display_name(name, 16) for name in classes]
    totals = [
        f"{name}\n{style.count_text(count, 'object')}"
        for name, count in zip(names, counts.sum(1).tolist(), strict=True)
    ]
    style.label_axes(axes, x="predicted class", y="true class", grid=None)
    axes.set_xticks(range(size), names, rotation=0 if is_detailed else 60)
    axes.set_yticks(range(size), totals if is_detailed else names)
    axes.tick_params(labelsize=style.NORMAL if is_detailed else style.SMALL)
    axes.tick_params(labelcolor=style.INK)
    draw_cell_borders(axes, size)
    return figure


def draw_cell_borders(axes, size: int) -> None:
    """Draws white borders between the cells of a matrix and removes the frame."""
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(size + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(size + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2.5)
    axes.tick_params(which="minor", length=0)


def _cell_texts(cell, counts, share, low, high) -> tuple[str, str, str]:
    """Returns percentage, interval and count of a cell."""
    span = f"[{100 * low[cell]:.0f}, {100 * high[cell]:.0f}]"
    # At 0% and 100% all resamples agree, and [0, 0] would claim certainty.
    has_interval = low[cell] < high[cell]
    return f"{share[cell]:.0%}", span if has_interval else "", f"{counts[cell]}"


def _write_cell(axes, place, *, is_empty: bool, texts, color: str) -> None:
    column, row = place
    if is_empty:
        axes.text(column, row, "–", ha="center", va="center", color=style.MUTED)
        return
    if len(texts) == 1:
        if texts[0] != "0%":
            centred = {"ha": "center", "va": "center", "fontsize": 6.5}
            axes.text(column, row, texts[0], color=color, **centred)
        return
    sizes = (13, style.SMALL, style.SMALL)
    for text, size, offset in zip(texts, sizes, (-0.17, 0.11, 0.3), strict=True):
        is_main = size == sizes[0]
        axes.text(
            column,
            row + offset,
            text,
            ha="center",
            va="center",
            color=color,
            fontsize=size,
            weight="bold" if is_main else "normal",
            alpha=1 if is_main else 0.85,
        )


def _alt(classes, counts) -> str:
    wrong = counts - np.diag(np.diag(counts))
    true, predicted = np.unravel_index(wrong.argmax(), wrong.shape)
    text = f"Confusion matrix of {len(classes)} classes, {np.trace(counts)} of "
    text += f"{counts.sum()} objects on the diagonal."
    if wrong.any():
        text += f" Most frequent confusion: {wrong[true, predicted]} of "
        text += (
            f"{counts[true].sum()} {classes[true]} predicted as {classes[predicted]}."
        )
    return text
