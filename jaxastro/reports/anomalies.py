"""The objects that a likelihood finds strangest, and who they are."""

import csv
from pathlib import Path

import numpy as np

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.stamp_grid import draw_three, new_threes

SHARE = 0.05  # of the objects, whose classes are told


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws the strangest, and ranks all; nothing where nothing says how strange."""
    p = predictions
    if p.latent_space is None:
        return []
    score = p.by_object.anomaly_score
    rows, stamps = p.latent_space.anomaly_rows, p.latent_space.anomalies
    figure, panels = new_threes(len(rows), tall=1.45)
    for (three,), at, stamp in zip(panels, rows, stamps, strict=True):
        draw_three(three, stamp)
        words = f"{style.plain(p.object_id[at], 16)}, "
        words += f"{style.plain(p.classes[p.label[at]], 12)}, {score[at]:+.2f}"
        three[0].set_title(words, loc="left", fontsize=style.SMALL, pad=3)
    # By name where they are equal, so that the order of the objects cannot matter.
    order = np.lexsort((p.object_id, -score))
    csv_path = Path(folder) / "unlikely.csv"
    with csv_path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["object_id", "class", "nats_per_pixel"])
        writer.writerows(
            [p.object_id[at], p.classes[p.label[at]], f"{score[at]:.5f}"]
            for at in order
        )
    some = order[: max(1, round(SHARE * len(order)))]
    share = [
        f"{style.plain(name)} {(p.label[some] == i).mean():.0%} "
        f"(of all {(p.label == i).mean():.0%})"
        for i, name in enumerate(p.classes)
    ]
    return [
        style.save(
            figure,
            Path(folder) / "unlikely.png",
            title="The strangest",
            caption=(
                "The tested objects whose stamps the auto-encoder finds least likely, "
                "strangest first, with the nats per pixel that they cost it "
                f"(unlikely.csv ranks all of them). The strangest {SHARE:.0%} are "
                f"{', '.join(share)}. Unlikely is what is rare in training, a strange "
                "sky or a damaged stamp as well as a new kind of object."
            ),
            alt=f"Stamps of the {len(rows)} least likely of {len(order)} objects.",
        ),
        csv_path,
    ]
