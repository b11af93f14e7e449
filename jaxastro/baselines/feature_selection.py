"""Which features a forest needs: one of each group of alike ones, then one by one.

    1  of features whose ranks correlate with |r| >= LIMIT the first stays
    2  a forest ranks those that are left
    3  from none, the feature that helps most is added, until all are in

Every step sees training objects alone: the third scores on parts of them by turns, so
that a test fold can say what the choice is worth.

Source: scikit-learn's SequentialFeatureSelector for the third step, whose choices these
    are; that returns the chosen set of one size, and here the order of all is wanted.
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

LIMIT = 0.9  # of |r|, at and above which two features are alike
NUM_PARTS = 3  # of the training objects, on each of which a choice is scored once
NUM_TRIED = 1000  # training objects, drawn, that choices are scored on
SCORING = "balanced_accuracy"


class Selection(NamedTuple):
    """What training objects say of features that are not alike, by their columns."""

    importance: np.ndarray  # f  in a forest of all, of sum 1
    order: list[int]  # the most useful first
    inner: list[float]  # score on the parts after each of these steps


def select(
    table: np.ndarray,
    label: np.ndarray,
    *,
    seed: int,
    said: Callable[[], object] = lambda: None,
) -> Selection:
    """Returns the importance of features, and the order in which they help.

    Args:
        table: [n f] of training objects, NaN where unknown.
        label: [n] classes.
        said: called after each of `steps_of(f)` tries, for a progress bar.
    """
    importance = forest(seed).fit(table, label).feature_importances_
    drawn = np.random.default_rng(seed).permutation(len(label))[:NUM_TRIED]
    return Selection(importance, *forward(table[drawn], label[drawn], seed, said))


def rank_correlation(table: np.ndarray) -> np.ndarray:
    """Returns [f f] Spearman's r; what is unknown counts as its column's median."""
    filled = np.where(np.isfinite(table), table, np.nanmedian(table, axis=0))
    rank = rankdata(filled, axis=0)
    rank -= rank.mean(axis=0)
    size = np.sqrt((rank**2).sum(axis=0))
    # A constant column is like no other.
    rank /= np.where(size > 0, size, 1)
    return rank.T @ rank


def first_of_group(correlation: np.ndarray) -> list[int]:
    """Returns for each feature the first kept one that is like it, or itself."""
    found: list[int] = []
    for number, row in enumerate(abs(correlation)):
        alike = [k for k in dict.fromkeys(found) if row[k] >= LIMIT]
        found.append(alike[0] if alike else number)
    return found


def forward(
    table: np.ndarray,
    label: np.ndarray,
    seed: int,
    said: Callable[[], object] = lambda: None,
) -> tuple[list[int], list[float]]:
    """Returns all columns in the order in which they help most, and the scores."""
    order, scores = [], []
    while left := [k for k in range(table.shape[1]) if k not in order]:
        tried = []
        for k in left:
            columns = np.sort([*order, k])
            tried.append(score_of(table[:, columns], label, seed))
            said()
        best = int(np.argmax(tried))
        order.append(left[best])
        scores.append(float(tried[best]))
    return order, scores


def score_of(table: np.ndarray, label: np.ndarray, seed: int) -> float:
    """Returns the mean score of a small forest on the parts that it did not see."""
    scores = cross_val_score(
        small_forest(seed), table, label, cv=parts(seed), scoring=SCORING
    )
    return float(scores.mean())


def parts(seed: int) -> StratifiedKFold:
    """Returns how training objects are parted, the classes alike in each part."""
    return StratifiedKFold(NUM_PARTS, shuffle=True, random_state=seed)


def small_forest(seed: int) -> RandomForestClassifier:
    """Returns the forest that choices are made by; a tenth of a second or less."""
    return RandomForestClassifier(
        12, min_samples_leaf=5, class_weight="balanced", random_state=seed
    )


def forest(seed: int) -> RandomForestClassifier:
    """Returns the forest that ranks features, and whose accuracy is shown."""
    settings = {"min_samples_leaf": 2, "class_weight": "balanced", "n_jobs": -1}
    return RandomForestClassifier(100, **settings, random_state=seed)


def network(seed: int) -> Pipeline:
    """Returns a small network; each feature is told by its rank, the unknown is 0."""
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
    """Returns the accuracy on test objects with the first so many features of an order.

    Args:
        train: table [n f] and label [n] to learn from; test: likewise, to be named.
        counts: how many features.
    """
    found = []
    for count in counts:
        columns = list(order[:count])
        with warnings.catch_warnings():
            # The network's passes are few on purpose.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = make(seed).fit(train[0][:, columns], train[1])
        found.append(float(model.score(test[0][:, columns], test[1])))
    return found


def num_steps(count: int) -> int:
    """Returns how many sets of features are tried on the way to `count` of them."""
    return count * (count + 1) // 2
