"""The study of calibration agrees with the predictions and scores of the run."""

import json

import numpy as np
import pytest
from support import runs

from configs import lstm, supernnova_bayes
from experiments.studies.bayesian_uncertainty import SHARES, measure
from jaxastro.evaluation.calibration import spread_of_predicted_class
from jaxastro.evaluation.predictions import load
from jaxastro.runs import train


@pytest.mark.parametrize("make", [supernnova_bayes.get_config, lstm.get_config])
def test_confidence_agrees_with_the_run_and_only_sampled_networks_have_a_spread(
    make, data_dir, tmp_path
):
    train(runs.smoke(make), tmp_path, data_dir=data_dir)
    row = measure(tmp_path, data_dir=data_dir)
    predictions = load(tmp_path / "predictions")
    metrics = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert row["objects"] == len(predictions.label) > 0
    assert row["macro_f1"].value == pytest.approx(metrics["macro_f1"]["value"])
    confidence = predictions.probability.max(1).mean()
    assert row["mean_confidence"] == pytest.approx(confidence, abs=1e-6)
    is_right = predictions.probability.argmax(1) == predictions.label
    assert row["accuracy"].value == pytest.approx(is_right.mean())
    is_calibrated = row["calibration_error"].value <= row["chance_calibration_error"]
    assert row["is_calibrated"] == is_calibrated
    is_sampled = make is supernnova_bayes.get_config
    assert set(row["spread"]) == (set(SHARES) if is_sampled else set())
    if is_sampled:
        spread = spread_of_predicted_class(predictions.probability, predictions.spread)
        found = row["spread"]["all epochs"].value
        assert found == pytest.approx(np.mean(spread), rel=1e-4)
