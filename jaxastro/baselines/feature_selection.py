"""Feature selection with a random forest, in three steps on training objects.

    1  of features whose ranks correlate with |r| >= LIMIT only the first is kept
    2  a forest gives the importance of the others
    3  sequential forward selection orders them: the feature that raises the score most
       is added next, until all are included

Step 3 scores by cross-validation within the training objects, so that the test fold
can measure the accuracy of the selection.

Source: step 3 makes the same choices as scikit-learn's SequentialFeatureSelector, which
    returns the selected set of one size instead of the order of all features.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import QuantileTransformer

from jaxastro.baselines.classifiers import random_forest

LIMIT = 0.9  # of |r|; features correlated as strongly are redundant
NUM_PARTS = 3  # of the cross-validation
NUM_SCORED = 1000  # training objects, sampled, that forward selection uses
SCORING = "balanced_accuracy"


class Selection(NamedTuple):
    """Importance and order of features, which are given by their columns."""

    importance: np.ndarray  # f  in a forest of all features, with sum 1
    order: list[int]  # columns in the order of forward selection
    scores: list[float]  # cross-validated score after each step of it


def select(
    table: np.ndarray,
    label: np.ndarray,
    *,
    seed: int,
    on_step: Callable[[], object] = lambda: None,
) -> Selection:
    """Returns the importance of features, and their order in forward selection.

    Args:
        table: [n f], features of training objects, NaN where unknown.
        label: [n], classes.
        on_step: called after each of `num_steps(f)` steps, for a progress bar.
    """
    importance = forest(seed).fit(table, label).feature_importances_
    sample = np.random.default_rng(seed).permutation(len(label))[:NUM_SCORED]
    return Selection(
        importance, *select_forward(table[sample], label[sample], seed, on_step)
    )


def rank_correlation(table: np.ndarray) -> np.ndarray:
    """Returns [f f], Spearman's r; an unknown value counts as its column's median."""
    filled = np.where(np.isfinite(table), table, np.nanmedian(table, axis=0))
    rank = rankdata(filled, axis=0)
    rank -= rank.mean(axis=0)
    size = np.sqrt((rank**2).sum(axis=0))
    # The correlation of a constant column is 0.
    rank /= np.where(size > 0, size, 1)
    return rank.T @ rank


def first_of_group(correlation: np.ndarray) -> list[int]:
    """Returns for each feature the first kept one that is redundant with it, or itself.

    Args:
        correlation: [f f].
    """
    kept_for: list[int] = []
    for number, row in enumerate(abs(correlation)):
        redundant = [k for k in dict.fromkeys(kept_for) if row[k] >= LIMIT]
        kept_for.append(redundant[0] if redundant else number)
    return kept_for


def select_forward(
    table: np.ndarray,
    label: np.ndarray,
    seed: int,
    on_step: Callable[[], object] = lambda: None,
) -> tuple[list[int], list[float]]:
    """Returns all columns in the order of forward selection, and the score per step.

    The arguments are those of `select`.
    """
    order, scores = [], []
    while remaining := [k for k in range(table.shape[1]) if k not in order]:
        candidate_scores = []
        for k in remaining:
            columns = np.sort([*order, k])
            candidate_scores.append(score_of(table[:, columns], label, seed))
            on_step()
        best = int(np.argmax(candidate_scores))
        order.append(remaining[best])
        scores.append(float(candidate_scores[best]))
    return order, scores


def score_of(table: np.ndarray, label: np.ndarray, seed: int) -> float:
    """Returns the mean cross-validated score of a small forest."""
    scores = cross_val_score(
        small_forest(seed), table, label, cv=cross_validation(seed), scoring=SCORING
    )
    return float(scores.mean())


def cross_validation(seed: int) -> StratifiedKFold:
    """Returns the stratified parts of the training objects."""
    return StratifiedKFold(NUM_PARTS, shuffle=True, random_state=seed)


def small_forest(seed: int) -> RandomForestClassifier:
    """Returns the forest of forward selection, which trains in 0.1 s or less."""
    return random_forest(num_trees=12, min_samples_leaf=5, seed=seed)


def forest(seed: int) -> RandomForestClassifier:
    """Returns the forest that gives importances and final accuracies."""
    return random_forest(num_trees=100, min_samples_leaf=2, seed=seed, num_jobs=-1)


def network(seed: int) -> Pipeline:
    """Returns a small neural network on the ranks of the features; unknown is 0."""
    return make_pipeline(
        QuantileTransformer(n_quantiles=50, output_distribution="normal"),
        SimpleImputer(strategy="constant", fill_value=0.0),
        MLPClassifier((64, 64), max_iter=40, random_state=seed),
    )


def accuracies(
    make: Callable[[int], RandomForestClassifier | Pipeline],
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    order: Sequence[int],
    counts: Sequence[int],
    seed: int,
) -> list[float]:
    """Returns the accuracy on test objects for increasing numbers of features.

    Args:
        make: returns a classifier for a seed, such as `forest` or `network`.
        train: table [n f] and label [n].
        test: table [o f] and label [o].
        order: columns of the features, the most useful first.
        counts: numbers of features, taken from the start of `order`.
    """
    values = []
    for count in counts:
        columns = list(order[:count])
        with warnings.catch_warnings():
            # max_iter of the network is small to save time.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = make(seed).fit(train[0][:, columns], train[1])
        values.append(float(model.score(test[0][:, columns], test[1])))
    return values


def num_steps(count: int) -> int:
    """Returns the number of feature sets that forward selection scores.

    Args:
        count: of features.
    """
    return count * (count + 1) // 2
