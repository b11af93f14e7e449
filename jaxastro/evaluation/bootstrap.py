"""Cluster-bootstrap confidence intervals of scores.

Groups are resampled with replacement. A group is a field or a 2 arcsec cluster, whose
objects share sky, weather and perhaps host, and which no fold splits. Objects of one
group are not independent, so resampling single objects would give too narrow intervals.
If every object is its own group, the two are the same.

Every score here is a function of the confusion matrix, and the confusion matrix of a
resample is a weighted sum of those of the groups. All resamples are therefore one exact
matrix product:
    confusion[draw] = sum over groups of weight[draw, group] * confusion[group]

Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 13 (percentile
    intervals); Cameron, Gelbach & Miller 2008, Rev. Econ. Stat. 90, 414 (clusters).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from jaxastro.evaluation.metrics import predicted_class

NUM_DRAWS = 2000  # each end of a 95 % interval then depends on 50 draws
LEVEL = 0.95
FEW_GROUPS = 20  # with fewer groups a bootstrap interval is too narrow
_WEIGHTS_AT_ONCE = 4_000_000  # limits memory: 32 MB of weights


class Interval(NamedTuple):
    """A score with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


def group_weights(
    num_groups: int, *, num_draws: int, seed: int
) -> Iterator[np.ndarray]:
    """Yields [draw, group], the multiplicity of each group in each resample, in parts.

    Args:
        num_draws: resamples in total.
    """
    generator = np.random.default_rng(seed)
    at_once = max(1, _WEIGHTS_AT_ONCE // num_groups)
    for start in range(0, num_draws, at_once):
        shape = (min(at_once, num_draws - start), num_groups)
        # One bincount for all draws: each draw has its own range of num_groups numbers.
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

    Groups are sorted by name first. The result therefore does not depend on the order
    of the objects, and two predictions of the same objects get the same resamples.

    Args:
        label: [o], true classes.
        predicted: [o], classes.
        group: [o], names.
    """
    _, row_group = np.unique(np.asarray(group), return_inverse=True)
    num_groups = int(row_group.max()) + 1
    entry = np.asarray(label) * num_classes + np.asarray(predicted)
    per_group = np.zeros((num_groups, num_classes**2))
    np.add.at(per_group, (row_group, entry), 1)

    parts = [
        weights.astype(np.float64) @ per_group
        for weights in group_weights(num_groups, num_draws=num_draws, seed=seed)
    ]
    return np.concatenate(parts).reshape(-1, num_classes, num_classes)


def scores_of(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """Returns accuracy, macro F1 and balanced accuracy of confusions [..., c, c].

    The definitions are those of metrics.py.
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
    true, predicted = confusion.sum(-1), confusion.sum(-2)
    return {
        "precision": _ratio(hit, predicted),
        "recall": _ratio(hit, true),
        "f1": _ratio(2 * hit, true + predicted),
    }


def interval(value: float, draws: np.ndarray) -> Interval:
    """Returns the value with the central 95 % of the draws.

    The interval is widened to include the value, if necessary: for very few objects
    the percentiles may exclude it.
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
        label: [o], true classes.
        probability: [o c].
        group: [o], names; objects of one group are resampled together.
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
    """Returns the scores of the first prediction minus those of the second.

    The comparison is paired: both are scored on the same resamples, so that variations
    common to both cancel. The separate intervals of two predictions may overlap
    although this interval excludes zero.

    Args:
        label: [o], true classes.
        probability: [o c], first prediction; other_probability: [o c], second.
        group: [o], names; objects of one group are resampled together.
    """
    settings = (group, num_classes, num_draws, seed)
    draws, value = _draws_and_values(label, probability, *settings)
    other_draws, other_value = _draws_and_values(label, other_probability, *settings)
    return {
        name: interval(value[name] - other_value[name], draws[name] - other_draws[name])
        for name in value
    }


def mean_interval(value: np.ndarray, group: np.ndarray, **how: int) -> Interval:
    """Returns the mean of a number [o] over the objects, with its interval.

    Args:
        how: num_draws and seed, as in score_intervals.
    """
    all_rows = np.ones(len(value), bool)
    draws = _mean_draws(value, all_rows, group, **how)
    return interval(value.mean(dtype=float), draws)


def mean_gap_interval(
    value: np.ndarray, rows: np.ndarray, group: np.ndarray, **how: int
) -> Interval:
    """Returns the mean of a number [o] where rows is True minus that where it is False.

    Both means are of the same resamples.

    Args:
        rows: [o] bool, with at least one object of each kind.
        how: num_draws and seed, as in score_intervals.
    """
    gap = value[rows].mean(dtype=float) - value[~rows].mean(dtype=float)
    first = _mean_draws(value, rows, group, **how)
    second = _mean_draws(value, ~rows, group, **how)
    return interval(gap, first - second)


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
    entry = np.asarray(label) * num_classes + predicted
    counts = np.bincount(entry, minlength=num_classes**2)
    value = scores_of(counts.reshape(num_classes, num_classes))
    return scores_of(draws), value


def _ratio(part: np.ndarray, total: np.ndarray) -> np.ndarray:
    return np.divide(part, total, out=np.zeros_like(part), where=total > 0)
