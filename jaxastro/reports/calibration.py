"""Calibration: reliability diagram and histogram of the confidence."""

from pathlib import Path

import numpy as np

from jaxastro.evaluation import calibration
from jaxastro.evaluation.metrics import predicted_class
from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws accuracy against confidence, and the distribution of the confidence."""
    p = predictions
    bins = calibration.reliability(p.label, p.probability)
    error = calibration.expected_calibration_error(p.label, p.probability)
    chance = calibration.chance_calibration_error(p.probability)
    is_correct = predicted_class(p.probability) == p.label

    figure = style.new_figure(style.WIDTH, 4.6)
    left, right = figure.subplots(1, 2)
    _draw_reliability(left, bins)
    left.text(
        0.97,
        0.03,
        f"calibration error {error:.3f}\nexpected by chance: below {chance:.3f}",
        transform=left.transAxes,
        ha="right",
        va="bottom",
        fontsize=style.NORMAL,
        color=style.INK,
        linespacing=1.5,
    )
    _draw_histogram(right, p.probability.max(axis=1), is_correct)
    return [
        style.save(
            figure,
            Path(folder) / "calibration.png",
            title="Calibration",
            caption=(
                "Left: reliability diagram. Objects are sorted by confidence, the "
                "probability of the predicted class, into bins of equal number; bars "
                "are 95% intervals. On the dashed line the model is calibrated; below "
                "it the model is over-confident, above it under-confident. The "
                "calibration error is the mean distance from the line. Right: "
                "histogram of the confidence."
            ),
            alt=(
                f"Reliability of {len(bins.count)} bins, expected calibration error "
                f"{error:.3f}; a perfectly calibrated model of this many objects "
                f"stays below {chance:.3f}."
            ),
        )
    ]


def _draw_reliability(axes, bins: calibration.Reliability) -> None:
    axes.plot([0, 1], [0, 1], color=style.MUTED, linestyle="--", linewidth=1)
    axes.vlines(
        bins.confidence, bins.low, bins.high, color=style.CORRECT, lw=5, alpha=0.3
    )
    axes.plot(bins.confidence, bins.accuracy, "o-", color=style.CORRECT, lw=1.5)
    style.label_axes(axes, title="Reliability", x="confidence", y="accuracy")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.02, 1.03), aspect="equal")


def _draw_histogram(axes, confidence, is_correct) -> None:
    edges = np.linspace(0, 1, 21)
    axes.hist(
        [confidence[is_correct], confidence[~is_correct]],
        bins=edges,
        stacked=True,
        color=[style.CORRECT, style.INCORRECT],
        label=[f"correct ({is_correct.sum()})", f"incorrect ({(~is_correct).sum()})"],
        edgecolor="white",
        linewidth=0.8,
    )
    style.label_axes(axes, title="Confidence", x="confidence", y="objects", grid="y")
    axes.set_xlim(0, 1)
    axes.legend(fontsize=style.NORMAL, frameon=False, loc="upper left")
