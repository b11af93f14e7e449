"""Some objects' first alerts: three stamps each, those called right and those not."""

from pathlib import Path

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.frames import choose, title_of
from jaxastro.reports.stamp_grid import draw_three, new_threes


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws the first alert of each object that is shown; nothing if none is."""
    p = predictions
    if not len(p.shown) or "stamp" not in p.shown_inputs:
        return []
    chosen, is_right = choose(p)
    figure, panels = new_threes(len(chosen), tall=1.45)
    for (three,), number in zip(panels, chosen, strict=True):
        draw_three(three, p.shown_inputs["stamp"][number, 0])
        words, color = title_of(p, p.shown[number])
        three[0].set_title(words, loc="left", fontsize=style.SMALL, color=color, pad=3)
    return [
        style.save(
            figure,
            Path(folder) / "stamps.png",
            title="Some of the first alerts",
            caption=(
                "Science, template and difference of the first alert, left to right, "
                "mistakes first, as the model sees them. Bright is more; each stamp "
                "has a scale of its own. The selection is for the eye: how many are "
                "right here says nothing of how many are right in all."
            ),
            alt=(
                f"Stamps of {len(chosen)} alerts: {len(chosen) - int(is_right.sum())} "
                f"mistakes, {int(is_right.sum())} correct."
            ),
        )
    ]
