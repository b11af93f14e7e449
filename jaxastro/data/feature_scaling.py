"""Rank scaling of catalogue columns and alert metadata."""

from collections.abc import Iterable

import numpy as np

NUM_RANKS = 65  # quantiles of a column, including its extremes


def fit_feature_ranks(values: Iterable[np.ndarray]) -> dict[str, list[float]]:
    """Returns evenly spaced quantiles of the known values of each column.

    Args:
        values: [f] of every training object, or [t f] with one row per epoch.
    Returns:  "feature_ranked" -> f * NUM_RANKS numbers, column after column.
    """
    rows = [np.atleast_2d(one) for one in values]
    share = np.linspace(0, 1, NUM_RANKS)
    ranked = [
        np.quantile(known, share) if len(known) else np.zeros(NUM_RANKS)
        for known in (column[np.isfinite(column)] for column in _columns(rows))
    ]
    return {"feature_ranked": np.ravel(ranked).tolist()}


def scale_features(
    values: np.ndarray, statistics: dict[str, list[float]]
) -> tuple[np.ndarray, np.ndarray]:
    """Returns ranks among the training objects, and a mask of the known values.

    Ranks are uniform from -sqrt 3 to sqrt 3, so that their mean is 0 and their standard
    deviation 1. Periods of hours and of years, or probabilities of 1e-3 and 1e-300, are
    then resolved equally well.

    Args:
        values: [f] or [t f]; NaN where unknown.
        statistics: what fit_feature_ranks returned.
    Returns:  ranks, float32, 0 where unknown, and the mask, in the shape of values.
    """
    known = np.isfinite(values)
    ranks = np.reshape(statistics["feature_ranked"], (-1, NUM_RANKS))
    place = np.linspace(-np.sqrt(3), np.sqrt(3), NUM_RANKS)
    scaled = np.zeros(values.shape, np.float32)
    for k, ranked in enumerate(ranks):
        x = np.where(known[..., k], values[..., k], 0)
        # The mean of interpolation from below and above, the middle of equal values.
        above = -np.interp(-x, -ranked[::-1], place)
        scaled[..., k] = (np.interp(x, ranked, place) + above) / 2
    return np.where(known, scaled, np.float32(0)), known


def _columns(rows: list[np.ndarray]) -> Iterable[np.ndarray]:
    return np.concatenate(rows).T if rows else ()
