"""The benchmarks of inference and of models measure what their columns state."""

import numpy as np
import pytest
from support.runs import smoke, task_of

from benchmarks import inference, models
from configs import cnn_dmdt, convention, lstm


def test_a_row_has_rate_latency_and_memory_of_one_batch():
    row = inference.measure(
        inference.make_network(smoke()), batch=2, length=3, repeats=4, seconds=0
    )
    assert row.case == {"epochs": 3, "batch": 2}
    names = ["sequences/s", "ms, 50 %", "ms, 90 %", "ms, 99 %", "MiB"]
    assert list(row.measures) == names
    rate, *latency, memory = row.measures.values()
    assert latency == sorted(latency)
    assert rate.low <= 2000 / latency[0] * 1.001
    assert rate.high >= 2000 / latency[0] * 0.999
    # Parameters of the smallest network alone are 104,120 numbers.
    assert memory > 104_120 * 4 / 2**20


@pytest.mark.parametrize(
    "module", [convention, lstm, cnn_dmdt], ids=lambda m: m.__name__
)
def test_noise_has_the_shape_of_a_model_s_input_and_is_finite(module):
    spec = smoke(module.get_config)
    inputs = inference.random_inputs(spec, task_of(spec), 3)
    assert {len(column) for column in inputs} == {3}
    assert all(np.isfinite(column).all() for column in inputs)
    if inputs.OF_EPOCHS:
        assert (np.diff(inputs.time) >= 0).all()
        assert inputs.time[:, 0].max() == 0


def test_a_model_is_predicted_with_and_trained():
    found = models.measure(smoke(lstm.get_config), batch=2, repeats=2)
    assert list(found) == ["parameters", "predicted objects/s", "trained objects/s"]
    assert found["parameters"] == 60_420
    assert all(found[name].low > 0 for name in list(found)[1:])
