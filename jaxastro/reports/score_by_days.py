"""How soon after it was first detected an object is known."""

import csv
from pathlib import Path

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.score_by_epochs import draw_looks, looks


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws scores by days since the first detection; nothing if nobody looked."""
    p = predictions
    if not len(p.detected):
        return []
    rows = p.detected
    found = looks(p.early_days, p.early_days_probability, p.label[rows], p.group[rows])
    figure = style.new_figure(style.WIDTH, 4.2)
    axes = figure.subplots()
    words = "days since the first detection"
    style.tidy(axes, title="The first days only", x=words, y="score")
    draw_looks(axes, found)
    axes.set_ylim(-0.02, 1.03)

    csv_path = Path(folder) / "days.csv"
    with csv_path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["days", "num_objects", "score", "value", "low", "high"])
        for days, score, interval in found:
            writer.writerow([days, len(rows), score, *interval])
    told = [f"{n}: {i.value:.2f}" for n, score, i in found if score == "macro_f1"]
    png_path = style.save(
        figure,
        Path(folder) / "days.png",
        title="How soon after its first detection",
        caption=(
            "The score if the model is shown only what was observed up to n days after "
            "an object was first detected, and nothing later. Detected is an epoch "
            "that differs from the median of the earlier ones of its band by five "
            "standard deviations or more, whatever the object is; epochs before it "
            f"are shown too. Of {len(p.label)} objects "
            f"{len(p.label) - len(rows)} were never detected and are left out here. "
            "Bands are 95% intervals."
        ),
        alt=f"Macro F1 by days since the first detection: {', '.join(told)}.",
    )
    return [png_path, csv_path]
