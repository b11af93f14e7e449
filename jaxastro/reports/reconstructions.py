"""Reconstructions: example stamps and what the decoder returns for their codes."""

from pathlib import Path

import numpy as np

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.frames import choose_examples
from jaxastro.reports.stamp_grid import draw_triplet, new_triplets


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws stamps above their reconstructions; nothing if none are stored."""
    p = predictions
    if not len(p.shown) or "reconstruction" not in p.shown_inputs:
        return []
    chosen, _ = choose_examples(p)
    figure, panels = new_triplets(len(chosen), row_height=1.2, lines=2)
    errors = []
    for (above, below), number in zip(panels, chosen, strict=True):
        stamp = p.shown_inputs["stamp"][number, 0]
        reconstruction = p.shown_inputs["reconstruction"][number]
        errors.append(np.square(stamp - reconstruction).mean())
        # Both share one scale, so that differences are visible.
        draw_triplet(above, stamp)
        draw_triplet(below, reconstruction, like=stamp)
        row = p.shown[number]
        text = f"{style.display_name(p.object_id[row], 16)}, "
        text += f"{style.display_name(p.classes[p.label[row]], 12)}, "
        text += f"error {errors[-1]:.4f}"
        above[0].set_title(text, loc="left", fontsize=style.SMALL, pad=3)
    return [
        style.save(
            figure,
            Path(folder) / "reconstructions.png",
            title="Reconstructions",
            caption=(
                "Top: science, template and difference stamp as given to the model. "
                f"Bottom: stamps decoded from their code of {p.embedding.shape[1]} "
                "numbers, on the same scale. The error is the mean square over the "
                "pixels. Codes do not hold the pixel noise, so reconstructions are "
                "smooth."
            ),
            alt=(
                f"Stamps of {len(chosen)} alerts and their reconstructions; mean "
                f"square errors of {min(errors):.4f} to {max(errors):.4f}."
            ),
        )
    ]
