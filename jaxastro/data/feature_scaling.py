"""Numbers of a survey's columns: scaled by training objects, and known or not."""

from collections.abc import Iterable

import numpy as np

NUM_RANKS = 65  # numbers of a column that stand for all of it, the extremes among them


def fit_feature_ranks(values: Iterable[np.ndarray]) -> dict[str, list[float]]:
    """Returns evenly ranked numbers of each column, of what is known.

    Args:
        values: [f] of every training object, or [t f] of each of its epochs.
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
    """Returns ranks among training objects, 0 where unknown, and what is known.

    From -sqrt 3 to sqrt 3, of mean 0 and deviation 1: periods of hours and of years
    are told apart alike, and so are chances of 1e-3 and of 1e-300.

    Args:
        values: [f] or [t f], as are the results.
    """
    known = np.isfinite(values)
    ranks = np.reshape(statistics["feature_ranked"], (-1, NUM_RANKS))
    place = np.linspace(-np.sqrt(3), np.sqrt(3), NUM_RANKS)
    scaled = np.zeros(values.shape, np.float32)
    for k, ranked in enumerate(ranks):
        x = np.where(known[..., k], values[..., k], 0)
        # Among equals the middle: from below, and from above.
        above = -np.interp(-x, -ranked[::-1], place)
        scaled[..., k] = (np.interp(x, ranked, place) + above) / 2
    return np.where(known, scaled, np.float32(0)), known


def _columns(rows: list[np.ndarray]) -> Iterable[np.ndarray]:
    return np.concatenate(rows).T if rows else ()
