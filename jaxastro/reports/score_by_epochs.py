"""How many observations it takes."""

import csv
from pathlib import Path

import numpy as np
from matplotlib.ticker import FixedLocator, NullLocator

from jaxastro.evaluation import bootstrap
from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style

_SHOWN = {  # score -> words, colour, marker
    "macro_f1": ("macro F1", style.PALETTE[0], "o"),
    "accuracy": ("accuracy", style.PALETTE[1], "s"),
    "balanced_accuracy": ("balanced accuracy", style.PALETTE[2], "D"),
}
_NUM_BINS = 5


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws scores after the first n epochs, and by an object's number of epochs."""
    p = predictions
    early = looks(p.early_epochs, p.early_probability, p.label, p.group)
    bins = _scores_by_num_epochs(p)

    figure = style.new_figure(style.WIDTH, 4.4)
    left, right = figure.subplots(1, 2, sharey=True)
    style.tidy(left, title="The first epochs only", x="first n epochs", y="score")
    draw_looks(left, early)
    _draw_bins(right, bins)
    left.set_ylim(-0.02, 1.03)

    csv_path = Path(folder) / "epochs.csv"
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
        Path(folder) / "epochs.png",
        title="How many observations it takes",
        caption=(
            "Left: the score if the model is shown only the first n epochs "
            "(observations) of every object, as a survey would have it in its first "
            "weeks; an object with fewer is shown with all it has. Right: the score "
            "with all epochs, for objects that have few and objects that have many; "
            "these are different objects, so the two need not agree. Bands and bars "
            "are 95% intervals."
        ),
        alt=_alt(early),
    )
    return [png_path, csv_path]


def looks(at, probability, label, group) -> list[tuple[int, str, bootstrap.Interval]]:
    """Returns scores look by look: where it is, the score's name, the interval.

    Args:
        at: [k] epochs or days.
        probability: [k o c] of the objects that label and group are of.
    """
    found = []
    for one in np.argsort(at, kind="stable"):
        num_classes = probability.shape[-1]
        table = bootstrap.score_intervals(label, probability[one], group, num_classes)
        for score in ("macro_f1", "accuracy"):
            found.append((int(at[one]), score, table[score]))
    return found


def _scores_by_num_epochs(p: Predictions):
    """Bins of nearly equal number; no macro F1, as few bins have all classes."""
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


def draw_looks(axes, early) -> None:
    """Draws what `looks` found, on a scale on which each is twice the one before."""
    if not early:
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
        words, color, marker = _SHOWN[score]
        points = [(n, *interval) for n, name, interval in early if name == score]
        n, value, low, high = np.array(points).T
        axes.fill_between(n, low, high, color=color, alpha=0.16, linewidth=0)
        axes.plot(n, value, color=color, marker=marker, label=words)
        axes.plot(n, low, n, high, color=color, alpha=0.25, linewidth=0.7)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(legible(n)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}")
    axes.legend(fontsize=style.NORMAL, framealpha=0.9, edgecolor="none", loc="best")


def legible(at: np.ndarray) -> list[float]:
    """Returns of ascending places, on a scale of doublings, those with room to write.

    The last is one of them; any other is a twentieth of the axis before the next.
    """
    room, kept = np.log2(at[-1] / at[0]) / 20, [float(at[-1])]
    for one in at[-2::-1]:
        if np.log2(kept[0] / one) >= room:
            kept.insert(0, float(one))
    return kept


def _draw_bins(axes, bins) -> None:
    for score, shift in (("accuracy", -0.09), ("balanced_accuracy", 0.09)):
        words, color, marker = _SHOWN[score]
        value, low, high = np.array([table[score] for *_, table in bins]).T
        at = np.arange(len(bins)) + shift
        axes.vlines(at, low, high, color=color, linewidth=5, alpha=0.3)
        axes.plot(at, value, color=color, marker=marker, linestyle="", label=words)
    ticks = [
        f"{_span(first, last)}\n{count} object{'s' * (count != 1)}"
        for first, last, count, _ in bins
    ]
    style.tidy(
        axes,
        title="Objects with few or many epochs",
        x="epochs of the object",
        grid="y",
    )
    axes.set_xticks(range(len(bins)), ticks)
    axes.set_xlim(-0.6, len(bins) - 0.4)
    axes.legend(fontsize=style.NORMAL, framealpha=0.9, edgecolor="none", loc="best")


def _span(first: int, last: int) -> str:
    return f"{first} to {last}" if last > first else f"{first}"


def _alt(early) -> str:
    told = [f"{n}: {interval.value:.2f}" for n, s, interval in early if s == "macro_f1"]
    if not told:
        return "Scores by the number of epochs of the objects."
    return f"Macro F1 after the first n epochs: {', '.join(told)}."
