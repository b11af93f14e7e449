"""Numbers of a survey's catalogue beside a light curve: scaled, and known or not."""

from collections.abc import Sequence

import numpy as np

from jaxastro.data.light_curve import LightCurveRecord

NUM_RANKS = 65  # numbers of a column that stand for all of it, the extremes among them


def fit_features(records: Sequence[LightCurveRecord]) -> dict[str, list[float]]:
    """Returns evenly ranked numbers of each column, of the objects that have it."""
    column = np.array([r.features for r in records]).reshape(len(records), -1)
    share = np.linspace(0, 1, NUM_RANKS)
    ranked = [
        np.quantile(known, share) if len(known) else np.zeros(NUM_RANKS)
        for known in (values[np.isfinite(values)] for values in column.T)
    ]
    return {"feature_ranked": np.ravel(ranked).tolist()}


def scaled_features(
    record: LightCurveRecord, statistics: dict[str, list[float]]
) -> tuple[np.ndarray, np.ndarray]:
    """Returns [f] ranks among training objects, 0 where unknown, and [f] what is known.

    From -sqrt 3 to sqrt 3, of mean 0 and deviation 1: periods of hours and of years
    are told apart alike, and so are chances of 1e-3 and of 1e-300.
    """
    known = np.isfinite(record.features)
    columns = np.reshape(statistics["feature_ranked"], (-1, NUM_RANKS))
    place = np.linspace(-np.sqrt(3), np.sqrt(3), NUM_RANKS)
    scaled = [
        # Among equals the middle: from below, and from above.
        (np.interp(x, ranked, place) - np.interp(-x, -ranked[::-1], place)) / 2
        for x, ranked in zip(np.where(known, record.features, 0), columns, strict=True)
    ]
    return np.where(known, scaled, 0).astype(np.float32), known
