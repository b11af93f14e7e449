"""How the model sees the objects lie among each other."""

from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from jaxastro.evaluation.metrics import predicted_class
from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.embedding_numbers import draw_numbers

MOST_OBJECTS = 5000  # t-SNE of these takes a minute; more are drawn at random
PERPLEXITY = 30
FEWEST_OBJECTS = 5  # below, neighbourhoods mean nothing and plain PCA is drawn
_MOST_FEATURES = 50  # the first principal components, as van der Maaten advises
_SEED = 0


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws the embedding in two dimensions, coloured by true class; and by numbers.

    Those are magnitude and seeing, where they are told.
    """
    p = predictions
    rows = rows_drawn(p.object_id, MOST_OBJECTS)
    place, how = flatten(p.embedding[rows])
    label = p.label[rows]
    is_right = predicted_class(p.probability[rows]) == label

    figure = style.new_figure(style.WIDTH, 6.6)
    axes = figure.subplots()
    for index, name in enumerate(p.classes):
        draw_class(axes, place, label == index, is_right, index, name)
    axes.scatter([], [], s=34, facecolor="white", edgecolor="black", label="wrong")
    style.tidy(axes, grid=None)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1, 1),
        frameon=False,
        fontsize=style.NORMAL,
        labelspacing=0.7,
        ncols=1 if len(p.classes) <= 24 else 2,
    )
    some = f"A random {len(rows)} of the {len(p.label)} objects are drawn. "
    return [
        style.save(
            figure,
            Path(folder) / "embedding.png",
            title="How the model sees them",
            caption=(
                "One mark per object; colour and shape are its true class. The model "
                "describes an object by "
                f"{p.embedding.shape[1]} numbers, which {how} lays out so that alike "
                "objects lie together. Black rims are mistakes. Distances between "
                "far islands, and their sizes, mean nothing. "
                + some
                * (len(rows) < len(p.label))
            ).strip(),
            alt=(
                f"Map of {len(rows)} objects in {len(p.classes)} colours, "
                f"{int((~is_right).sum())} of them marked as mistakes."
            ),
        ),
        *draw_numbers(p, folder, rows, place, how),
    ]


def flatten(embedding: np.ndarray) -> tuple[np.ndarray, str]:
    """Returns [o 2] places and the name of the way they were found.

    t-SNE with perplexity 30, less for few objects; PCA for fewer than five, and where
    all objects have the same embedding.
    """
    num_objects = len(embedding)
    # float64: the variance of 1e20-sized float32 features overflows.
    embedding = embedding.astype(np.float64).reshape(num_objects, -1)
    num_kept = min(_MOST_FEATURES, *embedding.shape)
    spread = embedding - embedding.mean(axis=0)
    scale = abs(spread).max(initial=0)
    if scale <= 1e-9 * abs(embedding).max(initial=1):
        return np.zeros((num_objects, 2)), "nothing (they are all the same)"
    reduced = PCA(num_kept, random_state=_SEED).fit_transform(spread / scale)
    if num_objects < FEWEST_OBJECTS:
        return np.pad(reduced[:, :2], [(0, 0), (0, 2 - min(2, num_kept))]), "PCA"
    perplexity = min(PERPLEXITY, (num_objects - 1) / 3)
    method = TSNE(
        perplexity=perplexity,
        # For few, threads of the approximate method wait longer than they work.
        method="exact" if num_objects < 100 else "barnes_hut",
        init="pca" if num_kept > 1 else "random",
        random_state=_SEED,
    )
    return method.fit_transform(reduced), f"t-SNE (perplexity {perplexity:.0f})"


def rows_drawn(object_id: np.ndarray, most: int) -> np.ndarray:
    """Returns the rows to draw: all objects, or a random part of very many."""
    # In the order of the names, so that the order of the objects cannot matter.
    order = np.argsort(object_id)
    if len(order) <= most:
        return order
    drawn = np.random.default_rng(_SEED).choice(len(order), most, replace=False)
    return order[np.sort(drawn)]


def draw_class(axes, place, is_class, is_right, index: int, name: str) -> None:
    """Draws the objects of one class, with black rims where they are mistaken."""
    look = style.class_style(index)
    size = 34 if len(place) < 1000 else 14
    for rows, rim, alpha in (
        (is_class & is_right, "none", 0.7),
        (is_class & ~is_right, "black", 0.95),
    ):
        axes.scatter(
            *place[rows].T,
            s=size,
            color=look["color"],
            marker=look["marker"],
            edgecolor=rim,
            linewidth=0.9,
            alpha=alpha,
            label=None
            if rim == "black"
            else f"{style.plain(name)} ({int(is_class.sum())})",
        )
