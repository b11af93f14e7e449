"""Clusters of latent codes: decoded centres, true classes, and cluster scores."""

import csv
from pathlib import Path

import numpy as np

from jaxastro.evaluation.clusters import cluster_scores
from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.stamp_grid import NUM_STAMPS, draw_triplet

_PANEL = 0.85  # inches of a stamp
_SCORE_NAMES = {
    "cluster_accuracy": "cluster accuracy",
    "purity": "purity",
    "nmi": "NMI",
    "ari": "ARI",
}


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws each cluster's decoded centre and its classes; writes clusters.csv.

    Returns nothing for models without clusters.
    """
    p = predictions
    if p.latent_space is None:
        return []
    cluster, center = p.by_object.cluster, p.latent_space.cluster_centers
    count = np.zeros((len(center), len(p.classes)), int)
    np.add.at(count, (cluster, p.label), 1)
    order = np.argsort(-count.sum(1), kind="stable")
    figure = _draw(center[order], count[order], p.classes)
    scores = cluster_scores(p.label, cluster)
    # Adding 0 turns the -0.0 that rounding leaves into 0.0.
    listed = ", ".join(
        f"{_SCORE_NAMES[name]} {round(value, 2) + 0.0:.2f}"
        for name, value in scores.items()
    )
    csv_path = Path(folder) / "clusters.csv"
    with csv_path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["cluster", *p.classes])
        writer.writerows([k, *count[k]] for k in order)
        writer.writerows(scores.items())
    return [
        style.save(
            figure,
            Path(folder) / "clusters.png",
            title="Clusters",
            caption=(
                "One cluster of latent codes per row, largest first. Left: the stamps "
                "decoded from its centre (science, template, difference). Right: the "
                "true classes of its test objects. A mixture prior provides its own "
                "clusters; other priors are clustered with a Gaussian mixture of as "
                f"many components as classes. Scores: {listed}. Cluster accuracy uses "
                "the best one-to-one match of clusters and classes, so it is below 1 "
                "if there are more clusters than classes. By chance the adjusted Rand "
                "index (ARI) is 0; the other scores are above 0."
            ),
            alt=f"{len(center)} clusters and the classes in each; {listed}.",
        ),
        csv_path,
    ]


def _draw(center: np.ndarray, count: np.ndarray, classes: tuple[str, ...]):
    figure = style.new_figure(style.WIDTH, _PANEL * len(center) + 0.5)
    grid = figure.add_gridspec(len(center), NUM_STAMPS + 4)
    bars = figure.add_subplot(grid[:, NUM_STAMPS:])
    for row, stamp in enumerate(center):
        triplet = [figure.add_subplot(grid[row, i]) for i in range(NUM_STAMPS)]
        draw_triplet(triplet, stamp)
        for axes in triplet:
            axes.set_axis_off()
    left = np.zeros(len(center))
    for index, name in enumerate(classes):
        bars.barh(
            np.arange(len(center)),
            count[:, index],
            left=left,
            height=0.72,
            color=style.class_style(index)["color"],
            label=style.display_name(name),
        )
        left += count[:, index]
    style.label_axes(bars, x="objects", grid="x")
    bars.set_ylim(len(center) - 0.5, -0.5)
    bars.set_yticks([])
    bars.legend(frameon=False, fontsize=style.SMALL, loc="lower right")
    return figure
