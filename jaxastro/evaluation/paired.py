"""Paired comparison of two systems on the same objects.

The bootstrap interval of the difference resamples groups of objects, so it is valid for
large groups too. McNemar's test counts the objects that only one of the systems
classifies correctly. It is exact for any number of objects, but assumes that they are
independent.
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
    """Scores of the first system minus those of the second, on their common objects."""

    objects: int
    groups: int  # independent ones; with few, intervals are unreliable
    accuracy: Interval  # first minus second
    macro_f1: Interval
    p_value: float  # of the difference in accuracy: McNemar's exact test

    def sign(self, score: str) -> int:
        """Returns 1 (-1) if the difference is significantly above (below) 0, else 0."""
        difference = getattr(self, score)
        if self.groups < FEW_GROUPS:
            return 0
        return int(difference.low > 0) - int(difference.high < 0)


def share_objects(first: Pool, second: Pool) -> bool:
    """Returns whether two systems have a tested object in common."""
    return bool(np.isin(first.object_id, second.object_id).any())


def compare(first: Pool, second: Pool) -> Comparison:
    """Returns the difference of two systems on the objects that both were tested on.

    Raises:
        InputError: if there are none, or if their labels or classes differ.
    """
    _, rows, other_rows = np.intersect1d(
        first.object_id, second.object_id, return_indices=True
    )
    if not len(rows):
        raise InputError(
            "These systems were tested on no object in common. Compare systems whose "
            "folds come from one survey, one set of classes and one split seed."
        )
    label, group = first.label[rows], first.group[rows]
    differ = label != second.label[other_rows]
    if first.classes != second.classes or differ.any():
        raise InputError(
            f"Object {first.object_id[rows][differ.argmax()]} has another label or "
            "other classes in the second system. Compare systems of one task."
        )
    probability, other = first.probability[rows], second.probability[other_rows]
    differences = difference_intervals(
        label, probability, other, group, len(first.classes)
    )
    return Comparison(
        objects=len(label),
        groups=len(np.unique(group)),
        accuracy=differences["accuracy"],
        macro_f1=differences["macro_f1"],
        p_value=mcnemar(
            predicted_class(probability) == label, predicted_class(other) == label
        ),
    )


def mcnemar(correct: np.ndarray, other_correct: np.ndarray) -> float:
    """Returns the p-value of McNemar's exact test for equal accuracy.

    Of n objects that only one system classifies correctly, b are those of the first:
        p = P(|B - n/2| >= |b - n/2|),  B ~ binomial(n, 1/2)

    Args:
        correct: [o] bool of the first system; other_correct: [o] of the second.
    Source: McNemar 1947, Psychometrika 12, 153; the exact form.
    """
    first_only = np.sum(correct & ~other_correct)
    second_only = np.sum(other_correct & ~correct)
    if first_only + second_only == 0:
        return 1.0
    return float(binomtest(int(first_only), int(first_only + second_only)).pvalue)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Returns p-values corrected for multiple tests, by the method of Holm.

    The k-th smallest (from 0) of m p-values is multiplied by m - k; no corrected value
    is smaller than that of a smaller p-value.

    Source: Holm 1979, Scand. J. Statist. 6, 65.
    """
    corrected, largest = {}, 0.0
    for k, name in enumerate(sorted(p_values, key=lambda n: (p_values[n], n))):
        largest = max(largest, min(1.0, (len(p_values) - k) * p_values[name]))
        corrected[name] = largest
    return corrected
