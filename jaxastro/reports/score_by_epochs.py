"""Early classification: score by number of epochs."""

import csv
from pathlib import Path

import numpy as np
from matplotlib.ticker import FixedLocator, NullLocator

from jaxastro.evaluation import bootstrap
from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style

_SCORES = {  # score -> label, colour, marker
    "macro_f1": ("macro F1", style.PALETTE[0], "o"),
    "accuracy": ("accuracy", style.PALETTE[1], "s"),
    "balanced_accuracy": ("balanced accuracy", style.PALETTE[2], "D"),
}
_NUM_BINS = 5


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws scores after the first n epochs, and by the number of epochs observed.

    Both are written to score_by_epochs.csv.
    """
    p = predictions
    early = early_scores(p.early_epochs, p.early_probability, p.label, p.group)
    bins = _scores_by_num_epochs(p)

    figure = style.new_figure(style.WIDTH, 4.4)
    left, right = figure.subplots(1, 2, sharey=True)
    style.label_axes(left, title="First n epochs", x="n", y="score")
    draw_early_scores(left, early)
    _draw_bins(right, bins)
    left.set_ylim(-0.02, 1.03)

    csv_path = Path(folder) / "score_by_epochs.csv"
    with csv_path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["epochs", "num_objects", "score", "value", "low", "high"])
        for epochs, score, interval in early:
            row = [f"first {epochs}", len(p.label), score, *interval]
            writer.writerow(row)
        for first, last, count, table in bins:
            for score, interval in table.items():
                writer.writerow([_span(first, last), count, score, *interval])
    png_path = style.save(
        figure,
        Path(folder) / "score_by_epochs.png",
        title="Early classification by epochs",
        caption=(
            "Left: score if the model receives only the first n epochs of each "
            "object; objects with fewer epochs keep all of them. Right: score with "
            "all epochs, for groups of objects by their number of epochs. The groups "
            "are different objects, so the two panels need not agree. Shaded areas "
            "and bars are 95% intervals."
        ),
        alt=_alt(early),
    )
    return [png_path, csv_path]


def early_scores(
    limit, probability, label, group
) -> list[tuple[int, str, bootstrap.Interval]]:
    """Returns (limit, score name, interval), in ascending order of the limit.

    Args:
        limit: [k] number of epochs or days that the model received.
        probability: [k o c] for the objects of label [o] and group [o].
    """
    found = []
    for one in np.argsort(limit, kind="stable"):
        num_classes = probability.shape[-1]
        table = bootstrap.score_intervals(label, probability[one], group, num_classes)
        for score in ("macro_f1", "accuracy"):
            found.append((int(limit[one]), score, table[score]))
    return found


def _scores_by_num_epochs(p: Predictions):
    """Returns scores of objects in bins of nearly equal number.

    Macro F1 is left out, because a bin rarely has objects of all classes.
    """
    inner = np.quantile(p.num_epochs, np.arange(1, _NUM_BINS) / _NUM_BINS)
    bin_of = np.searchsorted(np.unique(inner), p.num_epochs, side="left")
    found = []
    for one in np.unique(bin_of):
        rows = bin_of == one
        table = bootstrap.score_intervals(
            p.label[rows], p.probability[rows], p.group[rows], len(p.classes)
        )
        table = {name: table[name] for name in ("accuracy", "balanced_accuracy")}
        epochs = p.num_epochs[rows]
        found.append((int(epochs.min()), int(epochs.max()), int(rows.sum()), table))
    return found


def draw_early_scores(axes, scores) -> None:
    """Draws the result of early_scores on an axis in powers of two."""
    if not scores:
        axes.text(
            0.5,
            0.5,
            "not evaluated",
            transform=axes.transAxes,
            ha="center",
            va="center",
        )
        return
    for score in ("macro_f1", "accuracy"):
        label, color, marker = _SCORES[score]
        points = [(n, *interval) for n, name, interval in scores if name == score]
        n, value, low, high = np.array(points).T
        axes.fill_between(n, low, high, color=color, alpha=0.16, linewidth=0)
        axes.plot(n, value, color=color, marker=marker, label=label)
        axes.plot(n, low, n, high, color=color, alpha=0.25, linewidth=0.7)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(spaced_ticks(n)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}")
    axes.legend(fontsize=style.NORMAL, framealpha=0.9, edgecolor="none", loc="best")


def spaced_ticks(values: np.ndarray) -> list[float]:
    """Returns the ascending values that can be labelled without overlap.

    On a logarithmic axis; labels are at least a twentieth of the axis apart, and the
    last value is always among them.
    """
    room, kept = np.log2(values[-1] / values[0]) / 20, [float(values[-1])]
    for one in values[-2::-1]:
        if np.log2(kept[0] / one) >= room:
            kept.insert(0, float(one))
    return kept


def _draw_bins(axes, bins) -> None:
    for score, shift in (("accuracy", -0.09), ("balanced_accuracy", 0.09)):
        label, color, marker = _SCORES[score]
        value, low, high = np.array([table[score] for *_, table in bins]).T
        place = np.arange(len(bins)) + shift
        axes.vlines(place, low, high, color=color, linewidth=5, alpha=0.3)
        axes.plot(place, value, color=color, marker=marker, linestyle="", label=label)
    ticks = [
        f"{_span(first, last)}\n{style.count_text(count, 'object')}"
        for first, last, count, _ in bins
    ]
    style.label_axes(axes, title="All epochs", x="epochs of the object", grid="y")
    axes.set_xticks(range(len(bins)), ticks)
    axes.set_xlim(-0.6, len(bins) - 0.4)
    axes.legend(fontsize=style.NORMAL, framealpha=0.9, edgecolor="none", loc="best")


def _span(first: int, last: int) -> str:
    return f"{first} to {last}" if last > first else f"{first}"


def _alt(early) -> str:
    scores = [f"{n}: {i.value:.2f}" for n, score, i in early if score == "macro_f1"]
    if not scores:
        return "Scores by the number of epochs of the objects."
    return f"Macro F1 after the first n epochs: {', '.join(scores)}."
