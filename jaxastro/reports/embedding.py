"""Embedding of the test objects, projected to two dimensions by t-SNE."""

from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from jaxastro.evaluation.metrics import predicted_class
from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.embedding_by_quantity import draw_quantities

MOST_OBJECTS = 5000  # t-SNE of these takes a minute; larger sets are subsampled
PERPLEXITY = 30
FEWEST_OBJECTS = 5  # t-SNE needs neighbourhoods; smaller sets are projected by PCA
_MOST_FEATURES = 50  # principal components given to t-SNE, as van der Maaten advises
_SEED = 0


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws the embedding coloured by true class, then by magnitude and seeing.

    The second picture is left out if the survey has neither magnitude nor seeing.
    """
    p = predictions
    rows = subsample(p.object_id, MOST_OBJECTS)
    place, projection = project(p.embedding[rows])
    label = p.label[rows]
    is_correct = predicted_class(p.probability[rows]) == label

    figure = style.new_figure(style.WIDTH, 6.6)
    axes = figure.subplots()
    for index, name in enumerate(p.classes):
        draw_class(axes, place, label == index, is_correct, index, name)
    add_legend_of_errors(axes)
    style.label_axes(axes, grid=None)
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
    caption = (
        f"The embedding ({p.embedding.shape[1]} features) of each test object in two "
        f"dimensions by {projection}. Colour and marker are the true class; black "
        "outlines are misclassified objects. Nearby objects have similar embeddings; "
        "distances between separate groups, and their sizes, have no meaning."
    )
    if len(rows) < len(p.label):
        caption += f" A random {len(rows)} of the {len(p.label)} objects are drawn."
    return [
        style.save(
            figure,
            Path(folder) / "embedding.png",
            title="Embedding",
            caption=caption,
            alt=(
                f"Map of {len(rows)} objects in {len(p.classes)} colours, "
                f"{int((~is_correct).sum())} of them misclassified."
            ),
        ),
        *draw_quantities(p, folder, rows, place, projection),
    ]


def project(embedding: np.ndarray) -> tuple[np.ndarray, str]:
    """Returns coordinates [o 2] and the name of the projection.

    t-SNE with perplexity 30, lower for few objects; PCA for fewer than five objects;
    all zeros if every object has the same embedding.
    """
    num_objects = len(embedding)
    # float64: the variance of 1e20-sized float32 features overflows.
    embedding = embedding.astype(np.float64).reshape(num_objects, -1)
    num_kept = min(_MOST_FEATURES, *embedding.shape)
    centred = embedding - embedding.mean(axis=0)
    scale = abs(centred).max(initial=0)
    if scale <= 1e-9 * abs(embedding).max(initial=1):
        return np.zeros((num_objects, 2)), "no projection (all embeddings are equal)"
    reduced = PCA(num_kept, random_state=_SEED).fit_transform(centred / scale)
    if num_objects < FEWEST_OBJECTS:
        return np.pad(reduced[:, :2], [(0, 0), (0, 2 - min(2, num_kept))]), "PCA"
    perplexity = min(PERPLEXITY, (num_objects - 1) / 3)
    method = TSNE(
        perplexity=perplexity,
        # For few objects the threads of Barnes-Hut cost more than they save.
        method="exact" if num_objects < 100 else "barnes_hut",
        init="pca" if num_kept > 1 else "random",
        random_state=_SEED,
    )
    return method.fit_transform(reduced), f"t-SNE (perplexity {perplexity:.0f})"


def subsample(object_id: np.ndarray, most: int) -> np.ndarray:
    """Returns the rows to draw: all, or a random `most` of them."""
    # Sorted by name, so the result does not depend on the order of the objects.
    order = np.argsort(object_id)
    if len(order) <= most:
        return order
    chosen = np.random.default_rng(_SEED).choice(len(order), most, replace=False)
    return order[np.sort(chosen)]


def draw_class(axes, place, is_class, is_correct, index: int, name: str) -> None:
    """Draws the objects of one class; misclassified ones get a black outline."""
    marker = style.class_style(index)
    size = 34 if len(place) < 1000 else 14
    entry = f"{style.display_name(name)} ({int(is_class.sum())})"
    for rows, outline, alpha, label in (
        (is_class & is_correct, "none", 0.7, entry),
        (is_class & ~is_correct, "black", 0.95, None),
    ):
        axes.scatter(
            *place[rows].T,
            s=size,
            color=marker["color"],
            marker=marker["marker"],
            edgecolor=outline,
            linewidth=0.9,
            alpha=alpha,
            label=label,
        )


def add_legend_of_errors(axes) -> None:
    """Adds the legend entry of black outlines."""
    outline = {"facecolor": "white", "edgecolor": "black"}
    axes.scatter([], [], s=34, label="misclassified", **outline)
