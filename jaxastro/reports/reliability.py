"""Whether the stated probability can be believed."""

from pathlib import Path

import numpy as np

from jaxastro.evaluation import calibration
from jaxastro.evaluation.metrics import predicted_class
from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws accuracy against confidence, and how confidence is spread."""
    p = predictions
    bins = calibration.reliability(p.label, p.probability)
    error = calibration.expected_calibration_error(p.label, p.probability)
    chance = calibration.chance_calibration_error(p.probability)
    is_right = predicted_class(p.probability) == p.label

    figure = style.new_figure(style.WIDTH, 4.6)
    left, right = figure.subplots(1, 2)
    _draw_bins(left, bins)
    left.text(
        0.03,
        0.97,
        f"calibration error {error:.3f}\nby chance alone below {chance:.3f}",
        transform=left.transAxes,
        va="top",
        fontsize=style.NORMAL,
        color=style.INK,
        linespacing=1.5,
    )
    _draw_spread(right, p.probability.max(axis=1), is_right)
    return [
        style.save(
            figure,
            Path(folder) / "reliability.png",
            title="Can its confidence be believed?",
            caption=(
                "Left: objects in bins of equal number, from least to most sure; how "
                "often the model is right against how sure it is, with 95% "
                "intervals. On the dashed line, 80% sure means right 80% of the "
                "time; below it the model is over-confident, above it it is too "
                "modest. The calibration error is the mean distance from the line. "
                "Right: how many objects get which confidence."
            ),
            alt=(
                f"Reliability of {len(bins.count)} bins, expected calibration error "
                f"{error:.3f}; a perfectly calibrated model of this many objects "
                f"stays below {chance:.3f}."
            ),
        )
    ]


def _draw_bins(axes, bins: calibration.Reliability) -> None:
    axes.plot([0, 1], [0, 1], color=style.MUTED, linestyle="--", linewidth=1)
    axes.vlines(
        bins.confidence, bins.low, bins.high, color=style.RIGHT, lw=5, alpha=0.3
    )
    axes.plot(bins.confidence, bins.accuracy, "o-", color=style.RIGHT, lw=1.5)
    style.tidy(axes, title="Reliability", x="how sure it is", y="how often it is right")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.02, 1.03), aspect="equal")


def _draw_spread(axes, confidence, is_right) -> None:
    edges = np.linspace(0, 1, 21)
    axes.hist(
        [confidence[is_right], confidence[~is_right]],
        bins=edges,
        stacked=True,
        color=[style.RIGHT, style.WRONG],
        label=[f"right ({is_right.sum()})", f"wrong ({(~is_right).sum()})"],
        edgecolor="white",
        linewidth=0.8,
    )
    style.tidy(axes, title="Confidence", x="how sure it is", y="objects", grid="y")
    axes.set_xlim(0, 1)
    axes.legend(fontsize=style.NORMAL, frameon=False, loc="upper left")
