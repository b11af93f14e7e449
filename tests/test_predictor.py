"""Predictions do not depend on how objects are grouped, ordered or padded."""

import csv
import dataclasses
from functools import partial

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.runs import predict, smoke, task_of
from support.series import make_series

from jaxastro.data.length_buckets import bucket_lengths, group_by_length
from jaxastro.data.record import Reading, first_epochs
from jaxastro.runs import record_input
from jaxastro.runs.dataset import open_dataset
from jaxastro.runs.input_pipeline import evaluation_groups, predict_rows
from jaxastro.runs.model_building import abstract_state, build_method, mesh_for
from jaxastro.runs.prediction_table import PredictionTable
from jaxastro.runs.predictor import Predictor, predict_examples
from jaxastro.runs.task import blank_inputs
from jaxastro.runs.training_run import measure_statistics
from jaxastro.simulation.survey import PRESETS, simulate_object

LONGEST = 9  # epochs, config.representation.max_epochs of the smallest run


# -- which goes with which -------------------------------------------------------------


def test_lengths_are_few_up_to_the_longest():
    assert bucket_lengths(60) == (3, 12, 48, 60)
    assert bucket_lengths(99) == (3, 12, 48, 99)
    assert bucket_lengths(48) == (3, 12, 48)
    assert bucket_lengths(LONGEST) == (3, LONGEST)
    assert bucket_lengths(3) == (3,)
    assert bucket_lengths(2) == (2,)


@given(st.lists(st.integers(0, 99), min_size=1), st.integers(1, 70))
def test_every_object_has_one_place_in_a_batch_that_holds_it(num_epochs, batch_size):
    num_epochs, lengths = np.array(num_epochs), bucket_lengths(99)
    groups = group_by_length(num_epochs, lengths, batch_size)
    places = np.concatenate([places for _, places in groups])
    assert sorted(places) == list(range(len(num_epochs)))
    for length, places in groups:
        assert length in lengths
        assert num_epochs[places].max() <= length
        # As many batches as without sorting: only the last of all is filled up.
        assert len(places) % batch_size == 0 or places is groups[-1][1]
    if len(num_epochs) > batch_size and num_epochs.max() < 49:
        assert max(length for length, _ in groups) < 99


def test_few_objects_are_not_worth_a_program_of_their_own():
    ((length, places),) = group_by_length(np.array([1, 2, 3]), (3, 9), 8)
    assert length == 9
    assert places.tolist() == [0, 1, 2]


# -- predictions ----------------------------------------------------------------------


@pytest.fixture(scope="module", params=["per_epoch", "joint"])
def predicting(request):
    """A predictor, the same with one length alone, and a state like no other."""
    spec = smoke(**{"model.args.norm": request.param, "augment.max_epochs": LONGEST})
    task, mesh = task_of(spec), mesh_for(spec)
    method = build_method(spec, task, mesh)
    abstract = abstract_state(method, spec, task, mesh)
    whole, sorted_ = (Predictor(spec, task, method, abstract, mesh) for _ in range(2))
    assert sorted_.lengths == (3, LONGEST)
    whole.lengths = (LONGEST,)
    generator = np.random.default_rng(0)
    state = jax.jit(method.init)(jax.random.key(0), blank_inputs(spec, task))
    params, batch_stats = jax.tree.map(
        lambda a: a + generator.uniform(0, 0.2, a.shape).astype(a.dtype),
        (state.params, state.batch_stats),
    )
    return sorted_, whole, state._replace(params=params, batch_stats=batch_stats)


def series_of(*num_epochs, seed=0):
    generator = np.random.default_rng(seed)
    found = []
    for count in num_epochs:
        mask = np.arange(LONGEST) < count
        image = generator.normal(size=(LONGEST, 32, 32)).astype(np.float32)
        found.append(
            make_series(
                image=image * mask[:, None, None],
                time=np.arange(LONGEST, dtype=np.float32) * mask,
                band=(generator.integers(0, 5, LONGEST) * mask).astype(np.int32),
                epoch_mask=mask,
            )
        )
    return found


def assert_close(one, other):
    np.testing.assert_allclose(one.probability, other.probability, atol=1e-5)
    np.testing.assert_allclose(one.embedding, other.embedding, rtol=1e-4, atol=1e-5)


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.integers(1, LONGEST), min_size=1, max_size=30), st.randoms(), st.data()
)
def test_neither_order_nor_company_nor_padding_changes_a_prediction(
    predicting, num_epochs, random, data
):
    sorted_, whole, state = predicting
    series = series_of(*num_epochs, seed=data.draw(st.integers(0, 99)))
    expected = predict_examples(whole, state, series)
    assert len(expected.probability) == len(series)
    assert_close(predict_examples(sorted_, state, series), expected)
    order = list(range(len(series)))
    random.shuffle(order)
    shuffled = predict_examples(sorted_, state, [series[i] for i in order])
    back = np.argsort(order)
    assert_close(type(expected)(*(column[back] for column in shuffled)), expected)


def test_objects_differ_so_that_a_wrong_place_would_be_seen(predicting):
    sorted_, _, state = predicting
    embedding = predict_examples(sorted_, state, series_of(*range(1, 10))).embedding
    for i, one in enumerate(embedding):
        others = np.delete(embedding, i, axis=0)
        assert np.abs(others - one).max(axis=1).min() > 1e-3


def test_predictions_of_the_first_epochs_are_those_of_full_length(predicting, data_dir):
    sorted_, whole, state = predicting
    spec = smoke()
    dataset = open_dataset(spec, data_dir=data_dir)
    rows = dataset.rows["train"]
    task = task_of(spec)._replace(statistics=measure_statistics(dataset))
    for first in (3, 5, 100):
        outputs, lengths = [], []
        for predictor in (sorted_, whole):
            predictor = predictor.of_task(spec, task)
            some = {"most": first, "cut": partial(first_epochs, count=first)}
            groups = evaluation_groups(dataset, rows, predictor, **some)
            outputs.append(predict_rows(predictor, state, dataset, rows, **some))
            lengths.append([group.length for group in groups])
        assert len(outputs[0].probability) == len(rows)
        assert_close(*outputs)
        assert lengths[1] == [LONGEST]
        assert max(lengths[0]) == {3: 3, 5: LONGEST, 100: LONGEST}[first]


def test_a_model_that_sees_padding_gets_one_length():
    spec = smoke(**{"model.args.masked": False})
    task, mesh = task_of(spec), mesh_for(spec)
    method = build_method(spec, task, mesh)
    abstract = abstract_state(method, spec, task, mesh)
    assert Predictor(spec, task, method, abstract, mesh).lengths == (LONGEST,)


# -- as they come ----------------------------------------------------------------------


def test_lines_are_written_as_objects_come_and_stay_if_all_goes_well(
    trained, tmp_path, monkeypatch
):
    workdir, _ = trained
    output = tmp_path / "p.csv"
    partial = tmp_path / "p.csv.partial"
    one = simulate_object(0, seed=1, preset=PRESETS["tiny"])
    seen = []

    def readings(path, spec, survey):
        for i in range(200):
            name = f"object_{i}"
            yield Reading(name, one._replace(object_id=name), ())
            seen.append(len(partial.read_text().splitlines()))

    monkeypatch.setattr(record_input, "_read", readings)
    report = tmp_path / "set_aside.json"
    assert predict(workdir, tmp_path, output, report=report) == 200
    # Of 64 objects at once the second are read while the first are classified.
    assert min(seen[128:]) == 65
    assert max(seen) <= 129
    assert not partial.exists()
    rows = list(csv.reader(output.open(newline="")))[1:]
    assert [row[0] for row in rows] == [f"object_{i}" for i in range(200)]
    assert len({tuple(row[1:]) for row in rows}) == 1  # all are one and the same


def test_a_table_has_spreads_of_a_model_that_draws_networks_and_of_no_other():
    table = PredictionTable(
        classes=("AGN", "SNIa"),
        object_id=np.array(["a"]),
        probability=np.array([[0.25, 0.75]]),
        embedding=np.zeros((1, 0)),
        spread=np.array([[0.1, 0.2]]),
        hierarchy={},
    )
    row = {
        "object_id": ["a"],
        "predicted": ["SNIa"],
        "p_AGN": [0.25],
        "p_SNIa": [0.75],
        "spread_AGN": [0.1],
        "spread_SNIa": [0.2],
    }
    assert table.to_arrow().to_pydict() == row
    one_network = dataclasses.replace(table, spread=np.zeros((1, 0)))
    expected = {name: row[name] for name in row if "spread" not in name}
    assert one_network.to_arrow().to_pydict() == expected
