"""Runs made in this process, and their states, for tests of the commands."""

import jax
import numpy as np
import pytest

from configs import convention
from jaxastro.commands.command_line import explain
from jaxastro.runs import assemble
from jaxastro.training import sharding
from jaxastro.training.checkpoint import Checkpoints
from jaxastro.training.scalars import read_scalars

CLOCKS = ("train/input_wait", "train/seconds")  # that no two runs have alike


def smoke(make=convention.get_config, **changed):
    """The smallest run of a config, in which some keys are set."""
    config = make("smoke")
    config.lock()
    config.update_from_flattened_dict(changed)
    return config


def told(function, *args, **kwargs) -> str:
    """What a command tells its user when this fails."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 (told by words, not by type)
        function(*args, **kwargs)
    words = explain(caught.value)
    assert words, f"a traceback, not words: {caught.value!r}"
    return words


def state_of(workdir, step):
    """The state of a step, read back from a run's folder."""
    config = assemble.read_config(workdir)
    mesh = sharding.make_mesh()
    key, blank = jax.random.key(config.seed), assemble.blank_inputs(config)
    method = assemble.method_of_config(config, mesh)
    checkpoints = Checkpoints(workdir / "checkpoints", metric=config.best_metric)
    return checkpoints.restore(
        step, sharding.abstract_state(method.init, mesh, key, blank)
    )


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
