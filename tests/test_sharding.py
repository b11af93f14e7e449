import json
import socket

import jax
import numpy as np
import pytest
from support import commands

from jaxastro.methods import METHODS
from jaxastro.training import sharding


def lines_of(processes):
    """The last line that each process printed, after all have ended."""
    ends = [(process, *process.communicate(timeout=600)) for process in processes]
    for process, _, stderr in ends:
        assert process.returncode == 0, stderr[-4000:]
    return [json.loads(stdout.splitlines()[-1]) for _, stdout, _ in ends]


def start(*arguments, devices):
    environment = commands.with_devices(devices)
    return commands.start("-m", "support.one_step", *arguments, **environment)


def assert_equal_to_rounding(found):
    # Logits after a large step; in float64 they agree to 1e-6.
    for what, limit in (("gradients", 2e-5), ("scalars", 2e-5), ("logits", 5e-5)):
        assert found[what] < limit, found


@pytest.mark.slow
def test_eight_devices_equal_one_with_any_sharding():
    jobs = ("supervised=2,8", "semiconformer=4", "byol=2")
    jobs += ("masked_frames=1", "corrupted_light_curve=2", "autoencoder=2")
    (found,) = lines_of([start(*jobs, devices=8)])
    assert {row["method"] for row in found} == set(METHODS)
    for row in found:
        assert (row["devices"], row["rows"]) == (8, 8)
        # Without gathered parameters, meshes of 4 by 2 gave other gradients.
        assert (row["cut"] > 1) == (row["fsdp"] > 1)
        assert_equal_to_rounding(row)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("processes", "devices", "job"),
    [(2, 2, "semiconformer=2"), (4, 1, "supervised=4")],
)
def test_several_processes_equal_one(processes, devices, job):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        coordinator = f"127.0.0.1:{free.getsockname()[1]}"
    ends = lines_of(
        [
            start(job, coordinator, processes, index, devices=devices)
            for index in range(processes)
        ]
    )
    for found in ends:
        assert found == ends[0]
        for row in found:
            assert (row["devices"], row["processes"]) == (4, processes)
            assert row["rows"] == 8 // processes
            assert_equal_to_rounding(row)


def test_missing_hosts_are_an_error(monkeypatch):
    def refuse(*given):
        raise ValueError("coordinator_address should be defined.")

    monkeypatch.setattr(jax.distributed, "initialize", refuse)
    with pytest.raises(ValueError, match=r"could not be joined.*--coordinator=HOST"):
        sharding.join_hosts("", 1, 0)


def test_a_sharded_batch_has_the_same_values():
    mesh = sharding.make_mesh()
    assert mesh.axis_names == ("data", "fsdp")
    assert mesh.size == jax.device_count()
    assert sharding.local_rows(4, mesh).tolist() == [0, 1, 2, 3]
    batch = {"image": np.arange(12.0).reshape(4, 3), "label": np.arange(4)}
    placed = sharding.put_batch(batch, mesh)
    for name, array in placed.items():
        np.testing.assert_array_equal(array, batch[name])
        assert array.sharding == sharding.split_by_object(mesh)


def test_a_batch_size_that_devices_do_not_divide_is_refused():
    four = jax.sharding.AbstractMesh((4, 1), ("data", "fsdp"))
    for batch_size in (4, 8, 128):
        sharding.check_batch_size(batch_size, four)
    for batch_size, near in ((130, 128), (7, 4), (3, 4)):
        message = (
            f"batch of {batch_size} .* by 4 devices. Use --config.batch_size={near}"
        )
        with pytest.raises(ValueError, match=message):
            sharding.check_batch_size(batch_size, four)
    sharding.check_batch_size(24, four, parts=3)
    with pytest.raises(ValueError, match=r"by 4 devices in 3 parts. Use .*_size=12"):
        sharding.check_batch_size(16, four, parts=3)


def test_fsdp_that_does_not_divide_the_devices_is_refused():
    for fsdp in (0, jax.device_count() + 1):
        with pytest.raises(ValueError, match=f"config.mesh.fsdp {fsdp} does not"):
            sharding.make_mesh(fsdp)
