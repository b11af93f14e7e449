"""How far a score could have been another with other objects: 95% intervals.

What is resampled, with replacement, is the *group*: a field or a 2 arcsec cluster
whose objects share sky, weather and perhaps host, and which no fold may split. Objects
of one group are not independent, so resampling objects one by one would promise too
narrow an interval. Where every object is its own group the two are the same.

Every score here is a function of the confusion matrix, and the confusion matrix of a
resample is a weighted sum of the groups' own ones. So a thousand resamples are one
matrix product, exact and not approximate:
    confusion[draw] = sum over groups of weight[draw, group] * confusion[group]

Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 13 (percentile
    intervals); Cameron, Gelbach & Miller 2008, Rev. Econ. Stat. 90, 414 (clusters).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from jaxastro.evaluation.metrics import predicted_class

NUM_DRAWS = 2000  # the ends of a 95% interval then rest on 50 draws each
LEVEL = 0.95
FEW_GROUPS = 20  # below this a bootstrap interval is too narrow; reports say so
_WEIGHTS_AT_ONCE = 4_000_000  # bounds memory: 32 MB of weights


class Interval(NamedTuple):
    """A score with the range that 95% of the resamples give."""

    value: float
    low: float
    high: float


def group_weights(
    num_groups: int, *, num_draws: int, seed: int
) -> Iterator[np.ndarray]:
    """Yields [draw, group], how often each resample holds each group, in pieces."""
    generator = np.random.default_rng(seed)
    at_once = max(1, _WEIGHTS_AT_ONCE // num_groups)
    for start in range(0, num_draws, at_once):
        shape = (min(at_once, num_draws - start), num_groups)
        # One bincount for all draws: each has its own stretch of num_groups numbers.
        drawn = generator.integers(num_groups, size=shape)
        drawn += np.arange(len(drawn))[:, None] * num_groups
        yield np.bincount(drawn.ravel(), minlength=drawn.size).reshape(shape)


def confusion_draws(
    label: np.ndarray,
    predicted: np.ndarray,
    group: np.ndarray,
    num_classes: int,
    *,
    num_draws: int = NUM_DRAWS,
    seed: int = 0,
) -> np.ndarray:
    """Returns the confusion matrix of every resample, [draw, true, predicted].

    Groups are drawn in the order of their names, so the order of the objects cannot
    matter, and two predictions of the same objects get the same resamples.
    """
    _, row_group = np.unique(np.asarray(group), return_inverse=True)
    num_groups = int(row_group.max()) + 1
    cell = np.asarray(label) * num_classes + np.asarray(predicted)
    per_group = np.zeros((num_groups, num_classes**2))
    np.add.at(per_group, (row_group, cell), 1)

    pieces = [
        weights.astype(np.float64) @ per_group
        for weights in group_weights(num_groups, num_draws=num_draws, seed=seed)
    ]
    return np.concatenate(pieces).reshape(-1, num_classes, num_classes)


def scores_of(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """Returns accuracy, macro F1, balanced accuracy of confusions [..., c, c].

    The definitions are those of metrics.py, to the last digit.
    """
    confusion = np.asarray(confusion, np.float64)
    hit = np.diagonal(confusion, axis1=-2, axis2=-1)
    per_class = per_class_scores_of(confusion)
    present = confusion.sum(-1) > 0
    return {
        "accuracy": hit.sum(-1) / confusion.sum((-2, -1)),
        "macro_f1": per_class["f1"].mean(-1),
        "balanced_accuracy": per_class["recall"].sum(-1) / present.sum(-1),
    }


def per_class_scores_of(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """Returns precision, recall and F1 [..., c] of confusions [..., c, c]; 0/0 is 0."""
    confusion = np.asarray(confusion, np.float64)
    hit = np.diagonal(confusion, axis1=-2, axis2=-1)
    true, guessed = confusion.sum(-1), confusion.sum(-2)
    return {
        "precision": _ratio(hit, guessed),
        "recall": _ratio(hit, true),
        "f1": _ratio(2 * hit, true + guessed),
    }


def interval(value: float, draws: np.ndarray) -> Interval:
    """Returns the value with the central 95% of the draws.

    Widened, where necessary, to hold the value: of a handful of objects the
    percentiles can miss it, and an interval beside its own value helps nobody.
    """
    low, high = np.percentile(draws, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    value = float(value)
    return Interval(value, min(float(low), value), max(float(high), value))


def score_intervals(
    label: np.ndarray,
    probability: np.ndarray,
    group: np.ndarray,
    num_classes: int,
    *,
    num_draws: int = NUM_DRAWS,
    seed: int = 0,
) -> dict[str, Interval]:
    """Returns accuracy, macro F1 and balanced accuracy, each with its interval.

    Args:
        label: [o] true classes.
        probability: [o c].
        group: [o] names; objects of one group are resampled together.
    """
    draws, value = _draws_and_values(
        label, probability, group, num_classes, num_draws, seed
    )
    return {name: interval(value[name], draws[name]) for name in value}


def difference_intervals(
    label: np.ndarray,
    probability: np.ndarray,
    other_probability: np.ndarray,
    group: np.ndarray,
    num_classes: int,
    *,
    num_draws: int = NUM_DRAWS,
    seed: int = 0,
) -> dict[str, Interval]:
    """Returns by how much the first prediction scores above the second.

    Paired: both are scored on the same resamples, so that what makes a resample easy
    or hard for both cancels. The interval is that of the difference; two separate
    intervals may overlap although this one is clear of zero.
    """
    settings = (group, num_classes, num_draws, seed)
    draws, value = _draws_and_values(label, probability, *settings)
    other_draws, other_value = _draws_and_values(label, other_probability, *settings)
    return {
        name: interval(value[name] - other_value[name], draws[name] - other_draws[name])
        for name in value
    }


def mean_interval(value: np.ndarray, group: np.ndarray, **how: int) -> Interval:
    """Returns the mean of a number [o] over the objects, with its interval."""
    every = np.ones(len(value), bool)
    return interval(value.mean(dtype=float), _mean_draws(value, every, group, **how))


def mean_gap_interval(
    value: np.ndarray, rows: np.ndarray, group: np.ndarray, **how: int
) -> Interval:
    """Returns by how much the mean of a number [o] is larger where rows [o] is True.

    Both kinds of objects must be there; the means are of the same resamples.
    """
    gap = value[rows].mean(dtype=float) - value[~rows].mean(dtype=float)
    one, other = (_mean_draws(value, some, group, **how) for some in (rows, ~rows))
    return interval(gap, one - other)


def _mean_draws(
    value, rows, group, *, num_draws: int = NUM_DRAWS, seed: int = 0
) -> np.ndarray:
    _, row_group = np.unique(np.asarray(group), return_inverse=True)
    num_groups = int(row_group.max()) + 1
    total = np.bincount(row_group, np.where(rows, value, 0), num_groups)
    count = np.bincount(row_group, rows, num_groups)
    weights = group_weights(num_groups, num_draws=num_draws, seed=seed)
    return np.concatenate([_ratio(w @ total, w @ count) for w in weights])


def _draws_and_values(label, probability, group, num_classes, num_draws, seed):
    predicted = predicted_class(probability)
    draws = confusion_draws(
        label, predicted, group, num_classes, num_draws=num_draws, seed=seed
    )
    cell = np.asarray(label) * num_classes + predicted
    counts = np.bincount(cell, minlength=num_classes**2)
    value = scores_of(counts.reshape(num_classes, num_classes))
    return scores_of(draws), value


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
