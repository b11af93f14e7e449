"""How far networks differ that a model draws, and whether that tells its mistakes."""

from pathlib import Path

import numpy as np

from jaxastro.evaluation import calibration
from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style

_WORDS = "spread of the winning class"


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws spreads by epochs seen, and mistakes by spread; nothing without spreads."""
    p = predictions
    if not p.spread.size:
        return []
    seen = [f"{n}" for n in p.early_epochs] + ["all"]
    spreads = [
        calibration.spread_of_predicted_class(*pair)
        for pair in zip(
            [*p.early_probability, p.probability],
            [*p.early_spread, p.spread],
            strict=True,
        )
    ]
    bins = calibration.reliability_by_spread(p.label, p.probability, p.spread)

    figure = style.new_figure(style.WIDTH, 4.2)
    left, right = figure.subplots(1, 2)
    at, color = np.arange(len(seen)), style.PALETTE[0]
    low, middle, high = np.percentile(spreads, [25, 50, 75], axis=1)
    left.fill_between(at, low, high, color=color, alpha=0.16, linewidth=0)
    left.plot(at, middle, "o-", color=color)
    style.tidy(left, title="With more epochs", x="first n epochs", y=_WORDS)
    left.set_xticks(at, seen)
    left.set_ylim(bottom=0)
    right.vlines(
        bins.confidence, bins.low, bins.high, color=style.RIGHT, lw=5, alpha=0.3
    )
    right.plot(bins.confidence, bins.accuracy, "o-", color=style.RIGHT, lw=1.5)
    style.tidy(right, title="And mistakes", x=_WORDS, y="how often it is right")
    right.set_ylim(-0.02, 1.03)
    told = zip(seen, middle, strict=True)
    return [
        style.save(
            figure,
            Path(folder) / "spread.png",
            title="How far its networks differ",
            caption=(
                "This model draws many networks; each gives the class that is "
                "predicted a probability, and the spread is their standard deviation. "
                "Left: its median over the objects, and the range of the middle half, "
                "by how many epochs the model is shown: who knows less should differ "
                "more. Right: how often the model is right, objects in bins of equal "
                "number from the smallest to the largest spread, with 95% intervals: "
                "where networks differ there should be more mistakes."
            ),
            alt=f"Median spread after the first n epochs: "
            f"{', '.join(f'{n}: {value:.3f}' for n, value in told)}.",
        )
    ]
