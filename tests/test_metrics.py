"""Scores, bootstrap intervals and calibration."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score
from support.predictions import make_predictions

from jaxastro.evaluation import bootstrap, calibration, metrics

LABEL = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, 1, 1])  # the third class is never predicted


def sure_of(predicted, num_classes=3, confidence=0.8):
    rest = (1 - confidence) / (num_classes - 1)
    return np.where(np.eye(num_classes)[predicted] == 1, confidence, rest)


def test_scores_by_hand():
    found = metrics.scores(LABEL, sure_of(PREDICTED), 3)
    assert found["accuracy"] == pytest.approx(4 / 6)
    # F1: 2*2/(3+2), 2*2/(2+4), 0.
    assert found["macro_f1"] == pytest.approx((4 / 5 + 2 / 3 + 0) / 3)
    assert found["balanced_accuracy"] == pytest.approx((2 / 3 + 1 + 0) / 3)
    expected = -(4 * np.log(0.8) + 2 * np.log(0.1)) / 6
    assert found["log_loss"] == pytest.approx(expected)
    right = 0.2**2 + 2 * 0.1**2
    wrong = 0.8**2 + 0.9**2 + 0.1**2
    assert found["brier"] == pytest.approx((4 * right + 2 * wrong) / 6)


def test_a_class_absent_from_the_fold_counts_as_zero_in_macro_f1_only():
    label, probability = np.array([0, 1]), sure_of(np.array([0, 1]))
    found = metrics.scores(label, probability, 3)
    assert found["macro_f1"] == pytest.approx(2 / 3)
    assert found["balanced_accuracy"] == found["accuracy"] == 1
    assert metrics.per_class_scores(label, label, 3)["count"].tolist() == [1, 1, 0]


def test_perfect_predictions_score_one_and_the_log_loss_is_finite():
    label = np.arange(4)
    perfect = metrics.scores(label, np.eye(4), 4)
    assert perfect["macro_f1"] == perfect["accuracy"] == 1
    assert perfect["log_loss"] == pytest.approx(0, abs=1e-9)
    assert perfect["brier"] == 0
    wrong = metrics.scores(label, np.eye(4)[::-1], 4)
    assert np.isfinite(wrong["log_loss"])
    assert wrong["brier"] == 2


def test_wrong_probabilities_are_errors():
    with pytest.raises(ValueError, match=r"row \[1\] are not numbers"):
        metrics.predicted_class(np.array([[0.5, 0.5], [np.nan, 1]]))
    with pytest.raises(ValueError, match="2 labels and probabilities of shape"):
        metrics.scores(np.array([0, 1]), np.ones((2, 3)) / 3, 4)


def test_scores_of_resamples_equal_scikit_learn():
    p = make_predictions(60)
    # Groups of several objects, and a rare class that some resamples miss.
    group = np.array([f"field{i % 13}" for i in range(60)])
    predicted = metrics.predicted_class(p.probability)
    draws = bootstrap.confusion_draws(p.label, predicted, group, 4, num_draws=30)
    found = bootstrap.scores_of(draws)
    per_class = bootstrap.per_class_scores_of(draws)

    names, row_group = np.unique(group, return_inverse=True)
    pieces = bootstrap.group_weights(len(names), num_draws=30, seed=0)
    for draw, weight in enumerate(np.concatenate(list(pieces))):
        rows = np.repeat(np.arange(60), weight[row_group])
        expected = metrics.scores(p.label[rows], p.probability[rows], 4)
        for score in metrics.SCORES:
            assert found[score][draw] == pytest.approx(expected[score], abs=1e-12)
        f1 = f1_score(
            p.label[rows],
            predicted[rows],
            labels=range(4),
            average=None,
            zero_division=0,
        )
        np.testing.assert_allclose(per_class["f1"][draw], f1, atol=1e-12)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some resamples have no object of a class
            balanced = balanced_accuracy_score(p.label[rows], predicted[rows])
        assert found["balanced_accuracy"][draw] == pytest.approx(balanced)


def test_weights_have_mean_one_and_come_in_parts(monkeypatch):
    monkeypatch.setattr(bootstrap, "_WEIGHTS_AT_ONCE", 50)
    pieces = list(bootstrap.group_weights(7, num_draws=100, seed=3))
    assert len(pieces) == 15
    weights = np.concatenate(pieces)
    assert weights.shape == (100, 7)
    assert (weights.sum(axis=1) == 7).all()
    assert weights.std() > 0.5


def test_intervals_include_their_value_and_shrink_with_more_objects():
    width = []
    for num_objects in (100, 400, 1600):
        p = make_predictions(num_objects)
        found = bootstrap.score_intervals(p.label, p.probability, p.group, 4)
        for value, low, high in found.values():
            assert 0 <= low <= value <= high <= 1
        width.append(found["accuracy"].high - found["accuracy"].low)
        point = metrics.scores(p.label, p.probability, 4)
        for score, one in found.items():
            assert one.value == pytest.approx(point[score])
    # Four times the objects, half the width.
    assert width[0] / width[1] == pytest.approx(2, rel=0.35)
    assert width[1] / width[2] == pytest.approx(2, rel=0.35)


def test_the_interval_of_accuracy_is_the_binomial_one():
    right = np.arange(400) % 4 > 0
    label, predicted = np.zeros(400, int), np.where(right, 0, 1)
    group = np.arange(400).astype(str)
    found = bootstrap.score_intervals(label, sure_of(predicted), group, 3)["accuracy"]
    sigma = np.sqrt(0.75 * 0.25 / 400)
    assert found.high - found.low == pytest.approx(2 * 1.96 * sigma, rel=0.1)


def test_objects_of_one_group_are_not_independent():
    p = make_predictions(200)
    by_ten = np.array([f"field{i // 10}" for i in range(200)])
    label = np.repeat(p.label[::10], 10)  # ten times the same object in a field
    probability = np.repeat(p.probability[::10], 10, axis=0)
    alone = bootstrap.score_intervals(label, probability, p.group, 4)["accuracy"]
    fields = bootstrap.score_intervals(label, probability, by_ten, 4)["accuracy"]
    assert fields.high - fields.low > 2 * (alone.high - alone.low)


def test_a_paired_interval_is_narrower_and_zero_for_equal_predictions():
    p = make_predictions(300)
    other = p.probability.copy()
    other[:15] = np.roll(other[:15], 1, axis=1)  # differs for fifteen objects only
    args = (p.group, 4)
    same = bootstrap.difference_intervals(p.label, p.probability, p.probability, *args)
    assert set(same.values()) == {(0, 0, 0)}
    gap = bootstrap.difference_intervals(p.label, p.probability, other, *args)
    alone = bootstrap.score_intervals(p.label, p.probability, *args)
    assert gap["accuracy"].value > 0
    width = [i["accuracy"].high - i["accuracy"].low for i in (gap, alone)]
    assert width[0] < width[1]


def test_the_order_of_the_objects_does_not_matter():
    p = make_predictions(150)
    order = np.random.default_rng(1).permutation(150)
    label, probability, group = p.label[order], p.probability[order], p.group[order]
    before = bootstrap.score_intervals(p.label, p.probability, p.group, 4)
    assert bootstrap.score_intervals(label, probability, group, 4) == before
    error = calibration.expected_calibration_error
    assert error(label, probability) == pytest.approx(error(p.label, p.probability))
    chance = calibration.chance_calibration_error
    assert chance(probability) == pytest.approx(chance(p.probability))


def test_a_calibrated_model_has_a_small_error_and_an_overconfident_one_a_large_error():
    rng = np.random.default_rng(0)
    probability = rng.dirichlet(np.ones(3), 20_000)
    label = (rng.random((20_000, 1)) > probability.cumsum(axis=1)).sum(axis=1)
    error = calibration.expected_calibration_error
    chance = calibration.chance_calibration_error(probability)
    assert error(label, probability) < chance < 0.02
    # Confidence 1.00 and accuracy 0.63, the mean confidence of the calibrated model.
    boastful = np.eye(3)[probability.argmax(axis=1)]
    right = (probability.argmax(axis=1) == label).mean()
    assert error(label, boastful) == pytest.approx(1 - right)


def test_reliability_bins_by_hand_and_equal_confidences_stay_together():
    confidence = np.array([0.6, 0.6, 0.8, 0.8])
    probability = np.stack([confidence, 1 - confidence], axis=1)
    bins = calibration.reliability(np.array([0, 1, 0, 0]), probability, num_bins=2)
    np.testing.assert_allclose(bins.confidence, [0.6, 0.8])
    np.testing.assert_allclose(bins.accuracy, [0.5, 1])
    np.testing.assert_array_equal(bins.count, [2, 2])
    # Wilson: (p + z^2/2n) / (1 + z^2/n) -+ ..., for 1 of 2: 0.095 to 0.905.
    np.testing.assert_allclose([bins.low[0], bins.high[0]], [0.0945, 0.9055], atol=1e-3)
    ece = calibration.expected_calibration_error(
        np.array([0, 1, 0, 0]), probability, num_bins=2
    )
    assert ece == pytest.approx((2 * 0.1 + 2 * 0.2) / 4)
    same = calibration.reliability(np.zeros(50, int), np.full((50, 2), 0.5))
    assert same.count.tolist() == [50]


def test_bins_hold_equal_numbers():
    bins = calibration.reliability(
        *(lambda p: (p.label, p.probability))(make_predictions(500))
    )
    assert bins.count.tolist() == [50] * 10
    assert (np.diff(bins.confidence) > 0).all()


def test_resamples_of_the_calibration_error_use_the_same_bins():
    p = make_predictions(120)
    group = np.array([f"field {i % 30}" for i in range(120)])
    (weights,) = bootstrap.group_weights(30, num_draws=40, seed=0)
    bins = calibration.reliability(p.label, p.probability)
    confidence = p.probability.max(1).astype(float)
    edges = np.sort(confidence)[np.cumsum(bins.count) - 1]  # the last of each bin
    bin_of = np.searchsorted(edges, confidence)
    right = p.probability.argmax(1) == p.label
    names = np.unique(group, return_inverse=True)[1]
    draws = []
    for weight in weights:
        rows = np.repeat(np.arange(120), weight[names])
        gaps = [
            abs((right[rows] - confidence[rows])[bin_of[rows] == k].sum())
            for k in range(len(edges))
        ]
        draws.append(sum(gaps) / len(rows))
    value = calibration.expected_calibration_error(p.label, p.probability)
    expected = bootstrap.interval(value, draws)
    found = calibration.calibration_error_interval(
        p.label, p.probability, group, num_draws=40
    )
    np.testing.assert_allclose(found, expected)


def test_means_are_resampled_by_group_and_gaps_on_the_same_resamples():
    rng = np.random.default_rng(0)
    group = np.array([f"field {i % 30}" for i in range(120)])
    value, rows = rng.normal(size=120), rng.random(120) < 0.4
    (weights,) = bootstrap.group_weights(30, num_draws=50, seed=0)
    names = np.unique(group, return_inverse=True)[1]
    means, gaps = [], []
    for weight in weights:
        drawn = np.repeat(np.arange(120), weight[names])
        some, values = rows[drawn], value[drawn]
        means.append(values.mean())
        gaps.append(values[some].mean() - values[~some].mean())
    gap = value[rows].mean() - value[~rows].mean()
    found = bootstrap.mean_interval(value, group, num_draws=50)
    np.testing.assert_allclose(found, bootstrap.interval(value.mean(), means))
    found = bootstrap.mean_gap_interval(value, rows, group, num_draws=50)
    np.testing.assert_allclose(found, bootstrap.interval(gap, gaps))


def test_accuracy_decreases_with_the_spread_of_networks():
    label, probability = np.array([0, 0, 1, 1]), np.full((4, 2), [0.7, 0.3])
    spread = np.array([[0.1, 0.9], [0.1, 0.9], [0.4, 0.0], [0.4, 0.0]])
    np.testing.assert_allclose(
        calibration.spread_of_predicted_class(probability, spread), [0.1, 0.1, 0.4, 0.4]
    )
    bins = calibration.reliability_by_spread(label, probability, spread)
    assert bins.accuracy.tolist() == [1, 0]
    np.testing.assert_allclose(bins.confidence, [0.1, 0.4])
