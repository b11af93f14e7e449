"""What is said of a drawn network's confidence agrees with what the run wrote down."""

import json

import numpy as np
import pytest
from support import runs

from configs import lstm, supernnova_bayes
from experiments.studies.bayesian_uncertainty import SHARES, measure
from experiments.train import train
from jaxastro.evaluation.calibration import spread_of_predicted_class
from jaxastro.evaluation.predictions import load


@pytest.mark.parametrize("make", [supernnova_bayes.get_config, lstm.get_config])
def test_confidence_agrees_with_the_run_and_only_networks_that_are_drawn_spread(
    make, data_dir, tmp_path
):
    train(runs.smoke(make), tmp_path, data_dir=data_dir)
    row = measure(tmp_path, data_dir=data_dir, manual_dir="")
    said = load(tmp_path / "predictions")
    told = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert row["objects"] == len(said.label) > 0
    assert row["macro_f1"].value == pytest.approx(told["macro_f1"]["value"])
    assert row["sure"] == pytest.approx(said.probability.max(1).mean(), abs=1e-6)
    is_right = said.probability.argmax(1) == said.label
    assert row["accuracy"].value == pytest.approx(is_right.mean())
    assert row["is_calibrated"] == (row["error"].value <= row["by_chance"])
    is_drawn = make is supernnova_bayes.get_config
    assert set(row["spread"]) == (set(SHARES) if is_drawn else set())
    if is_drawn:
        spread = spread_of_predicted_class(said.probability, said.spread)
        assert row["spread"]["all"].value == pytest.approx(np.mean(spread), rel=1e-4)
