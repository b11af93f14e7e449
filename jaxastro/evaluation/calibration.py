"""Calibration of probabilities: reliability diagrams and calibration errors."""

from typing import NamedTuple

import numpy as np

from jaxastro.evaluation.bootstrap import NUM_DRAWS, Interval, group_weights, interval
from jaxastro.evaluation.metrics import predicted_class

NUM_BINS = 10


class Reliability(NamedTuple):
    """Confidence and accuracy in bins of confidence with similar numbers of objects."""

    confidence: np.ndarray  # bin  mean probability of the predicted class
    accuracy: np.ndarray  # bin  share of correct predictions
    low: np.ndarray  # bin  95 % interval of the accuracy (Wilson 1927)
    high: np.ndarray  # bin
    count: np.ndarray  # bin  number of objects, at least one


def reliability(
    label: np.ndarray, probability: np.ndarray, *, num_bins: int = NUM_BINS
) -> Reliability:
    """Returns confidence and accuracy per bin of confidence.

    Bins have equal numbers of objects (equal mass): most predictions are confident, so
    bins of equal width would be nearly empty. Objects of equal confidence are in one
    bin, so there may be fewer than num_bins bins.

    Args:
        label: [o], true classes.
        probability: [o c].
    """
    probability = np.asarray(probability, np.float64)
    predicted = predicted_class(probability)
    confidence = probability[np.arange(len(predicted)), predicted]
    return _binned(confidence, predicted == np.asarray(label), num_bins)


def reliability_by_spread(
    label: np.ndarray, probability: np.ndarray, spread: np.ndarray
) -> Reliability:
    """Returns the accuracy per bin of spread, which takes the place of confidence.

    Args:
        label: [o], true classes.
        probability: [o c], mean over sampled networks.
        spread: [o c], standard deviation over sampled networks.
    """
    is_right = predicted_class(probability) == np.asarray(label)
    return _binned(spread_of_predicted_class(probability, spread), is_right, NUM_BINS)


def spread_of_predicted_class(
    probability: np.ndarray, spread: np.ndarray
) -> np.ndarray:
    """Returns [o], the spread of the probability of the predicted class.

    Args:
        probability: [o c], mean over sampled networks.
        spread: [o c], standard deviation over sampled networks.
    """
    predicted = predicted_class(probability)
    return np.float64(spread[np.arange(len(predicted)), predicted])


def expected_calibration_error(
    label: np.ndarray, probability: np.ndarray, *, num_bins: int = NUM_BINS
) -> float:
    """Returns the mean difference of confidence and accuracy, from 0 (best) to 1.

        ece = sum over bins of  count / o * |accuracy - confidence|

    It is above 0 for any finite number of objects; compare chance_calibration_error.

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
    """Returns the expected calibration error with its cluster-bootstrap interval.

    The bins are those of all objects. A resample repeats objects, which adds noise, so
    the interval is biased towards large errors.

    Args:
        label: [o], true classes.
        probability: [o c].
        group: [o], names; objects of one group are resampled together.
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
    """Returns the error that 95 % of perfectly calibrated models stay below.

    The correctness of each prediction is sampled with the probability of its class.
    The resulting error is due to the finite number of objects alone.

    Args:
        probability: [o c].
    """
    # Sorted, so that the result does not depend on the order of the objects.
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
    """Returns low and high; unlike share +- 2 sigma, in [0, 1] and not empty."""
    z = 1.96  # of a 95 % interval
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    half = half / (1 + z**2 / count)
    # At a share of 0 or 1, rounding would exclude the share itself by 1e-17.
    return np.minimum(centre - half, share), np.maximum(centre + half, share)


def _error(bins: Reliability) -> float:
    distance = abs(bins.accuracy - bins.confidence)
    return float((bins.count * distance).sum() / bins.count.sum())
