"""Two-sample tests: Kolmogorov-Smirnov per column, and a classifier on all columns."""

from typing import NamedTuple

import numpy as np
from scipy import stats
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from jaxastro.baselines.classifiers import random_forest
from jaxastro.errors import InputError

_NUM_FOLDS = 5


class ColumnComparison(NamedTuple):
    """Kolmogorov-Smirnov test of two samples of one quantity, with their quartiles."""

    distance: float  # from 0, equal distributions, to 1
    p_value: float  # probability of a larger distance for equal distributions
    first: tuple[float, float, float]  # quartiles
    second: tuple[float, float, float]


def compare_columns(first: dict, second: dict) -> dict[str, ColumnComparison]:
    """Returns the Kolmogorov-Smirnov test of each quantity; NaN are omitted.

    Args:
        first: name -> values [n].
        second: the same names -> values [m].
    Raises:
        InputError: if a quantity has no number in one of the samples.
    """
    comparisons = {}
    for name in first:
        a, b = (np.asarray(sample[name], float) for sample in (first, second))
        a, b = a[np.isfinite(a)], b[np.isfinite(b)]
        if not len(a) or not len(b):
            raise InputError(
                f"{name}: {len(a)} and {len(b)} numbers. Both samples need at least "
                "one. Leave the quantity out, or give more objects."
            )
        test = stats.ks_2samp(a, b)
        quartiles = (tuple(np.percentile(x, [25, 50, 75]).tolist()) for x in (a, b))
        comparisons[name] = ColumnComparison(
            float(test.statistic), float(test.pvalue), *quartiles
        )
    return comparisons


def two_sample_auc(first: np.ndarray, second: np.ndarray, *, group, seed: int) -> float:
    """Returns the area under the ROC curve of a forest that separates two samples.

    0.5: the samples cannot be separated by all columns together; 1: they always can.
    Each object is tested with a forest that was trained on other groups. Both samples
    have the same total weight.

    Args:
        first: [n f].
        second: [m f], the same columns.
        group: [n + m], names of groups that folds do not cut, such as fields.
    Source: Lopez-Paz & Oquab 2017, ICLR, arXiv:1610.06545 (the idea).
    """
    features = np.nan_to_num(np.concatenate([first, second]).astype(np.float32))
    label = np.repeat([0, 1], [len(first), len(second)])
    probability = np.full(len(label), np.nan)
    folds = StratifiedGroupKFold(_NUM_FOLDS, shuffle=True, random_state=seed)
    for train, test in folds.split(features, label, np.asarray(group)):
        forest = random_forest(num_trees=300, min_samples_leaf=3, seed=seed)
        forest.fit(features[train], label[train])
        probability[test] = forest.predict_proba(features[test])[:, 1]
    return float(roc_auc_score(label, probability))
