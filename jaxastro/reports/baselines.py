"""Scores of the model and of the baselines, with intervals."""

from pathlib import Path

from jaxastro.evaluation import bootstrap
from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.summary import baseline_order

PANELS = {
    "macro_f1": "Macro F1",
    "balanced_accuracy": "Balanced accuracy",
    "accuracy": "Accuracy",
}


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws each score with its interval, the model first, then the baselines."""
    p = predictions
    names = sorted(p.baseline_probability, key=baseline_order)
    rows = {"this model": p.probability}
    rows |= {name: p.baseline_probability[name] for name in names}
    table = {
        name: bootstrap.score_intervals(p.label, probability, p.group, len(p.classes))
        for name, probability in rows.items()
    }

    figure = style.new_figure(style.WIDTH, 1.25 + 0.42 * len(rows))
    panels = figure.subplots(1, len(PANELS), sharey=True)
    for axes, (score, title) in zip(panels, PANELS.items(), strict=True):
        intervals = [table[name][score] for name in rows]
        draw_intervals(axes, intervals, emphasise_first=True)
        style.label_axes(axes, title=title, grid="x")
    panels[0].set_yticks(range(len(rows)), [style.display_name(n) for n in rows])
    panels[0].tick_params(axis="y", labelsize=style.NORMAL, labelcolor=style.INK)

    listed = "; ".join(
        f"{name} {style.interval_text(table[name]['macro_f1'])}" for name in rows
    )
    return [
        style.save(
            figure,
            Path(folder) / "baselines.png",
            title="Baselines",
            caption=(
                "Dots are scores, bars are 95% intervals from resampled objects. The "
                "nuisance baseline is a classifier on observing conditions: number, "
                "times and bands of the epochs, seeing and sky. It has no access to "
                "the object itself. The majority baseline always predicts the most "
                "frequent class. Boosting, where it is shown, is gradient boosting on "
                "features of the same objects. Overlapping bars do not decide a "
                "comparison; the summary above gives the paired differences."
            ),
            alt=f"Scores with intervals. Macro F1: {listed}.",
        )
    ]


def draw_intervals(axes, intervals, *, emphasise_first: bool) -> None:
    """Draws scores between 0 and 1 with their intervals, one row each.

    Args:
        intervals: (value, low, high) of each row.
        emphasise_first: draw the first row in colour and the others in grey.
    """
    for row, (value, low, high) in enumerate(intervals):
        is_main = row == 0 or not emphasise_first
        color = style.CORRECT if is_main else style.MUTED
        axes.hlines(row, low, high, color=color, linewidth=8, alpha=0.3)
        axes.plot(value, row, "o", color=color, markersize=5)
        axes.annotate(
            f"{value:.2f}",
            (value, row),
            xytext=(0, 8),
            textcoords="offset points",
            ha="center",
            fontsize=style.SMALL + 0.5,
            color=color,
            weight="bold" if emphasise_first and is_main else "normal",
        )
    axes.set_xlim(-0.04, 1.04)
    axes.set_ylim(len(intervals) - 0.5, -0.75)
    axes.spines["left"].set_visible(False)
