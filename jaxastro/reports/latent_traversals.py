"""What a decoder draws on the way along single coordinates of its code."""

from pathlib import Path

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.stamp_grid import DEEP, draw, new_grid

SEEN = (0, 2)  # science and difference: the template hardly differs from the first


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws a row for each coordinate and stamp; nothing where nothing is drawn."""
    p = predictions
    if p.latent_space is None:
        return []
    walk, at = p.latent_space.traversals, p.latent_space.traversal_values
    steps = walk.shape[1]
    figure, panels = new_grid(len(walk), steps * len(SEEN), tall=0.72)
    for row, stamps in enumerate(walk):
        for number, channel in enumerate(SEEN):
            for step in range(steps):
                axes = panels[row, number * steps + step]
                # One scale for the walk: what changes is seen.
                draw(axes, stamps[step, ..., channel], like=stamps[..., channel])
        words = f"{at[row, 0]:+.1f} to {at[row, -1]:+.1f}"
        panels[row, 0].set_title(words, loc="left", fontsize=style.SMALL, pad=2)
    return [
        style.save(
            figure,
            Path(folder) / "walks.png",
            title="Walks along the code",
            caption=(
                f"What is drawn where one of the {p.embedding.shape[1]} numbers of a "
                "code goes from the second to the 98th percentile of the tested "
                f"objects and the others stay at their median; the {len(walk)} that "
                f"differ most, one a row. Left the science stamp, right the difference "
                f"(of {DEEP}). What a row changes is what that number means."
            ),
            alt=f"{len(walk)} rows of {steps} stamps that change from left to right.",
        )
    ]
