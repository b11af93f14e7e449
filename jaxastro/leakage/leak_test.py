"""Leak test: whether some features predict the labels better than chance.

A random forest is trained on the features and tested on objects of other groups. Its
area under the ROC curve (one class against the rest, mean over classes) is 0.5 by
chance and 1 for a perfect prediction. The interval is a bootstrap over groups; the
distribution by chance comes from shuffled labels.

It is a leak if one of these exceeds both 0.5 + margin and the area that 97.5 % of the
shuffled labels stay below:
    the lower end of the 95 % interval of the mean area
    the area of a single class minus 3 standard deviations, since the mean over many
    classes can hide one class

False positives: 2 of 820 sets of random features (60 to 2,000 objects, 3 to 10 classes,
each object a group of its own or all in 30 fields). Power with four classes: a true
area of 0.58 is found in 10 of 30 data sets of 200 objects, 0.59 in 29 of 30 data sets
of 600 objects, and 0.69 in all data sets of 200 objects.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata
from sklearn.model_selection import StratifiedGroupKFold

from jaxastro.errors import InputError
from jaxastro.evaluation.bootstrap import (
    Interval,
    group_weights,
    interval,
    score_intervals,
)
from jaxastro.leakage.nuisance_baseline import nuisance_baseline

MARGIN = 0.05  # an area of 0.55 or less has no effect on conclusions
NUM_FOLDS, NUM_DRAWS, NUM_SHUFFLES = 5, 500, 500
NUM_TREES = 100
DEVIATIONS = 3.0  # of single classes; larger than for the mean, as there are several


class Finding(NamedTuple):
    """Result of a leak test; areas are under the ROC curve of one class."""

    auc: Interval  # mean area over the classes
    balanced_accuracy: Interval
    chance_auc: float  # mean area that 97.5 % of shuffled labels stay below
    class_auc: np.ndarray  # c  area of each class
    class_auc_error: np.ndarray  # c  standard deviation of class_auc
    class_chance_auc: np.ndarray  # c  area that 97.5 % of shuffled labels stay below
    margin: float  # area above 0.5 that is not yet a leak

    @property
    def is_leak(self) -> bool:
        """Whether the features leak the label of any class."""
        is_mean_above = self.auc.low > max(0.5 + self.margin, self.chance_auc)
        return is_mean_above or bool(self.leaked_classes.any())

    @property
    def leaked_classes(self) -> np.ndarray:
        """[c] bool, True for classes that the features separate from the rest."""
        low = self.class_auc - DEVIATIONS * self.class_auc_error
        return low > np.maximum(0.5 + self.margin, self.class_chance_auc)


def find_leak(
    features: np.ndarray,
    label: np.ndarray,
    group: np.ndarray,
    *,
    margin: float = MARGIN,
    seed: int = 0,
) -> Finding:
    """Returns the leak test of some features.

    Args:
        features: [n f]; NaN where unknown.
        label: [n], classes from 0; each must occur in at least two groups.
        group: [n], names; objects of one group are never in training and test at once.
        margin: area above 0.5 that is not yet a leak.
        seed: of folds, forests, bootstrap and shuffles.
    Raises:
        InputError: if a class lies in one group.
    """
    num_classes = int(label.max()) + 1
    probability = out_of_fold(features, label, group, seed=seed)
    value, draws = auc_draws(label, probability, group, seed=seed)
    shuffled = _auc_of_shuffled(label, probability, seed=seed)
    scores = score_intervals(
        label, probability, group, num_classes, num_draws=NUM_DRAWS, seed=seed
    )
    return Finding(
        auc=interval(value.mean(), draws.mean(axis=1)),
        balanced_accuracy=scores["balanced_accuracy"],
        chance_auc=float(np.quantile(shuffled.mean(axis=1), 0.975)),
        class_auc=value,
        class_auc_error=draws.std(axis=0),
        class_chance_auc=np.quantile(shuffled, 0.975, axis=0),
        margin=margin,
    )


def out_of_fold(
    features: np.ndarray, label: np.ndarray, group: np.ndarray, *, seed: int
) -> np.ndarray:
    """Returns [n c], probabilities by forests that were trained on other groups.

    Args:
        features: [n f]; NaN where unknown.
        label: [n], classes from 0.
        group: [n], names.
    Raises:
        InputError: if a class lies in one group.
    """
    num_classes = int(label.max()) + 1
    _, group = np.unique(group, return_inverse=True)
    groups = [len(np.unique(group[label == k])) for k in range(num_classes)]
    if min(groups) < 2:
        raise InputError(
            f"Class {int(np.argmin(groups))} lies in {min(groups)} group. A test on "
            "other groups than those in training needs two of each class. Leave the "
            "class out."
        )
    folds = StratifiedGroupKFold(
        min(NUM_FOLDS, *groups), shuffle=True, random_state=seed
    )
    probability = np.zeros((len(label), num_classes))
    for train, test in folds.split(features, label, group):
        probability[test] = nuisance_baseline(
            features[train],
            label[train],
            features[test],
            num_classes=num_classes,
            seed=seed,
            num_trees=NUM_TREES,
        )
    return probability


def auc_draws(
    label: np.ndarray, probability: np.ndarray, group: np.ndarray, *, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the area under the ROC curve of each class, [c], and of resamples.

    Args:
        label: [n], classes.
        probability: [n c].
        group: [n], names; groups are resampled with all their objects.
    Returns:  areas [c], and those of NUM_DRAWS resamples [draw c]. Without an object of
        a class in a resample the area is 0.5.
    """
    _, group = np.unique(group, return_inverse=True)
    once = np.ones((1, len(label)))
    draws = []
    weights = group_weights(int(group.max()) + 1, num_draws=NUM_DRAWS, seed=seed)
    pieces = (piece[:, group] for piece in weights)
    columns = range(probability.shape[1])
    value = [weighted_auc(label == k, probability[:, k], once)[0] for k in columns]
    for piece in pieces:
        areas = [weighted_auc(label == k, probability[:, k], piece) for k in columns]
        draws.append(np.stack(areas, axis=1))
    return np.array(value), np.concatenate(draws)


def weighted_auc(
    is_positive: np.ndarray, score: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Returns the area under the ROC curve for each row of weights, [w].

        P(score of a positive > score of a negative) + 1/2 P(they are equal)

    0.5 where either is missing.

    Args:
        is_positive: [n] bool.
        score: [n].
        weight: [w n], multiplicity of each object.
    """
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=-np.inf) > 0)
    weight, is_positive = weight[:, order], is_positive[order]
    positive = np.add.reduceat(weight * is_positive, starts, axis=1)
    negative = np.add.reduceat(weight * ~is_positive, starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    won = (positive * below).sum(axis=1)
    return np.divide(won, pairs, out=np.full(len(won), 0.5), where=pairs > 0)


def _auc_of_shuffled(label, probability: np.ndarray, *, seed: int) -> np.ndarray:
    """Returns [shuffle c], the areas with shuffled labels."""
    generator = np.random.default_rng(seed)
    rank = rankdata(probability, axis=0)
    areas = np.empty((NUM_SHUFFLES, probability.shape[1]))
    for i in range(NUM_SHUFFLES):
        of_class = np.eye(probability.shape[1])[generator.permutation(label)]
        count = of_class.sum(axis=0)
        won = (rank * of_class).sum(axis=0) - count * (count + 1) / 2
        areas[i] = won / (count * (len(label) - count))
    return areas
