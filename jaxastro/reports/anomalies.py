"""Anomalies: the test objects with the lowest likelihood under an auto-encoder."""

import csv
from pathlib import Path

import numpy as np

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.stamp_grid import draw_triplet, new_triplets

SHARE = 0.05  # of the objects, whose classes are listed in the caption


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws the most anomalous objects and ranks all in anomalies.csv.

    Returns nothing for models without a likelihood.
    """
    p = predictions
    if p.latent_space is None:
        return []
    score = p.by_object.anomaly_score
    rows, stamps = p.latent_space.anomaly_rows, p.latent_space.anomalies
    figure, panels = new_triplets(len(rows), row_height=1.45)
    for (triplet,), row, stamp in zip(panels, rows, stamps, strict=True):
        draw_triplet(triplet, stamp)
        text = f"{style.display_name(p.object_id[row], 16)}, "
        text += f"{style.display_name(p.classes[p.label[row]], 12)}, "
        text += f"{score[row]:+.2f}"
        triplet[0].set_title(text, loc="left", fontsize=style.SMALL, pad=3)
    # Ties are sorted by name, so the result does not depend on the order of objects.
    order = np.lexsort((p.object_id, -score))
    csv_path = Path(folder) / "anomalies.csv"
    with csv_path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["object_id", "class", "nats_per_pixel"])
        writer.writerows(
            [p.object_id[row], p.classes[p.label[row]], f"{score[row]:.5f}"]
            for row in order
        )
    top = order[: max(1, round(SHARE * len(order)))]
    shares = [
        f"{style.display_name(name)} {(p.label[top] == i).mean():.0%} "
        f"(of all {(p.label == i).mean():.0%})"
        for i, name in enumerate(p.classes)
    ]
    return [
        style.save(
            figure,
            Path(folder) / "anomalies.png",
            title="Anomalies",
            caption=(
                "Test objects with the lowest likelihood under the auto-encoder, most "
                "anomalous first. The number is the anomaly score, the negative "
                "evidence lower bound in nats per pixel; anomalies.csv ranks all "
                f"objects. Classes of the top {SHARE:.0%}: {', '.join(shares)}. A low "
                "likelihood can mean an object type that is rare in training, an "
                "unusual background or a damaged stamp."
            ),
            alt=f"Stamps of the {len(rows)} least likely of {len(order)} objects.",
        ),
        csv_path,
    ]
