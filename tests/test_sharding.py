import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from jaxastro.methods import METHODS
from jaxastro.training import sharding

ROOT = Path(__file__).parents[1]

# Runs where four devices can be pretended, which must be said before JAX starts.
ONE_STEP = """
import json
import sys
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxastro.augment import make_augment
from jaxastro.methods import make_method
from jaxastro.models.convention import ConvEntion
from jaxastro.training import sharding
from jaxastro.types import Batch, Series

generator = np.random.default_rng(0)
shape = (8, 6)
inputs = Series(
    image=generator.normal(size=(*shape, 15, 15)).astype(np.float32),
    time=np.sort(generator.uniform(0, 9, shape), 1).astype(np.float32),
    band=generator.integers(0, 5, shape).astype(np.int32),
    epoch_mask=np.arange(6) < generator.integers(2, 7, 8)[:, None],
)
label = np.arange(8, dtype=np.int32) % 3
batch = Batch(inputs, label, label < 2, np.ones(8, bool))
model = ConvEntion(
    3, widths=(4, 4, 4, 4), num_blocks=1, num_heads=2, hidden=8, score="additive"
)
view = jax.tree.map(lambda a: a[:, :3], inputs)
mesh = sharding.make_mesh()
everywhere, over_data = sharding.everywhere(mesh), sharding.over_data(mesh)
result = {"devices": mesh.size}
for name in sys.argv[1:]:
    augment = make_augment(max_epochs=3)
    method = make_method(name, model, optax.sgd(0.1), augment, seed=0)
    state = jax.jit(method.init)(jax.random.key(0), view)
    alone = jax.jit(method.step)(state, batch)
    step = jax.jit(
        method.step,
        in_shardings=(everywhere, over_data),
        out_shardings=everywhere,
    )
    spread = sharding.put_batch(batch, mesh)
    rows = {len(s.data) for s in spread.inputs.image.addressable_shards}
    together = step(jax.device_put(state, everywhere), spread)
    gap = lambda a, b: float(np.abs(np.array(a) - np.array(b)).max())
    moved = jax.tree.map(gap, alone[0].params, state.params)
    gaps = jax.tree.map(gap, alone[0], together[0])
    result[name] = {
        "rows of a device": sorted(rows),
        "moved": max(jax.tree.leaves(moved)),
        "state": max(jax.tree.leaves(gaps)),
        "scalars": [
            [float(scalars[key]) for key in sorted(scalars)]
            for scalars in (alone[1], together[1])
        ],
        "is everywhere": together[0].step.sharding.is_fully_replicated,
    }
print(json.dumps(result))
"""


@pytest.mark.slow
def test_one_step_on_four_devices_equals_one_on_one():
    flags = os.environ["XLA_FLAGS"] + " --xla_force_host_platform_device_count=4"
    done = subprocess.run(
        [sys.executable, "-c", ONE_STEP, *METHODS],
        cwd=ROOT,
        env=os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    result = json.loads(done.stdout.splitlines()[-1])
    assert result.pop("devices") == 4
    assert set(result) == set(METHODS)
    for found in result.values():
        assert found["rows of a device"] == [2]
        assert found["is everywhere"]
        assert found["moved"] > 1e-3
        assert found["state"] < 1e-4 * found["moved"]  # with plain SGD: the gradients
        np.testing.assert_allclose(*found["scalars"], rtol=1e-4)


def test_a_batch_lies_over_the_devices_as_it_was():
    mesh = sharding.make_mesh()
    assert mesh.axis_names == ("data",)
    assert mesh.size == jax.device_count()
    batch = {"image": np.arange(12.0).reshape(4, 3), "label": np.arange(4)}
    placed = sharding.put_batch(batch, mesh)
    for name, array in placed.items():
        np.testing.assert_array_equal(array, batch[name])
        assert array.sharding == sharding.over_data(mesh)


def test_a_batch_that_devices_cannot_share_is_refused():
    four = jax.sharding.AbstractMesh((4,), ("data",))
    for batch_size in (4, 8, 128):
        sharding.check_batch_size(batch_size, four)
    for batch_size, near in ((130, 128), (7, 4), (3, 4)):
        message = (
            f"batch of {batch_size} .* by 4 devices. Use --config.batch_size={near}"
        )
        with pytest.raises(ValueError, match=message):
            sharding.check_batch_size(batch_size, four)
