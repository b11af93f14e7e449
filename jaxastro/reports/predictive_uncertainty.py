"""Predictive uncertainty: spread of the class probability over sampled networks."""

from pathlib import Path

import numpy as np

from jaxastro.evaluation import calibration
from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style

_SPREAD = "standard deviation"


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws the spread by number of epochs, and the accuracy by spread.

    Returns nothing for models that do not sample networks.
    """
    p = predictions
    if not p.spread.size:
        return []
    epochs = [f"{n}" for n in p.early_epochs] + ["all"]
    probabilities = [*p.early_probability, p.probability]
    spreads = [
        calibration.spread_of_predicted_class(probability, spread)
        for probability, spread in zip(
            probabilities, [*p.early_spread, p.spread], strict=True
        )
    ]
    bins = calibration.reliability_by_spread(p.label, p.probability, p.spread)

    figure = style.new_figure(style.WIDTH, 4.2)
    left, right = figure.subplots(1, 2)
    place, color = np.arange(len(epochs)), style.PALETTE[0]
    low, middle, high = np.percentile(spreads, [25, 50, 75], axis=1)
    left.fill_between(place, low, high, color=color, alpha=0.16, linewidth=0)
    left.plot(place, middle, "o-", color=color)
    style.label_axes(left, title="By epochs", x="first n epochs", y=_SPREAD)
    left.set_xticks(place, epochs)
    left.set_ylim(bottom=0)
    right.vlines(
        bins.confidence, bins.low, bins.high, color=style.CORRECT, lw=5, alpha=0.3
    )
    right.plot(bins.confidence, bins.accuracy, "o-", color=style.CORRECT, lw=1.5)
    style.label_axes(right, title="Accuracy", x=_SPREAD, y="accuracy")
    right.set_ylim(-0.02, 1.03)
    listed = zip(epochs, middle, strict=True)
    return [
        style.save(
            figure,
            Path(folder) / "predictive_uncertainty.png",
            title="Predictive uncertainty",
            caption=(
                "This model samples many networks. The uncertainty of a prediction is "
                "the standard deviation of the predicted class's probability over "
                "them. Left: median and interquartile range over the objects, by the "
                "number of epochs given; it is expected to fall with more epochs. "
                "Right: accuracy in bins of equal number of objects, by uncertainty, "
                "with 95% intervals; it is expected to fall with more uncertainty."
            ),
            alt="Median standard deviation after the first n epochs: "
            f"{', '.join(f'{n}: {value:.3f}' for n, value in listed)}.",
        )
    ]
