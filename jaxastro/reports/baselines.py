"""The model beside classifiers that know nothing of the sky."""

from pathlib import Path

from jaxastro.evaluation import bootstrap
from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.verdict import rank

_PANELS = {
    "macro_f1": "Macro F1",
    "balanced_accuracy": "Balanced accuracy",
    "accuracy": "Accuracy",
}


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws every score with its interval, the model's over the baselines'."""
    p = predictions
    names = sorted(p.baseline_probability, key=rank)
    rows = {"this model": p.probability}
    rows |= {name: p.baseline_probability[name] for name in names}
    table = {
        name: bootstrap.score_intervals(p.label, probability, p.group, len(p.classes))
        for name, probability in rows.items()
    }

    figure = style.new_figure(style.WIDTH, 1.25 + 0.42 * len(rows))
    panels = figure.subplots(1, len(_PANELS), sharey=True)
    for axes, (score, title) in zip(panels, _PANELS.items(), strict=True):
        draw_intervals(axes, [table[name][score] for name in rows], first=True)
        style.tidy(axes, title=title, grid="x")
    panels[0].set_yticks(range(len(rows)), [style.plain(n) for n in rows])
    panels[0].tick_params(axis="y", labelsize=style.NORMAL, labelcolor=style.INK)

    told = "; ".join(
        f"{name} {style.interval_text(table[name]['macro_f1'])}" for name in rows
    )
    return [
        style.save(
            figure,
            Path(folder) / "baselines.png",
            title="Is it better than not looking?",
            caption=(
                "Each dot is a score, each bar the range it would have with other "
                "objects (95%). The nuisance baseline is a classifier that is told "
                "how often, when, in which bands and in what weather each object was "
                "observed, and never sees the object itself; the majority baseline "
                "always names the commonest class. A model that is not clearly above "
                "both (the verdict on top tells, comparing them on the same objects) "
                "has not been shown to look."
            ),
            alt=f"Scores with intervals. Macro F1: {told}.",
        )
    ]


def draw_intervals(axes, intervals, *, first: bool) -> None:
    """Draws scores from 0 to 1, a row each, with what the resamples give.

    Args:
        intervals: value, low and high of each row.
        first: the first row is what counts, the others are told beside it.
    """
    for row, (value, low, high) in enumerate(intervals):
        counts = row == 0 or not first
        color = style.RIGHT if counts else style.MUTED
        axes.hlines(row, low, high, color=color, linewidth=5, alpha=0.3)
        axes.plot(value, row, "o", color=color, markersize=7.5)
        axes.annotate(
            f"{value:.2f}",
            (value, row),
            xytext=(0, 8),
            textcoords="offset points",
            ha="center",
            fontsize=style.SMALL + 0.5,
            color=color,
            weight="bold" if first and counts else "normal",
        )
    axes.set_xlim(-0.04, 1.04)
    axes.set_ylim(len(intervals) - 0.5, -0.75)
    axes.spines["left"].set_visible(False)
