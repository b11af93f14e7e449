"""Example objects as the stamps of their first alert, correct and misclassified."""

from pathlib import Path

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.frames import (
    SELECTION_NOTE,
    choose_examples,
    describe_examples,
    example_title,
)
from jaxastro.reports.stamp_grid import draw_triplet, new_triplets


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws the first alert of each example; nothing if no stamps are stored."""
    p = predictions
    if not len(p.shown) or "stamp" not in p.shown_inputs:
        return []
    chosen, is_correct = choose_examples(p)
    figure, panels = new_triplets(len(chosen), row_height=1.45)
    for (triplet,), number in zip(panels, chosen, strict=True):
        draw_triplet(triplet, p.shown_inputs["stamp"][number, 0])
        text, color = example_title(p, p.shown[number])
        triplet[0].set_title(text, loc="left", fontsize=style.SMALL, color=color, pad=3)
    return [
        style.save(
            figure,
            Path(folder) / "stamps.png",
            title="Example stamps",
            caption=(
                "Science, template and difference stamp of the first alert, "
                "misclassified objects first, as given to the model. Each stamp has "
                f"its own brightness scale. {SELECTION_NOTE}"
            ),
            alt=f"Stamps of the first alerts of {describe_examples(is_correct)}.",
        )
    ]
