"""How two systems see the same objects lie among each other: t-SNE side by side."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.linalg import orthogonal_procrustes
from sklearn.metrics import silhouette_score

from jaxastro.evaluation.metrics import predicted_class
from jaxastro.evaluation.predictions import Predictions
from jaxastro.evaluation.systems import System
from jaxastro.reports import style
from jaxastro.reports.embedding import draw_class, flatten, rows_drawn

MOST_OBJECTS = 1000  # a panel has no room for more, and t-SNE takes its time


def write(systems: Sequence[System], folder: Path) -> list[Path]:
    """Draws the embeddings that two systems have of one test fold, by one seed.

    Two runs have two unlike spaces, so embeddings of different folds or seeds cannot
    be pooled: the first fold and seed that both systems have stand for the rest.
    """
    runs = [{(m.fold, m.seed): m.predictions for m in s.members} for s in systems]
    shared = sorted(set.intersection(*map(set, runs)))
    if not shared:
        return []
    fold, seed = shared[0]
    figure = style.new_figure(style.WIDTH, 5.1)
    panels = figure.subplots(1, len(systems), squeeze=False)[0]
    told, first = [], None
    for axes, system, run in zip(panels, systems, runs, strict=True):
        p = run[shared[0]]
        rows = rows_drawn(p.object_id, MOST_OBJECTS)
        place, how = flatten(p.embedding[rows])
        first = place if first is None else first
        score = silhouette(p.embedding[rows], p.label[rows])
        words = "silhouette not defined" if score is None else f"silhouette {score:.2f}"
        _draw(axes, p, rows, turned(place, first))
        style.tidy(axes, title=style.wrapped(system.name, 38), x=words, grid=None)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color=style.GRID)
        told.append(f"{system.name}: {words}")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=min(len(labels), 5),
        frameon=False,
        fontsize=style.NORMAL,
    )
    return [
        style.save(
            figure,
            Path(folder) / "embedding.png",
            title="How the systems see them",
            caption=(
                f"{len(rows)} objects of test fold {fold}, by the runs of seed {seed}; "
                f"the same objects in each panel. Colour and shape are the "
                f"true class, black rims are mistakes. {how} lays the numbers by which "
                "a system describes an object out in two dimensions, so that alike "
                "objects lie together; the second map is turned to lie like the first, "
                "and distances between far islands mean nothing. The silhouette is "
                "taken before that, of all the numbers: from −1 to 1, and 1 if each "
                "true class is a tight island far from the others."
            ),
            alt=f"Maps of {len(rows)} objects. {'; '.join(told)}.",
        )
    ]


def silhouette(embedding: np.ndarray, label: np.ndarray) -> float | None:
    """Returns the mean silhouette of the true classes, or None where there is none.

    Source: Rousseeuw 1987, J. Comput. Appl. Math. 20, 53; Euclidean distance.
    """
    if not 1 < len(np.unique(label)) < len(label):
        return None
    return float(silhouette_score(embedding.reshape(len(label), -1), label))


def turned(place: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Returns a map turned or mirrored to lie like another of the same objects."""
    place = place - place.mean(axis=0)
    rotation, _ = orthogonal_procrustes(place, like - like.mean(axis=0))
    return place @ rotation


def _draw(axes, p: Predictions, rows: np.ndarray, place: np.ndarray) -> None:
    label = p.label[rows]
    is_right = predicted_class(p.probability[rows]) == label
    for index, name in enumerate(p.classes):
        draw_class(axes, place, label == index, is_right, index, name)
    axes.scatter([], [], s=34, facecolor="white", edgecolor="black", label="wrong")
