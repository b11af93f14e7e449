"""Whether "80% sure" is right 80% of the time."""

from typing import NamedTuple

import numpy as np

from jaxastro.evaluation.bootstrap import NUM_DRAWS, Interval, group_weights, interval
from jaxastro.evaluation.metrics import predicted_class

NUM_BINS = 10


class Reliability(NamedTuple):
    """Objects sorted by confidence and cut into bins of nearly equal number."""

    confidence: np.ndarray  # bin  mean probability of the predicted class
    accuracy: np.ndarray  # bin  share of the objects whose prediction is right
    low: np.ndarray  # bin  95% interval of the accuracy (Wilson 1927)
    high: np.ndarray
    count: np.ndarray  # bin  objects, at least one


def reliability(
    label: np.ndarray, probability: np.ndarray, *, num_bins: int = NUM_BINS
) -> Reliability:
    """Returns confidence and accuracy per bin of confidence.

    Bins hold equal numbers of objects (equal mass), since most predictions are
    confident and equal widths would leave bins of two objects. Objects of the same
    confidence are never parted, so there may be fewer bins than asked for.
    """
    probability = np.asarray(probability, np.float64)
    predicted = predicted_class(probability)
    confidence = probability[np.arange(len(predicted)), predicted]
    return _binned(confidence, predicted == np.asarray(label), num_bins)


def reliability_by_spread(
    label: np.ndarray, probability: np.ndarray, spread: np.ndarray
) -> Reliability:
    """Returns the same by how much drawn networks differ, which stands for confidence.

    Args:
        spread: [o c] standard deviation of each probability over the networks.
    """
    is_right = predicted_class(probability) == np.asarray(label)
    return _binned(spread_of_predicted_class(probability, spread), is_right, NUM_BINS)


def spread_of_predicted_class(
    probability: np.ndarray, spread: np.ndarray
) -> np.ndarray:
    """Returns the spread of the probability of the class that is predicted, [o]."""
    predicted = predicted_class(probability)
    return np.float64(spread[np.arange(len(predicted)), predicted])


def expected_calibration_error(
    label: np.ndarray, probability: np.ndarray, *, num_bins: int = NUM_BINS
) -> float:
    """Returns the mean distance of confidence and accuracy, from 0 (best) to 1.

        ece = sum over bins of  count / o * |accuracy - confidence|

    It is never 0 for a finite number of objects: compare chance_calibration_error.

    Source: Naeini, Cooper & Hauskrecht 2015, AAAI, with bins of equal mass as in
        Nguyen & O'Connor 2015, EMNLP.
    """
    return _error(reliability(label, probability, num_bins=num_bins))


def calibration_error_interval(
    label: np.ndarray,
    probability: np.ndarray,
    group: np.ndarray,
    *,
    num_draws: int = NUM_DRAWS,
    seed: int = 0,
) -> Interval:
    """Returns the calibration error with its interval, groups of objects resampled.

    Bins are those of all objects. A resample repeats objects, and so adds chance to
    chance: the interval leans to errors that are too large.
    """
    probability = np.asarray(probability, np.float64)
    predicted = predicted_class(probability)
    confidence = probability[np.arange(len(predicted)), predicted]
    bin_of = _bin_of(confidence, NUM_BINS)
    _, row_group = np.unique(np.asarray(group), return_inverse=True)
    excess = np.zeros((int(row_group.max()) + 1, int(bin_of.max()) + 1))
    right = predicted == np.asarray(label)
    np.add.at(excess, (row_group, bin_of), right - confidence)
    count = np.bincount(row_group)
    draws = np.concatenate(
        [
            abs(weights @ excess).sum(1) / (weights @ count)
            for weights in group_weights(len(count), num_draws=num_draws, seed=seed)
        ]
    )
    return interval(expected_calibration_error(label, probability), draws)


def chance_calibration_error(
    probability: np.ndarray,
    *,
    num_bins: int = NUM_BINS,
    num_draws: int = 200,
    seed: int = 0,
) -> float:
    """Returns the error that 19 of 20 perfectly calibrated models stay below.

    Whether each prediction is right is drawn with the probability the model gives
    it; what error remains is chance alone, at this number of objects.
    """
    # Sorted, so that the order of the objects cannot matter.
    confidence = np.sort(np.asarray(probability, np.float64).max(axis=1))
    generator = np.random.default_rng(seed)
    errors = [
        _error(
            _binned(
                confidence, generator.random(len(confidence)) < confidence, num_bins
            )
        )
        for _ in range(num_draws)
    ]
    return float(np.percentile(errors, 95))


def _binned(confidence, right, num_bins: int) -> Reliability:
    bin_of = _bin_of(confidence, num_bins)
    count = np.bincount(bin_of)
    kept = count > 0
    count = count[kept]
    accuracy = np.bincount(bin_of, right)[kept] / count
    low, high = _wilson_interval(accuracy, count)
    return Reliability(
        confidence=np.bincount(bin_of, confidence)[kept] / count,
        accuracy=accuracy,
        low=low,
        high=high,
        count=count,
    )


def _bin_of(confidence: np.ndarray, num_bins: int) -> np.ndarray:
    inner = np.quantile(confidence, np.arange(1, num_bins) / num_bins)
    return np.searchsorted(np.unique(inner), confidence, side="left")


def _wilson_interval(share, count):
    """Unlike share +- 2 sigma it stays in [0, 1] and has a width at 0 and 1."""
    z = 1.96  # of a 95% interval
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    half = half / (1 + z**2 / count)
    # At a share of 0 or 1 rounding puts the end 1e-17 beyond the share itself.
    return np.minimum(centre - half, share), np.maximum(centre + half, share)


def _error(bins: Reliability) -> float:
    distance = abs(bins.accuracy - bins.confidence)
    return float((bins.count * distance).sum() / bins.count.sum())
