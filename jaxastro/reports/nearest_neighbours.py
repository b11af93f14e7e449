"""Nearest neighbours of example objects in the latent space."""

from pathlib import Path

import numpy as np

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.frames import choose_examples
from jaxastro.reports.stamp_grid import DIFFERENCE, SCIENCE, draw_stamp, new_grid


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws an object and its neighbours per row; nothing if none are stored."""
    p = predictions
    if p.latent_space is None or "stamp" not in p.shown_inputs or not len(p.shown):
        return []
    chosen, _ = choose_examples(p)
    near = p.latent_space.neighbour_rows
    figure, panels = new_grid(len(chosen), 2 * (near.shape[1] + 1), row_height=0.95)
    for row, number in enumerate(chosen):
        objects = np.concatenate([p.shown[number : number + 1], near[number]])
        own = p.shown_inputs["stamp"][number, :1]
        stamps = np.concatenate([own, p.latent_space.neighbours[number]])
        for column, (index, stamp) in enumerate(zip(objects, stamps, strict=True)):
            draw_stamp(panels[row, 2 * column], stamp[..., SCIENCE])
            draw_stamp(panels[row, 2 * column + 1], stamp[..., DIFFERENCE])
            is_same = p.label[index] == p.label[objects[0]]
            color = style.CORRECT if is_same else style.INCORRECT
            panels[row, 2 * column].set_title(
                style.display_name(p.classes[p.label[index]], 12),
                loc="left",
                fontsize=style.SMALL,
                pad=2,
                color=color if column else style.INK,
            )
    same = (p.label[near] == p.label[p.shown][:, None])[chosen].mean()
    return [
        style.save(
            figure,
            Path(folder) / "nearest_neighbours.png",
            title="Nearest neighbours",
            caption=(
                "Left: an example object, science and difference stamp. To its right: "
                "the test objects with the nearest latent codes, nearest first. The "
                "text is the true class, blue if it equals that of the example. "
                "Training used no labels."
            ),
            alt=(
                f"{len(chosen)} objects and their neighbours, of which {same:.0%} "
                "have the same class."
            ),
        )
    ]
