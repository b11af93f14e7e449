"""Some objects' stamps beside what is drawn again from their codes."""

from pathlib import Path

import numpy as np

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.frames import choose
from jaxastro.reports.stamp_grid import draw_three, new_threes


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws stamps above, what was drawn below; nothing if nothing was."""
    p = predictions
    if not len(p.shown) or "reconstruction" not in p.shown_inputs:
        return []
    chosen, _ = choose(p)
    figure, panels = new_threes(len(chosen), tall=1.2, lines=2)
    errors = []
    for (above, below), number in zip(panels, chosen, strict=True):
        stamp = p.shown_inputs["stamp"][number, 0]
        drawn = p.shown_inputs["reconstruction"][number]
        errors.append(np.square(stamp - drawn).mean())
        # One scale for both: what is lost is seen.
        draw_three(above, stamp)
        draw_three(below, drawn, like=stamp)
        at = p.shown[number]
        words = f"{style.plain(p.object_id[at], 16)}, "
        words += f"{style.plain(p.classes[p.label[at]], 12)}, error {errors[-1]:.4f}"
        above[0].set_title(words, loc="left", fontsize=style.SMALL, pad=3)
    return [
        style.save(
            figure,
            Path(folder) / "reconstructions.png",
            title="Stamps, and what is drawn again from their codes",
            caption=(
                "Of each object the science, template and difference stamp, as the "
                "model sees them, and below what its decoder draws from the code of "
                f"{p.embedding.shape[1]} numbers, on the same scale. The error is the "
                "mean square over the pixels. The noise of a stamp is in no code: what "
                "is drawn is smooth."
            ),
            alt=(
                f"Stamps of {len(chosen)} alerts and their reconstructions; mean "
                f"square errors of {min(errors):.4f} to {max(errors):.4f}."
            ),
        )
    ]
