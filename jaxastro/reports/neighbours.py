"""Some objects, and those whose codes lie nearest."""

from pathlib import Path

import numpy as np

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.frames import choose
from jaxastro.reports.stamp_grid import draw, new_grid

SCIENCE, DIFFERENCE = 0, 2


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws an object and its neighbours in a row; nothing where none are told."""
    p = predictions
    if p.latent_space is None or "stamp" not in p.shown_inputs or not len(p.shown):
        return []
    chosen, _ = choose(p)
    near = p.latent_space.neighbour_rows
    figure, panels = new_grid(len(chosen), 2 * (near.shape[1] + 1), tall=0.95)
    for row, number in enumerate(chosen):
        at = np.concatenate([p.shown[number : number + 1], near[number]])
        own = p.shown_inputs["stamp"][number, :1]
        stamps = np.concatenate([own, p.latent_space.neighbours[number]])
        for column, (place, stamp) in enumerate(zip(at, stamps, strict=True)):
            draw(panels[row, 2 * column], stamp[..., SCIENCE])
            draw(panels[row, 2 * column + 1], stamp[..., DIFFERENCE])
            color = style.RIGHT if p.label[place] == p.label[at[0]] else style.WRONG
            panels[row, 2 * column].set_title(
                style.plain(p.classes[p.label[place]], 12),
                **{"loc": "left", "fontsize": style.SMALL, "pad": 2},
                color=color if column else style.INK,
            )
    alike = (p.label[near] == p.label[p.shown][:, None])[chosen].mean()
    return [
        style.save(
            figure,
            Path(folder) / "neighbours.png",
            title="Who lies next to whom",
            caption=(
                "Left an object, science and difference stamp; to its right those of "
                "the tested objects whose codes lie nearest, nearest first. Above each "
                "its true class, which no code was told."
            ),
            alt=(
                f"{len(chosen)} objects and their neighbours, of which {alike:.0%} "
                "have the same class."
            ),
        )
    ]
