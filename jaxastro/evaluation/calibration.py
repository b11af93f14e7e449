"""Whether "80% sure" is right 80% of the time."""

from typing import NamedTuple

import numpy as np

from jaxastro.evaluation.metrics import predicted_class

NUM_BINS = 10


class Reliability(NamedTuple):
    """Objects sorted by confidence and cut into bins of nearly equal number."""

    confidence: np.ndarray  # bin  mean probability of the predicted class
    accuracy: np.ndarray  # bin  share of the objects whose prediction is right
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
    inner = np.quantile(confidence, np.arange(1, num_bins) / num_bins)
    bin_of = np.searchsorted(np.unique(inner), confidence, side="left")
    count = np.bincount(bin_of)
    kept = count > 0
    return Reliability(
        confidence=np.bincount(bin_of, confidence)[kept] / count[kept],
        accuracy=np.bincount(bin_of, right)[kept] / count[kept],
        count=count[kept],
    )


def _error(bins: Reliability) -> float:
    distance = abs(bins.accuracy - bins.confidence)
    return float((bins.count * distance).sum() / bins.count.sum())
