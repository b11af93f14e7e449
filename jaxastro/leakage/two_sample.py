"""Are two samples alike? One number per column, and one for all columns together."""

from typing import NamedTuple

import numpy as np
from scipy import stats
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from jaxastro.errors import InputError

_NUM_TREES = 300
_NUM_FOLDS = 5


class ColumnComparison(NamedTuple):
    """How far apart two samples of one quantity are."""

    distance: float  # Kolmogorov-Smirnov, 0 alike to 1 apart
    p_value: float  # of a larger one, were both of one law
    first: tuple[float, float, float]  # quartiles
    second: tuple[float, float, float]


def compare_columns(first: dict, second: dict) -> dict[str, ColumnComparison]:
    """Returns the Kolmogorov-Smirnov comparison of each quantity; NaN is left out.

    Args:
        first: name -> values [n].
        second: the same names -> values [m].
    Raises:
        ValueError: if a quantity has no number in one of the samples.
    """
    found = {}
    for name in first:
        a, b = (np.asarray(sample[name], float) for sample in (first, second))
        a, b = a[np.isfinite(a)], b[np.isfinite(b)]
        if not len(a) or not len(b):
            raise InputError(
                f"{name}: {len(a)} and {len(b)} numbers. Both samples need some. Leave "
                "the quantity out, or give more objects."
            )
        test = stats.ks_2samp(a, b)
        quartiles = (tuple(np.percentile(x, [25, 50, 75]).tolist()) for x in (a, b))
        found[name] = ColumnComparison(
            float(test.statistic), float(test.pvalue), *quartiles
        )
    return found


def two_sample_auc(first: np.ndarray, second: np.ndarray, *, group, seed: int) -> float:
    """Returns the area under the ROC curve of a forest that tells two samples apart.

    0.5: it cannot, over all columns together; 1: it always can. Each object is judged
    by a forest that saw none of its group, and the samples weigh the same.

    Args:
        first: [n f].
        second: [m f] the same columns.
        group: [n + m] what may not be cut, such as the field.
    Source: Lopez-Paz & Oquab 2017, ICLR, arXiv:1610.06545 (the idea).
    """
    features = np.nan_to_num(np.concatenate([first, second]).astype(np.float32))
    label = np.repeat([0, 1], [len(first), len(second)])
    probability = np.full(len(label), np.nan)
    folds = StratifiedGroupKFold(_NUM_FOLDS, shuffle=True, random_state=seed)
    for known, unseen in folds.split(features, label, np.asarray(group)):
        forest = RandomForestClassifier(
            _NUM_TREES,
            min_samples_leaf=3,
            class_weight="balanced",
            random_state=seed,
        )
        forest.fit(features[known], label[known])
        probability[unseen] = forest.predict_proba(features[unseen])[:, 1]
    return float(roc_auc_score(label, probability))
