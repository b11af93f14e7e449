"""Numbers of a survey's catalogue beside a light curve: scaled, and known or not."""

from collections.abc import Sequence

import numpy as np

from jaxastro.data.light_curve import LightCurveRecord

FURTHEST = 10.0  # deviations from its mean that a number may lie


def fit_features(records: Sequence[LightCurveRecord]) -> dict[str, list[float]]:
    """Returns mean and deviation of each column, over the objects that have it."""
    column = np.array([r.features for r in records]).reshape(len(records), -1)
    known = np.isfinite(column)
    count = np.maximum(known.sum(0), 1)
    mean = np.where(known, column, 0).sum(0) / count
    spread = np.sqrt((np.where(known, column - mean, 0) ** 2).sum(0) / count)
    return {
        "feature_mean": mean.tolist(),
        "feature_deviation": np.where(spread > 0, spread, 1).tolist(),
    }


def scaled_features(
    record: LightCurveRecord, statistics: dict[str, list[float]]
) -> tuple[np.ndarray, np.ndarray]:
    """Returns [f] deviations from the mean, 0 where unknown, and [f] what is known."""
    known = np.isfinite(record.features)
    mean, deviation = (
        np.array(statistics[f"feature_{name}"]) for name in ("mean", "deviation")
    )
    scaled = np.clip((record.features - mean) / deviation, -FURTHEST, FURTHEST)
    return np.where(known, scaled, 0).astype(np.float32), known
