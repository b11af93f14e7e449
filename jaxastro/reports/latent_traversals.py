"""Latent traversals: stamps decoded while one latent coordinate varies."""

from pathlib import Path

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.stamp_grid import DIFFERENCE, SCIENCE, draw_stamp, new_grid

CHANNELS = (SCIENCE, DIFFERENCE)  # the template hardly differs from the science stamp


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws one row per latent coordinate; nothing for models without a decoder."""
    p = predictions
    if p.latent_space is None:
        return []
    traversals = p.latent_space.traversals
    steps = traversals.shape[1]
    figure, panels = new_grid(len(traversals), steps * len(CHANNELS), row_height=0.72)
    for row, stamps in enumerate(traversals):
        for number, channel in enumerate(CHANNELS):
            for step in range(steps):
                axes = panels[row, number * steps + step]
                # All steps share one scale, so that changes are visible.
                draw_stamp(axes, stamps[step, ..., channel], like=stamps[..., channel])
        values = p.latent_space.traversal_values[row]
        text = f"{values[0]:+.1f} to {values[-1]:+.1f}"
        panels[row, 0].set_title(text, loc="left", fontsize=style.SMALL, pad=2)
    return [
        style.save(
            figure,
            Path(folder) / "latent_traversals.png",
            title="Latent traversals",
            caption=(
                f"Decoded stamps while one of the {p.embedding.shape[1]} latent "
                "coordinates varies from its 2nd to its 98th percentile over the test "
                "objects; the other coordinates stay at their median. Rows are the "
                f"{len(traversals)} coordinates with the largest range, given above "
                "each row. Left: science stamp. Right: difference stamp."
            ),
            alt=f"{len(traversals)} rows of {steps} stamps that change from left to "
            "right.",
        )
    ]
