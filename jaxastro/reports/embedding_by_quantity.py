"""Embedding coloured by observing quantities that the model should not encode."""

from pathlib import Path

import numpy as np

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style

UNITS = {"magnitude": "mag", "seeing": "pixels"}  # the quantities that are drawn


def draw_quantities(
    p: Predictions, folder: Path, rows: np.ndarray, place: np.ndarray, projection: str
) -> list[Path]:
    """Draws the embedding coloured by magnitude and by seeing, where known.

    Args:
        rows: the objects drawn, as row numbers of the predictions.
        place: [o 2] their coordinates.
        projection: the name of the projection, for the caption.
    """
    numbers = p.by_object._asdict()
    names = [
        name
        for name in UNITS
        if numbers[name] is not None and np.isfinite(numbers[name]).any()
    ]
    if not names:
        return []
    figure = style.new_figure(style.WIDTH, 4.4)
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        value = numbers[name][rows]
        known = np.isfinite(value)
        axes.scatter(*place[~known].T, s=6, color=style.GRID)
        low, high = np.percentile(value[known], [2, 98]) if known.any() else (0, 1)
        dots = axes.scatter(
            *place[known].T, s=9, c=value[known], cmap="viridis", vmin=low, vmax=high
        )
        style.label_axes(axes, title=name.capitalize(), grid=None)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        bar = figure.colorbar(dots, ax=axes, orientation="horizontal", shrink=0.7)
        bar.set_label(UNITS[name], fontsize=style.SMALL)
        bar.ax.tick_params(labelsize=style.SMALL)
    return [
        style.save(
            figure,
            Path(folder) / "embedding_by_quantity.png",
            title=f"Embedding by {' and '.join(names)}",
            caption=(
                f"The projection above ({projection}), coloured by the "
                f"{' and '.join(names)} of the first alert. If colours separate, the "
                "embedding encodes that quantity; it should not encode the seeing. "
                "Seeing is the width that the alert packet gives for its own "
                "detection, so extended and faint sources appear wide."
            ),
            alt=f"Map of {len(rows)} objects, coloured by {' and by '.join(names)}.",
        )
    ]
