"""The map of objects once more, coloured by numbers that should not rule it."""

from pathlib import Path

import numpy as np

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style

UNITS = {"magnitude": "mag", "seeing": "pixels"}  # the numbers that are shown


def draw_numbers(
    p: Predictions, folder: Path, rows: np.ndarray, place: np.ndarray, how: str
) -> list[Path]:
    """Draws a map by magnitude and seeing; nothing where they are not told.

    Args:
        rows: of the objects on the map.
        place: [o 2] where they are, found in the way that `how` says.
    """
    numbers = p.by_object._asdict()
    told = [name for name in UNITS if numbers[name] is not None]
    told = [name for name in told if np.isfinite(numbers[name]).any()]
    if not told:
        return []
    figure = style.new_figure(style.WIDTH, 4.4)
    panels = figure.subplots(1, len(told), squeeze=False)[0]
    for axes, name in zip(panels, told, strict=True):
        number = numbers[name][rows]
        known = np.isfinite(number)
        axes.scatter(*place[~known].T, s=6, color=style.GRID)
        low, high = np.percentile(number[known], [2, 98]) if known.any() else (0, 1)
        dots = axes.scatter(
            *place[known].T, s=9, c=number[known], cmap="viridis", vmin=low, vmax=high
        )
        style.tidy(axes, title=name, grid=None)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        bar = figure.colorbar(dots, ax=axes, orientation="horizontal", shrink=0.7)
        bar.set_label(UNITS[name], fontsize=style.SMALL)
        bar.ax.tick_params(labelsize=style.SMALL)
    return [
        style.save(
            figure,
            Path(folder) / "embedding_numbers.png",
            title="What else rules the map",
            caption=(
                f"The map of the objects by {how}, as above, coloured by the first "
                f"alert's {' and '.join(told)}. Where colours lie apart the model "
                "sorts objects by that number; by the seeing it should not. Seeing is "
                "the width that the packet tells of the alert itself, so what is no "
                "star, or drowns in noise, is wide."
            ),
            alt=f"Map of {len(rows)} objects, coloured by {' and by '.join(told)}.",
        )
    ]
