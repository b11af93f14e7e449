"""Some objects' first alerts: three stamps each, those called right and those not."""

from pathlib import Path

import numpy as np

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.frames import choose, title_of

ACROSS = 2  # objects in a row


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws the first alert of each object that is shown; nothing if none is."""
    p = predictions
    if not len(p.shown) or "stamp" not in p.shown_inputs:
        return []
    chosen, is_right = choose(p)
    rows = -(-len(chosen) // ACROSS)
    figure = style.new_figure(style.WIDTH, 1.45 * rows)
    panels = figure.subplots(rows, 3 * ACROSS, squeeze=False)
    for axes in panels.flat:
        axes.set_axis_off()
    for place, number in enumerate(chosen):
        row, left = place // ACROSS, place % ACROSS * 3
        stamp = p.shown_inputs["stamp"][number, 0]
        for channel, axes in enumerate(panels[row, left : left + 3]):
            _draw(axes, stamp[..., channel])
        words, color = title_of(p, p.shown[number])
        axes = panels[row, left]
        axes.set_title(words, loc="left", fontsize=style.SMALL, color=color, pad=3)
    return [
        style.save(
            figure,
            Path(folder) / "stamps.png",
            title="Some of the first alerts",
            caption=(
                "Science, template and difference of the first alert, left to right, "
                "mistakes first, as the model sees them. Bright is more; each stamp "
                "has a scale of its own. The selection is for the eye: how many are "
                "right here says nothing of how many are right in all."
            ),
            alt=(
                f"Stamps of {len(chosen)} alerts: {len(chosen) - int(is_right.sum())} "
                f"mistakes, {int(is_right.sum())} correct."
            ),
        )
    ]


def _draw(axes, stamp: np.ndarray) -> None:
    low, high = np.percentile(stamp, [1, 99.7])
    axes.imshow(
        stamp, cmap="magma", origin="lower", vmin=low, vmax=max(high, low + 1e-9)
    )
