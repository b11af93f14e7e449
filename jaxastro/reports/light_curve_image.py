"""Example objects as light-curve images, correct and misclassified ones."""

from pathlib import Path

import numpy as np

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.frames import (
    SELECTION_NOTE,
    choose_examples,
    describe_examples,
    example_title,
)


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws one object per row with its channels from left to right.

    Returns nothing if no light-curve images are stored.
    """
    p = predictions
    # Frames of a series have a band each; a light-curve image has channels.
    if not len(p.shown) or "image" not in p.shown_inputs or "band" in p.shown_inputs:
        return []
    image = p.shown_inputs["image"]
    chosen, is_correct = choose_examples(p)
    figure = style.new_figure(style.WIDTH, 1.3 * len(chosen))
    panels = figure.subplots(len(chosen), image.shape[-1], squeeze=False)
    for row, number in zip(panels, chosen, strict=True):
        for channel, axes in enumerate(row):
            _draw(axes, image[number, ..., channel])
        text, color = example_title(p, p.shown[number])
        row[0].set_title(text, loc="left", fontsize=style.SMALL, color=color, pad=3)
    return [
        style.save(
            figure,
            Path(folder) / "light_curve_image.png",
            title="Example light-curve images",
            caption=(
                "One object per row, misclassified ones first; the input channels of "
                "the model from left to right, each with its own brightness scale. "
                "The channels of a heat map are flux (left) and its uncertainty "
                "(right), with time on the horizontal axis and wavelength on the "
                f"vertical axis, blue at the bottom. {SELECTION_NOTE}"
            ),
            alt=f"Light-curve images of {describe_examples(is_correct)}.",
        )
    ]


def _draw(axes, channel: np.ndarray) -> None:
    axes.imshow(
        channel, cmap="magma", origin="lower", aspect="auto", interpolation="nearest"
    )
    axes.set_axis_off()
