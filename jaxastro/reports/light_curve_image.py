"""Some objects' maps, those the model got right and those it did not."""

from pathlib import Path

import numpy as np

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.frames import choose, title_of


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws one object per row, its layers side by side; nothing if none is shown."""
    p = predictions
    # Frames of a series have a band each; a map has layers.
    if not len(p.shown) or "image" not in p.shown_inputs or "band" in p.shown_inputs:
        return []
    image = p.shown_inputs["image"]
    chosen, is_right = choose(p)
    figure = style.new_figure(style.WIDTH, 1.3 * len(chosen))
    panels = figure.subplots(len(chosen), image.shape[-1], squeeze=False)
    for row, number in zip(panels, chosen, strict=True):
        for layer, axes in enumerate(row):
            _draw(axes, image[number, ..., layer])
        words, color = title_of(p, p.shown[number])
        row[0].set_title(words, loc="left", fontsize=style.SMALL, color=color, pad=3)
    return [
        style.save(
            figure,
            Path(folder) / "maps.png",
            title="Some of the objects",
            caption=(
                "One object per row, mistakes first; its layers side by side, as the "
                "model sees them. Bright is more, and each picture has a scale of its "
                "own. Of a heat map the left is the flux, the right its uncertainty: "
                "time runs to the right, wavelength from blue below to red above. The "
                "selection is for the eye: how many are right here says nothing of how "
                "many are right in all."
            ),
            alt=(
                f"Maps of {len(chosen)} objects: {len(chosen) - int(is_right.sum())} "
                f"mistakes, {int(is_right.sum())} correct."
            ),
        )
    ]


def _draw(axes, layer: np.ndarray) -> None:
    axes.imshow(
        layer, cmap="magma", origin="lower", aspect="auto", interpolation="nearest"
    )
    axes.set_axis_off()
