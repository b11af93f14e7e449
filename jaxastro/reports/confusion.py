"""Which class is taken for which."""

import csv
from pathlib import Path

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from jaxastro.data.csv_escaping import shown_cell
from jaxastro.evaluation import bootstrap, metrics
from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style

_MOST_CLASSES_WITH_WORDS = 8  # more cells than 64 have no room for three lines
_HOW_TO_READ_CELLS = (
    "Brackets are 95% intervals (none where it is none or all of them), the number "
    "below is a count of objects. "
)
SHADES = LinearSegmentedColormap.from_list("paper to blue", ["#ffffff", "#0072B2"])


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws the confusion matrix, and writes its counts as confusion.csv."""
    p = predictions
    predicted = metrics.predicted_class(p.probability)
    counts = metrics.confusion(p.label, predicted, len(p.classes))
    draws = bootstrap.confusion_draws(p.label, predicted, p.group, len(p.classes))
    share = row_share(counts)
    low, high = np.percentile(row_share(draws), [2.5, 97.5], axis=0)

    csv_path = Path(folder) / "confusion.csv"
    with csv_path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["true class", *(f"predicted {name}" for name in p.classes)])
        rows = zip(p.classes, counts.tolist(), strict=True)
        writer.writerows([shown_cell(name), *row] for name, row in rows)

    png_path = style.save(
        _draw(p.classes, counts, share, low, high),
        Path(folder) / "confusion.png",
        title="What is taken for what",
        caption=(
            "One row per true class: of its objects, the share that the model called "
            "each class; percentages add up to 100 along a row. "
            + _HOW_TO_READ_CELLS
            * (len(p.classes) <= _MOST_CLASSES_WITH_WORDS)
            + "A perfect model fills the diagonal; a dark square beside it is a "
            "systematic confusion."
        ),
        alt=_alt(p.classes, counts),
    )
    return [png_path, csv_path]


def row_share(counts: np.ndarray) -> np.ndarray:
    """Returns the share of each true class that is called each class; 0/0 is 0."""
    total = counts.sum(-1, keepdims=True)
    return np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)


def _draw(classes, counts, share, low, high):
    size = len(classes)
    has_words = size <= _MOST_CLASSES_WITH_WORDS
    side = 1.15 * size if has_words else min(0.42 * size, style.WIDTH - 1.5)
    figure = style.new_figure(min(side + 2, style.WIDTH), 0.78 * side + 1.2)
    axes = figure.subplots()
    axes.imshow(share, cmap=SHADES, vmin=0, vmax=1, aspect="auto")
    for at in np.ndindex(size, size):
        true, guessed = at
        _write_cell(
            axes,
            (guessed, true),
            is_empty=not counts[true].any(),
            words=_words(at, counts, share, low, high)[: 3 if has_words else 1],
            color="white" if share[true, guessed] > 0.55 else style.INK,
        )
    names = [style.plain(name, 16) for name in classes]
    totals = [
        f"{n}\n{c} object{'s' * (c != 1)}"
        for n, c in zip(names, counts.sum(1).tolist(), strict=True)
    ]
    style.tidy(axes, x="predicted class", y="true class", grid=None)
    axes.set_xticks(range(size), names, rotation=0 if has_words else 60)
    axes.set_yticks(range(size), totals if has_words else names)
    axes.tick_params(labelsize=style.NORMAL if has_words else style.SMALL)
    axes.tick_params(labelcolor=style.INK)
    draw_seams(axes, size)
    return figure


def draw_seams(axes, size: int) -> None:
    """Draws white lines between the cells of a matrix, and no frame."""
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(size + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(size + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2.5)
    axes.tick_params(which="minor", length=0)


def _words(at, counts, share, low, high) -> tuple[str, str, str]:
    """Returns percentage, interval and count of a cell."""
    span = f"[{100 * low[at]:.0f}, {100 * high[at]:.0f}]"
    # None or all: resampling has nothing to vary, and [0, 0] would claim certainty.
    is_open = low[at] < high[at]
    return f"{share[at]:.0%}", span if is_open else "", f"{counts[at]}"


def _write_cell(axes, at, *, is_empty: bool, words, color: str) -> None:
    column, row = at
    if is_empty:
        axes.text(column, row, "–", ha="center", va="center", color=style.MUTED)
        return
    if len(words) == 1:
        if words[0] != "0%":
            axes.text(
                *at, words[0], ha="center", va="center", color=color, fontsize=6.5
            )
        return
    sizes = (13, style.SMALL, style.SMALL)
    for word, size, offset in zip(words, sizes, (-0.17, 0.11, 0.3), strict=True):
        is_main = size == sizes[0]
        axes.text(
            column,
            row + offset,
            word,
            ha="center",
            va="center",
            color=color,
            fontsize=size,
            weight="bold" if is_main else "normal",
            alpha=1 if is_main else 0.85,
        )


def _alt(classes, counts) -> str:
    wrong = counts - np.diag(np.diag(counts))
    true, guessed = np.unravel_index(wrong.argmax(), wrong.shape)
    text = f"Confusion matrix of {len(classes)} classes, {np.trace(counts)} of "
    text += f"{counts.sum()} objects on the diagonal."
    if wrong.any():
        text += f" Most frequent mistake: {wrong[true, guessed]} of "
        text += f"{counts[true].sum()} {classes[true]} called {classes[guessed]}."
    return text
