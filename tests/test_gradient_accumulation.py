from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from support.series import make_series

from jaxastro import losses
from jaxastro.augment import make_augment
from jaxastro.methods import make_method
from jaxastro.models.convention import ConvEntion
from jaxastro.training.gradient_accumulation import accumulated
from jaxastro.types import Batch

GENERATOR = np.random.default_rng(0)
ROWS = (
    jnp.array(GENERATOR.normal(size=(12, 5))),
    jnp.array(GENERATOR.integers(0, 3, 12)),
    losses.equal_weight(jnp.arange(12) % 4 != 1),
)
PARAMS = {"w": jnp.array(GENERATOR.normal(size=(5, 3)))}


def loss_fn(params, statistics, key, rows):
    """A classifier without randomness that counts objects in its batch statistics."""
    x, label, weight = rows
    per_object = losses.cross_entropy(x @ params["w"], label)
    seen = {"parts": statistics["parts"] + 1, "sum": statistics["sum"] * 2 + x.sum()}
    return losses.weighted_sum(per_object, weight), (seen, {"weight": weight.sum()})


GRAD_FN = partial(jax.value_and_grad(loss_fn, has_aux=True), PARAMS)
START = {"parts": jnp.int32(0), "sum": jnp.float32(0)}


@pytest.mark.parametrize("parts", [2, 3, 12])
def test_parts_sum_to_the_complete_batch(parts):
    run = partial(accumulated, GRAD_FN, START, jax.random.key(0), ROWS)
    (loss, (_, scalars)), grads = run(parts=1)
    (sum_of_parts, (seen, added)), summed = jax.jit(partial(run, parts=parts))()
    np.testing.assert_allclose(sum_of_parts, loss, rtol=1e-6)
    np.testing.assert_allclose(summed["w"], grads["w"], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(added["weight"], scalars["weight"], rtol=1e-6)
    assert seen["parts"] == parts

    # Statistics pass from part to part; part k has the objects k, k + parts ...
    total = 0.0
    for k in range(parts):
        total = 2 * total + float(ROWS[0][k::parts].sum())
    np.testing.assert_allclose(seen["sum"], total, rtol=1e-4, atol=1e-4)


def test_every_part_has_its_own_random_key():
    def draw(params, statistics, key, rows):
        return params["w"].sum(), (statistics, {"drawn": jax.random.uniform(key)})

    grad_fn = partial(jax.value_and_grad(draw, has_aux=True), PARAMS)
    key = jax.random.key(0)
    (_, (_, scalars)), _ = accumulated(grad_fn, START, key, ROWS, parts=4)
    each = [jax.random.uniform(jax.random.fold_in(key, k)) for k in range(4)]
    np.testing.assert_allclose(scalars["drawn"], sum(each), rtol=1e-6)
    assert len({float(drawn) for drawn in each}) == 4


@pytest.mark.slow
@pytest.mark.parametrize(
    # Masked frames are random, so parts have different statistics. Batch norms of two
    # objects amplify rounding. These two methods have this test in their own files, and
    # so have those for light curves and alerts.
    "name",
    ["supervised", "semiconformer"],
)
def test_parts_of_equal_statistics_train_as_the_complete_batch(name):
    shape = (4, 3)
    two = GENERATOR.normal(size=(2, 3, 21, 21)).astype(np.float32)
    inputs = make_series(
        image=np.repeat(two, 2, 0),  # a a b b, so each part has a and b
        time=np.tile(np.arange(3, dtype=np.float32), (4, 1)),
        band=np.zeros(shape, np.int32),
        epoch_mask=np.ones(shape, bool),
    )
    inputs, mask = jax.tree.map(jnp.asarray, inputs), jnp.array([1, 1, 0, 1], bool)
    batch = Batch(inputs, jnp.array([0, 1, 1, 2]), mask, jnp.ones(4, bool))
    model = ConvEntion(3, widths=(4, 4, 4, 4), num_heads=2, hidden=8, dropout=0.0)
    whole = make_augment(max_epochs=3, drop=0.0, rotation=0.0, flip=False)
    settings = {"dropout": 0.0} if name == "semiconformer" else {}
    grads = []
    for parts in (1, 2):
        method = make_method(
            name,
            model,
            optax.sgd(1.0),
            whole,
            seed=0,
            gradient_accumulation=parts,
            **settings,
        )
        state = method.init(jax.random.key(0), inputs)
        after, scalars = jax.jit(method.step)(state, batch)
        change = jax.tree.map(jnp.subtract, after.params, state.params)
        grads.append((change, scalars))
    chex.assert_trees_all_close(*grads, rtol=1e-3, atol=1e-3)
