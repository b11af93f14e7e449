"""Early classification: score by days since the first detection."""

import csv
from pathlib import Path

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.score_by_epochs import draw_early_scores, early_scores


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws scores by days since the first detection; writes score_by_days.csv.

    Returns nothing if no object was detected or early classification was not run.
    """
    p = predictions
    if not len(p.detected):
        return []
    rows = p.detected
    scores = early_scores(
        p.early_days, p.early_days_probability, p.label[rows], p.group[rows]
    )
    figure = style.new_figure(style.WIDTH, 4.2)
    axes = figure.subplots()
    style.label_axes(axes, x="days since the first detection", y="score")
    draw_early_scores(axes, scores)
    axes.set_ylim(-0.02, 1.03)

    csv_path = Path(folder) / "score_by_days.csv"
    with csv_path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["days", "num_objects", "score", "value", "low", "high"])
        for days, score, interval in scores:
            writer.writerow([days, len(rows), score, *interval])
    listed = [f"{n}: {i.value:.2f}" for n, score, i in scores if score == "macro_f1"]
    png_path = style.save(
        figure,
        Path(folder) / "score_by_days.png",
        title="Early classification by days",
        caption=(
            "Score if the model receives only epochs up to n days after the first "
            "detection, including those before it. An epoch is a detection if its "
            "brightness differs by at least five standard deviations from the median "
            f"of the earlier epochs in its band. Of {len(p.label)} objects "
            f"{len(p.label) - len(rows)} were never detected and are left out. Shaded "
            "areas are 95% intervals."
        ),
        alt=f"Macro F1 by days since the first detection: {', '.join(listed)}.",
    )
    return [png_path, csv_path]
