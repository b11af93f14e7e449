"""The clusters of codes: how each looks, whom it holds, how well they are classes."""

import csv
from pathlib import Path

import numpy as np

from jaxastro.evaluation.clusters import cluster_scores
from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.stamp_grid import DEEP, draw_three

_PANEL = 0.85  # inches of a stamp


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws each cluster's centre beside its classes; nothing where there are none."""
    p = predictions
    if p.latent_space is None:
        return []
    cluster, center = p.by_object.cluster, p.latent_space.cluster_centers
    count = np.zeros((len(center), len(p.classes)), int)
    np.add.at(count, (cluster, p.label), 1)
    order = np.argsort(-count.sum(1), kind="stable")
    figure = style.new_figure(style.WIDTH, _PANEL * len(center) + 0.5)
    grid = figure.add_gridspec(len(center), DEEP + 4)
    bars = figure.add_subplot(grid[:, DEEP:])
    for row, k in enumerate(order):
        three = [figure.add_subplot(grid[row, i]) for i in range(DEEP)]
        draw_three(three, center[k])
        for axes in three:
            axes.set_axis_off()
    left = np.zeros(len(center))
    for index, name in enumerate(p.classes):
        many = count[order, index]
        bars.barh(
            np.arange(len(center)),
            many,
            left=left,
            height=0.72,
            color=style.class_style(index)["color"],
            label=style.plain(name),
        )
        left += many
    style.tidy(bars, x="objects", grid="x")
    bars.set_ylim(len(center) - 0.5, -0.5)
    bars.set_yticks([])
    bars.legend(frameon=False, fontsize=style.SMALL, loc="lower right")
    found = cluster_scores(p.label, cluster)
    words = ", ".join(f"{key.replace('_', ' ')} {found[key]:.2f}" for key in found)
    csv_path = Path(folder) / "clusters.csv"
    with csv_path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["cluster", *p.classes])
        writer.writerows([k, *count[k]] for k in order)
        writer.writerows(found.items())
    return [
        style.save(
            figure,
            Path(folder) / "clusters.png",
            title="Clusters that no label made",
            caption=(
                "One cluster of codes a row, largest first: what the decoder draws "
                "from its centre (science, template, difference), and the true "
                f"classes of the tested objects that lie in it. Clusters are those "
                "that the network learned with its codes, if its prior is a mixture; "
                "else of Gaussians fitted to these codes, as many as classes. "
                f"{words}: accuracy is that of the best matching of one cluster to "
                "each class, and cannot be 1 where there are more clusters than "
                "classes; ari is 0 by chance, the others are not."
            ),
            alt=f"{len(center)} clusters and the classes in each; {words}.",
        ),
        csv_path,
    ]
