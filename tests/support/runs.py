"""Runs that are trained in the process of the tests, and their states."""

import jax
import numpy as np
import pytest

import jaxastro
from configs import convention
from jaxastro.commands.error_handling import message_of
from jaxastro.runs.model_building import abstract_state, build_method, mesh_for
from jaxastro.runs.predictor import Predictor
from jaxastro.runs.spec import RunSpec, read_spec
from jaxastro.runs.task import blank_inputs, make_task, read_task
from jaxastro.runs.training_run import measure_statistics
from jaxastro.surveys import survey_of
from jaxastro.training import sharding
from jaxastro.training.checkpoint import Checkpoints
from jaxastro.training.scalars import read_scalars

CLOCKS = ("train/input_wait", "train/seconds")  # times, which differ between runs


def smoke(make=convention.get_config, **changed) -> RunSpec:
    """The spec of the `smoke` preset of a config, with some keys changed."""
    config = make("smoke")
    config.lock()
    config.update_from_flattened_dict(changed)
    return RunSpec.from_dict(config.to_dict())


def spec_of(config) -> RunSpec:
    """The spec of a config."""
    return RunSpec.from_dict(config.to_dict())


def task_of(spec: RunSpec):
    """The task of a spec on a survey whose facts are known without its data."""
    return make_task(spec, survey_of(spec.survey), spec.classes, statistics={})


def error_message(function, *args, **kwargs) -> str:
    """The message that a command prints when this fails."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 (the message is tested)
        function(*args, **kwargs)
    words = message_of(caught.value)
    assert words, f"a traceback, not a message: {caught.value!r}"
    return words


def predict(workdir, raw, output, *, report=None, each_alert=False) -> int:
    """Predictions of raw objects, written to a file; returns how many there are."""
    run = jaxastro.load(workdir)
    return run.predict_to_file(raw, output, report=report, each_alert=each_alert)


def random_classifier(spec: RunSpec, dataset):
    """A predictor and a state with random parameters, as a run begins with them."""
    task = make_task(spec, dataset.survey, dataset.classes, measure_statistics(dataset))
    mesh = mesh_for(spec)
    method = build_method(spec, task, mesh)
    state = jax.jit(method.init)(jax.random.key(0), blank_inputs(spec, task))
    abstract = abstract_state(method, spec, task, mesh)
    return Predictor(spec, task, method, abstract, mesh), state


def state_of(workdir, step):
    """The state of a step, read back from a run's folder."""
    spec, task, mesh = read_spec(workdir), read_task(workdir), sharding.make_mesh()
    method = build_method(spec, task, mesh)
    checkpoints = Checkpoints(workdir / "checkpoints", metric=spec.best_metric)
    return checkpoints.restore(step, abstract_state(method, spec, task, mesh))


def scalars_of(workdir):
    """What a run logged, but for its clocks."""
    return [
        {name: value for name, value in line.items() if name not in CLOCKS}
        for line in read_scalars(workdir)
    ]


def assert_same_bits(one, other):
    paths = jax.tree.leaves_with_path(one)
    for (path, a), b in zip(paths, jax.tree.leaves(other), strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(
            a.view(np.uint8) if a.ndim else a,
            b.view(np.uint8) if b.ndim else b,
            str(path),
        )
