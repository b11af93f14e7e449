"""Embeddings of two systems for the same objects, by t-SNE side by side."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.linalg import orthogonal_procrustes
from sklearn.metrics import silhouette_score

from jaxastro.evaluation.metrics import predicted_class
from jaxastro.evaluation.predictions import Predictions
from jaxastro.evaluation.systems import System
from jaxastro.reports import style
from jaxastro.reports.embedding import (
    add_legend_of_errors,
    draw_class,
    project,
    subsample,
)

MOST_OBJECTS = 1000  # more would overlap in a panel of this size


def write(systems: Sequence[System], folder: Path) -> list[Path]:
    """Draws the embeddings of two systems for one test fold and one seed.

    Each run has its own embedding space, so folds and seeds cannot be pooled. The
    first fold and seed that both systems have are drawn.
    """
    runs = [{(m.fold, m.seed): m.predictions for m in s.members} for s in systems]
    shared = sorted(set.intersection(*map(set, runs)))
    if not shared:
        return []
    fold, seed = shared[0]
    figure = style.new_figure(style.WIDTH, 5.1)
    panels = figure.subplots(1, len(systems), squeeze=False)[0]
    scores, first = [], None
    for axes, system, run in zip(panels, systems, runs, strict=True):
        p = run[shared[0]]
        rows = subsample(p.object_id, MOST_OBJECTS)
        place, projection = project(p.embedding[rows])
        first = place if first is None else first
        score = silhouette(p.embedding[rows], p.label[rows])
        text = "silhouette not defined" if score is None else f"silhouette {score:.2f}"
        _draw(axes, p, rows, align(place, first))
        title = style.wrapped_name(system.name, 38)
        style.label_axes(axes, title=title, x=text, grid=None)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color=style.GRID)
        scores.append(f"{system.name}: {text}")
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
            title="Embedding",
            caption=(
                f"Embeddings of the same {len(rows)} objects of test fold {fold}, seed "
                f"{seed}, in two dimensions by {projection}. Colour and marker are the "
                "true class; black outlines are misclassified objects. The second map "
                "is rotated to match the first. Distances between separate groups have "
                "no meaning. The silhouette is computed on the full embedding, from −1 "
                "to 1; it is 1 if each true class is compact and far from the others."
            ),
            alt=f"Maps of {len(rows)} objects. {'; '.join(scores)}.",
        )
    ]


def silhouette(embedding: np.ndarray, label: np.ndarray) -> float | None:
    """Returns the mean silhouette of the true classes, or None if it is not defined.

    Source: Rousseeuw 1987, J. Comput. Appl. Math. 20, 53; Euclidean distance.
    """
    if not 1 < len(np.unique(label)) < len(label):
        return None
    return float(silhouette_score(embedding.reshape(len(label), -1), label))


def align(place: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Returns a map [o 2], rotated or mirrored to match another of the same objects."""
    place = place - place.mean(axis=0)
    rotation, _ = orthogonal_procrustes(place, like - like.mean(axis=0))
    return place @ rotation


def _draw(axes, p: Predictions, rows: np.ndarray, place: np.ndarray) -> None:
    label = p.label[rows]
    is_correct = predicted_class(p.probability[rows]) == label
    for index, name in enumerate(p.classes):
        draw_class(axes, place, label == index, is_correct, index, name)
    add_legend_of_errors(axes)
