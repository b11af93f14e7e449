import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from support.small_method import (
    ADAM,
    REST,
    SmallModel,
    assert_close,
    assert_same_bits,
    differs,
    make,
    make_batch,
    no_augmentation,
)
from test_semiconformer import two_views

from jaxastro import losses
from jaxastro.methods.byol import Network

CLIPPED = optax.chain(optax.clip_by_global_norm(0.1), optax.adam(0.03))
REAL = jnp.array([True] * 6 + [False] * 2)


def but_probe(params):
    return {name: value for name, value in params.items() if name != "probe"}


def test_a_step_is_the_gradient_of_both_directions_and_of_the_probe():
    model = SmallModel(3, False)
    _, state, step = make("byol", model=model, augment=two_views())
    generator = np.random.default_rng(2)
    target = jax.tree.map(
        lambda a: jnp.asarray(a + generator.uniform(0, 0.5, a.shape), a.dtype),
        state.target_params,
    )
    state = state._replace(target_params=target)
    batch = make_batch()._replace(example_mask=REAL, label_mask=jnp.arange(8) < 3)
    network = Network(model.clone(num_classes=0), 3, hidden=6, project=4)
    images = batch.inputs.image[:6], jnp.sin(3 * batch.inputs.image[:6])
    both = jax.tree.map(lambda a: jnp.concatenate([a[:6]] * 2), batch.inputs)
    both = both._replace(image=jnp.concatenate(images))

    def run(params, stats):
        variables = {"params": params, "batch_stats": stats}
        return network.apply(variables, both, train=True, mutable=["batch_stats"])

    @jax.jit
    @jax.grad
    def gradient(params):
        near, _ = run(params, state.batch_stats)
        far, _ = run(state.target_params, state.target_batch_stats)
        q, z = near.aux["prediction"], far.aux["projection"]
        agree = losses.similarity(q[:6], z[6:]) + losses.similarity(q[6:], z[:6])
        per_view = losses.cross_entropy(near.logits, jnp.tile(batch.label[:6], 2))
        return agree.mean() + (per_view[:3].mean() + per_view[6:9].mean()) / 2

    after, scalars = step(state, batch)
    grads = gradient(state.params)
    params = jax.tree.map(lambda p, g: p - 0.1 * g, state.params, grads)
    assert_close(after.params, params)
    moved = jax.tree.map(lambda old, new: 0.99 * old + 0.01 * new, target, params)
    assert_close(after.target_params, moved)
    assert float(scalars["loss"]) == pytest.approx(
        float(scalars["similarity"] + scalars["cross_entropy"])
    )


@pytest.mark.parametrize("name", ["byol", "masked_frames"])
def test_labels_do_not_affect_the_encoder(name):
    _, first, step = make(name, optimizer=CLIPPED)
    batch = make_batch()
    wrong = batch._replace(label=(batch.label + 1) % 3)
    none = batch._replace(label_mask=jnp.zeros(8, bool))
    ends = []
    for given in (batch, wrong, none):
        state = first
        for _ in range(3):
            state, _ = step(state, given)
        ends.append(state)
    for other in ends[1:]:
        # also not by the clipped norm of all gradients
        assert_same_bits(but_probe(other.params), but_probe(ends[0].params))
        assert_same_bits(other.batch_stats, ends[0].batch_stats)
        assert differs(other.params["probe"], ends[0].params["probe"])
    assert differs(but_probe(ends[0].params), but_probe(first.params))


@pytest.mark.parametrize("name", ["byol", "masked_frames"])
def test_padding_rows_have_no_effect(name):
    _, state, step = make(name, model=SmallModel(3, False), augment=no_augmentation)
    batch = make_batch()._replace(example_mask=REAL)
    noise = jnp.where(REAL[:, None, None, None], batch.inputs.image, 1e3)
    other = batch._replace(inputs=batch.inputs._replace(image=noise))
    assert_same_bits(step(state, other), step(state, batch))


def test_parts_of_equal_statistics_sum_to_the_complete_batch():
    _, state, step = make("byol", augment=no_augmentation)
    _, _, in_parts = make("byol", augment=no_augmentation, gradient_accumulation=2)
    batch = make_batch()
    twice = jax.tree.map(lambda a: jnp.repeat(a, 2, axis=0), batch)  # a a b b ...
    twice = twice._replace(label_mask=jnp.arange(16) % 5 > 0)
    after, scalars = step(state, twice)
    other, added = in_parts(state, twice)
    assert_close((other.params, added), (after.params, scalars), 1e-4)


def test_the_decay_increases_to_1_by_half_a_cosine():
    _, state, step = make("byol", optimizer=REST, target_decay=0.9, decay_steps=4)
    seen = []
    for _ in range(6):
        state, scalars = step(state, make_batch())
        seen.append(float(scalars["target_decay"]))
    half = 1 - 0.1 * (1 + np.sqrt(0.5)) / 2
    three = 1 - 0.1 * (1 - np.sqrt(0.5)) / 2
    np.testing.assert_allclose(seen, [0.9, half, 0.95, three, 1, 1], rtol=1e-5)
    _, state, step = make("byol", target_decay=0.9)
    assert step(state, make_batch())[1]["target_decay"] == jnp.float32(0.9)


def test_projections_of_different_objects_do_not_collapse():
    method, state, step = make("byol", optimizer=ADAM)
    batch = make_batch(24)
    for _ in range(40):
        state, scalars = step(state, batch)
    z = method.predict(state, batch.inputs).aux["projection"]
    unit = z / jnp.linalg.norm(z, axis=1, keepdims=True)
    assert unit.std(0).mean() > 0.1  # 0 if all are equal; 0.5 if uniform on the sphere
    assert (
        scalars["similarity"] < 2
    )  # 4 for independent projections, over both directions


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"target_decay": 1.5}, r"target_decay 1.5 is not in \[0, 1\]"),
        ({"decay_steps": -1}, "decay_steps -1 is below 0"),
    ],
)
def test_invalid_arguments_are_refused(args, message):
    with pytest.raises(ValueError, match=message):
        make("byol", **args)
