import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxastro.training.optimizer import OPTIMIZERS, make_optimizer, make_schedule


def test_the_schedule_warms_up_then_follows_half_a_cosine():
    schedule = make_schedule(0.4, num_steps=110, warmup_steps=10, decay="cosine")
    at = [float(schedule(step)) for step in (0, 5, 10, 60, 110, 200)]
    np.testing.assert_allclose(at, [0, 0.2, 0.4, 0.2, 0, 0], atol=1e-7)


def test_a_constant_schedule_is_constant():
    schedule = make_schedule(0.4, num_steps=110, warmup_steps=10, decay="constant")
    np.testing.assert_allclose(
        [float(schedule(step)) for step in (0, 9, 10, 11, 110)],
        [0, 0.36, 0.4, 0.4, 0.4],
        rtol=1e-6,
    )


def test_without_warm_up_the_first_step_is_the_largest():
    schedule = make_schedule(0.4, num_steps=100, warmup_steps=0, decay="cosine")
    assert float(schedule(0)) == pytest.approx(0.4)
    assert float(schedule(1)) < 0.4


def run(optimizer, grads, start):
    params, state = jnp.array(start), optimizer.init(jnp.array(start))
    for grad in grads:
        updates, state = optimizer.update(jnp.array(grad), state, params)
        params = optax.apply_updates(params, updates)
    return np.array(params)


GRADS = np.array([[1.0, -4.0], [0.5, 2.0], [-0.1, 0.3], [0.2, 0.1]])
START = np.array([1.0, -2.0])


def by_hand(name, learning_rate, weight_decay):
    """The three update rules: Kingma 2015, Loshchilov 2019, Reddi 2018."""
    params, m, v, largest = START.copy(), 0, 0, 0
    for step, grad in enumerate(GRADS, start=1):
        m = 0.9 * m + 0.1 * grad
        v = 0.999 * v + 0.001 * grad**2
        v_hat = v / (1 - 0.999**step)
        largest = np.maximum(largest, v_hat)
        scale = np.sqrt(largest if name == "adamw_amsgrad" else v_hat) + 1e-8
        direction = m / (1 - 0.9**step) / scale
        params = params - learning_rate * (direction + weight_decay * params)
    return params


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_follows_its_rule(name):
    weight_decay = 0.0 if name == "adam" else 0.3
    optimizer = make_optimizer(
        name,
        learning_rate=0.1,
        num_steps=9,
        decay="constant",
        weight_decay=weight_decay,
    )
    ours = run(optimizer, GRADS.astype(np.float32), START.astype(np.float32))
    np.testing.assert_allclose(ours, by_hand(name, 0.1, weight_decay), rtol=2e-5)


def test_adamw_equals_that_of_optax_with_the_schedule():
    args = {"num_steps": 4, "warmup_steps": 1, "decay": "cosine"}
    optimizer = make_optimizer("adamw", learning_rate=0.1, weight_decay=0.2, **args)
    theirs = optax.adamw(make_schedule(0.1, **args), weight_decay=0.2)
    grads, start = GRADS.astype(np.float32), START.astype(np.float32)
    expected = run(theirs, grads, start)
    np.testing.assert_allclose(run(optimizer, grads, start), expected, rtol=1e-6)


def test_clipping_limits_the_norm_of_all_gradients_together():
    clipped = make_optimizer("adam", learning_rate=0.1, num_steps=9, clip=0.5)
    plain = make_optimizer("adam", learning_rate=0.1, num_steps=9)
    norm = np.linalg.norm(GRADS, axis=1, keepdims=True)
    limited = GRADS * np.minimum(1, 0.5 / norm)
    expected = run(plain, limited.astype(np.float32), START.astype(np.float32))
    ours = run(clipped, GRADS.astype(np.float32), START.astype(np.float32))
    np.testing.assert_allclose(ours, expected, rtol=1e-6)
    assert not np.allclose(ours, run(plain, GRADS.astype(np.float32), START))


def test_a_state_holds_arrays_only():
    params = {"a": jnp.ones(3)}
    for name in OPTIMIZERS:
        state = make_optimizer(name, learning_rate=0.1, num_steps=9).init(params)
        assert all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(state))


PARAMS = {
    "body": {"w": jnp.array([3.0, 4.0])},
    "head": {"w": jnp.array([1.0]), "b": jnp.array([2.0])},
}


def test_groups_that_are_not_trained_keep_their_bits():
    args = {"learning_rate": 0.1, "num_steps": 9, "weight_decay": 0.3, "clip": 0.5}
    optimizer = make_optimizer("adamw", **args, train_only=("head",))
    grads = jax.tree.map(lambda p: 1000 * p, PARAMS["body"]), PARAMS["head"]
    grads = dict(zip(("body", "head"), grads, strict=True))
    updates, state = optimizer.update(grads, optimizer.init(PARAMS), PARAMS)
    params = optax.apply_updates(PARAMS, updates)
    np.testing.assert_array_equal(params["body"]["w"], PARAMS["body"]["w"])

    # The head is trained as a separate network: only its own norm is clipped.
    alone = make_optimizer("adamw", **args)
    updates, expected = alone.update(
        grads["head"], alone.init(PARAMS["head"]), PARAMS["head"]
    )
    head = optax.apply_updates(PARAMS["head"], updates)
    chex.assert_trees_all_equal(params["head"], head)
    assert len(jax.tree.leaves(state)) == len(jax.tree.leaves(expected))


def test_without_train_only_all_groups_are_trained():
    args = {"learning_rate": 0.1, "num_steps": 9}
    states = [
        make_optimizer("adam", **args, **more).init(PARAMS)
        for more in ({}, {"train_only": ()})
    ]
    assert jax.tree.structure(states[0]) == jax.tree.structure(states[1])


def test_an_unknown_group_is_refused_with_the_known_names():
    args = {"learning_rate": 0.1, "num_steps": 9, "train_only": ("hat", "head")}
    with pytest.raises(ValueError, match=r"has 'hat'. The groups .* model: body, head"):
        make_optimizer("adam", **args).init(PARAMS)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"name": "sgd"}, "'sgd'. Known: adam, adamw, adamw_amsgrad"),
        ({"decay": "linear"}, "'linear'. Known: cosine, constant"),
        ({"warmup_steps": 10}, "10 warm-up steps of 10. Warm-up must end before"),
        ({"warmup_steps": -1}, "-1 warm-up steps of 10"),
        ({"weight_decay": 0.1}, "weight_decay 0.1 with adam, which has none"),
        ({"clip": -1.0}, "clip -1.0 is not a norm. Use 0 for no limit"),
    ],
)
def test_invalid_arguments_are_refused(args, message):
    with pytest.raises(ValueError, match=message):
        make_optimizer(**{"name": "adam", "learning_rate": 0.1, "num_steps": 10} | args)
