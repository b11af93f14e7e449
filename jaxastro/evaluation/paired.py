"""Two systems on the same objects: by how much one is above the other, and how surely.

The interval resamples objects by group, so it is the one to believe where groups are
large. McNemar's test counts the objects that only one of the two calls right; it is
exact for any number of objects, but takes each of them to be independent.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest

from jaxastro.errors import InputError
from jaxastro.evaluation.bootstrap import FEW_GROUPS, Interval, difference_intervals
from jaxastro.evaluation.metrics import predicted_class
from jaxastro.evaluation.pool import Pool


class Comparison(NamedTuple):
    """How far the first system is above the second, on the objects both were given."""

    objects: int
    groups: int  # independent ones; of few, no interval can be trusted
    accuracy: Interval  # first minus second
    macro_f1: Interval
    p_value: float  # of a difference in accuracy as large, by chance: McNemar, exact

    def sign(self, score: str) -> int:
        """Returns 1 or -1 if the score is surely above or below, and else 0."""
        found = getattr(self, score)
        if self.groups < FEW_GROUPS:
            return 0
        return int(found.low > 0) - int(found.high < 0)


def share_objects(first: Pool, second: Pool) -> bool:
    """Returns whether two systems, perhaps half trained, share a tested object."""
    return bool(np.isin(first.object_id, second.object_id).any())


def compare(first: Pool, second: Pool) -> Comparison:
    """Returns the difference of two systems on the objects that both were tested on.

    Raises:
        ValueError: if there are none, or the two were given other labels for one.
    """
    _, mine, other = np.intersect1d(
        first.object_id, second.object_id, return_indices=True
    )
    if not len(mine):
        raise InputError(
            "These systems were tested on no object in common. Compare systems whose "
            "folds come from one survey, one set of classes and one split seed."
        )
    label, group = first.label[mine], first.group[mine]
    differ = label != second.label[other]
    if first.classes != second.classes or differ.any():
        raise InputError(
            f"Object {first.object_id[mine][differ.argmax()]} has another label or "
            "other classes in the second system. Compare systems of one task."
        )
    probability, rival = first.probability[mine], second.probability[other]
    found = difference_intervals(label, probability, rival, group, len(first.classes))
    return Comparison(
        objects=len(label),
        groups=len(np.unique(group)),
        accuracy=found["accuracy"],
        macro_f1=found["macro_f1"],
        p_value=mcnemar(
            predicted_class(probability) == label, predicted_class(rival) == label
        ),
    )


def mcnemar(right: np.ndarray, other_right: np.ndarray) -> float:
    """Returns the probability of so uneven a count, were both as often right.

    Of the n objects that one alone calls right, b are the first's:
        p = P(|B - n/2| >= |b - n/2|),  B ~ binomial(n, 1/2)

    Source: McNemar 1947, Psychometrika 12, 153; the exact form.
    """
    alone, other_alone = np.sum(right & ~other_right), np.sum(other_right & ~right)
    if alone + other_alone == 0:
        return 1.0
    return float(binomtest(int(alone), int(alone + other_alone)).pvalue)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Returns p-values that hold for all tests together.

    With m tests, the k-th smallest (from 0) counts m - k times, and none is smaller
    than one before it.

    Source: Holm 1979, Scand. J. Statist. 6, 65.
    """
    corrected, largest = {}, 0.0
    for k, name in enumerate(sorted(p_values, key=lambda n: (p_values[n], n))):
        largest = max(largest, min(1.0, (len(p_values) - k) * p_values[name]))
        corrected[name] = largest
    return corrected
