import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.small_method import (
    REST,
    SmallModel,
    assert_close,
    assert_same_bits,
    differs,
    make,
    make_batch,
)

from jaxastro import losses
from jaxastro.methods.semiconformer import Network

POLICIES = ("own", "ema", "copy")


def two_views():
    """An augmentation whose two views do not depend on the key."""
    views = itertools.cycle([lambda image: image, lambda image: jnp.sin(3 * image)])

    def augment(key, inputs):
        del key
        return inputs._replace(image=next(views)(inputs.image))

    return augment


@functools.cache
def make_two_views(policy="own", **args):
    """Semiconformer with known views and a target that differs from the network."""
    args = {"target_statistics": policy, "augment": two_views()} | args
    _, state, step = make("semiconformer", **args)
    leaves, tree = jax.tree.flatten((state.target_params, state.target_batch_stats))
    generator = np.random.default_rng(2)
    leaves = [leaf + generator.uniform(0, 0.5, leaf.shape) for leaf in leaves]
    params, stats = jax.tree.unflatten(tree, leaves)
    state = state._replace(target_params=params, target_batch_stats=stats)
    return jax.tree.map(jnp.asarray, state), step


def by_hand(policy, state, batch):
    """The loss per view, from the output of both networks for both views."""
    network = Network(SmallModel(0), num_classes=3, hidden=6, project=4, dropout=0.0)
    augment, count = two_views(), len(batch.label)
    real = np.array(batch.example_mask)
    known = real & np.array(batch.label_mask)
    both = [augment(None, batch.inputs) for _ in range(2)]
    both = jax.tree.map(lambda a, b: jnp.concatenate([a, b]), *both)

    def run(params, stats, train):
        variables = {"params": params, "batch_stats": stats}
        return network.apply(variables, both, train=train, mutable=["batch_stats"])

    target, target_stats = run(
        state.target_params, state.target_batch_stats, policy == "own"
    )
    far = target.aux["projection"]

    def loss(params):
        online, online_stats = run(params, state.batch_stats, True)
        near, logits = online.aux["projection"], online.logits
        classify = agree = 0.0
        for one, other in ((0, count), (count, 0)):
            a, b = near[one : one + count], far[other : other + count]
            agree += losses.similarity(a, b)[real].mean()
            view = logits[one : one + count]
            classify += losses.cross_entropy(view, batch.label)[known].mean()
        stats = online_stats["batch_stats"], target_stats["batch_stats"]
        return classify + agree, (classify, agree, stats)

    return jax.jit(jax.value_and_grad(loss, has_aux=True))(state.params)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_step_is_the_gradient_of_both_directions_for_the_online_network(policy):
    state, step = make_two_views(policy, target_decay=0.9)
    batch = make_batch()
    batch = batch._replace(
        label_mask=jnp.array([True] * 3 + [False] * 3 + [True] * 2),
        example_mask=jnp.array([True] * 6 + [False] + [True]),
    )
    (loss, (classify, agree, stats)), grads = by_hand(policy, state, batch)
    after, scalars = step(state, batch)
    ours = (scalars["loss"], scalars["cross_entropy"], scalars["similarity"])
    assert_close(ours, (loss, classify, agree))
    params = jax.tree.map(lambda p, g: p - 0.1 * g, state.params, grads)
    assert_close(after.params, params)
    target = jax.tree.map(
        lambda old, new: 0.9 * old + 0.1 * new, state.target_params, params
    )
    assert_close(after.target_params, target)
    assert_close(after.batch_stats, stats[0])
    expected = {
        "own": stats[1],
        "ema": jax.tree.map(
            lambda old, new: 0.9 * old + 0.1 * new, state.target_batch_stats, stats[0]
        ),
        "copy": stats[0],
    }
    assert_close(after.target_batch_stats, expected[policy])


@pytest.mark.parametrize("policy", POLICIES)
def test_only_target_statistics_own_ignore_running_statistics(policy):
    state, step = make_two_views(policy)
    shifted = jax.tree.map(lambda a: a * 5 + 1, state.target_batch_stats)
    _, scalars = step(state, make_batch())
    _, other = step(state._replace(target_batch_stats=shifted), make_batch())
    assert differs(scalars["similarity"], other["similarity"]) == (policy != "own")


def test_the_initial_target_is_a_copy_of_the_online_network():
    _, state, _ = make("semiconformer")
    assert_same_bits(state.target_params, state.params)
    assert_same_bits(state.target_batch_stats, state.batch_stats)


@pytest.mark.parametrize("policy", POLICIES)
def test_tau_1_keeps_the_target_and_tau_0_replaces_it(policy):
    start, step = make_two_views(policy, target_decay=1.0)
    state = start
    for _ in range(3):
        state, _ = step(state, make_batch())
    assert_same_bits(state.target_params, start.target_params)
    assert differs(state.params, start.params)
    if policy == "ema":
        assert_same_bits(state.target_batch_stats, start.target_batch_stats)

    state, step = make_two_views(policy, target_decay=0.0)
    for _ in range(2):
        state, _ = step(state, make_batch())
        assert_same_bits(state.target_params, state.params)
        if policy == "ema":
            assert_same_bits(state.target_batch_stats, state.batch_stats)


def test_unlabelled_objects_contribute_only_to_the_similarity():
    state, step = make_two_views()
    batch = make_batch()._replace(label_mask=jnp.zeros(8, bool))
    after, scalars = step(state, batch)
    assert scalars["cross_entropy"] == 0
    assert scalars["accuracy"] == 0
    assert scalars["loss"] == scalars["similarity"] > 0
    assert differs(
        after.params["project_similarity"], state.params["project_similarity"]
    )
    for head in ("project_class", "logits"):
        assert_same_bits(after.params[head], state.params[head])


def test_with_weight_0_the_loss_is_the_cross_entropy_of_two_views():
    state, step = make_two_views(similarity_weight=0.0)
    after, scalars = step(state, make_batch())
    assert scalars["loss"] == scalars["cross_entropy"]
    assert_same_bits(
        after.params["project_similarity"], state.params["project_similarity"]
    )
    elsewhere = jax.tree.map(lambda a: a + 1, state.target_params)
    other, _ = step(state._replace(target_params=elsewhere), make_batch())
    assert_same_bits(other.params, after.params)


def test_with_weight_0_the_target_is_not_computed():
    state, step = make_two_views(similarity_weight=0.0)
    _, both = make_two_views()
    after, scalars = step(state, make_batch())
    assert "similarity" not in scalars
    assert_same_bits(after.target_batch_stats, state.target_batch_stats)
    # Counts passes in the program: two networks, with gradients for one.
    alone, with_target = (
        s.lower(state, make_batch()).cost_analysis()["flops"] for s in (step, both)
    )
    assert alone < 0.85 * with_target


def test_without_symmetry_the_second_view_is_for_the_target():
    state, step = make_two_views(symmetric=False)
    batch = make_batch()
    batch = batch._replace(
        label_mask=jnp.array([True] * 3 + [False] * 5),
        example_mask=jnp.array([True] * 6 + [False] * 2),
    )
    network = Network(SmallModel(0), num_classes=3, hidden=6, project=4, dropout=0.0)

    def run(params, stats, image):
        variables = {"params": params, "batch_stats": stats}
        inputs = batch.inputs._replace(image=image)
        return network.apply(variables, inputs, train=True, mutable=["batch_stats"])

    @functools.partial(jax.value_and_grad, has_aux=True)
    def loss(params):
        near, _ = run(params, state.batch_stats, batch.inputs.image)
        seen = jnp.sin(3 * batch.inputs.image)  # the second view of two_views
        far, _ = run(state.target_params, state.target_batch_stats, seen)
        a, b = near.aux["projection"][:6], far.aux["projection"][:6]
        agree = losses.similarity(a, b).mean()
        classify = losses.cross_entropy(near.logits, batch.label)[:3].mean()
        return agree + classify, (agree, classify)

    (value, (agree, classify)), grads = jax.jit(loss)(state.params)
    after, scalars = step(state, batch)
    ours = (scalars["loss"], scalars["similarity"], scalars["cross_entropy"])
    assert_close(ours, (value, agree, classify))
    params = jax.tree.map(lambda p, g: p - 0.1 * g, state.params, grads)
    assert_close(after.params, params)
    assert 0 <= scalars["accuracy"] <= 1


def test_the_predictor_is_in_the_online_network_only():
    state, step = make_two_views(predictor=True)
    assert set(state.params) - set(make_two_views()[0].params) == {"predictor"}
    after, scalars = step(state, make_batch())
    assert differs(after.params["predictor"], state.params["predictor"])
    elsewhere = jax.tree.map(lambda a: a + 1, state.target_params["predictor"])
    target = state.target_params | {"predictor": elsewhere}
    _, other = step(state._replace(target_params=target), make_batch())
    assert_same_bits(other, scalars)


def test_label_smoothing_changes_the_loss():
    state, step = make_two_views(label_smoothing=0.5)
    _, plain = make_two_views()
    smooth, sharp = (s(state, make_batch())[1]["cross_entropy"] for s in (step, plain))
    assert differs(smooth, sharp)


def test_dropout_differs_in_each_step():
    state, step = make_two_views(dropout=0.5, optimizer=REST)
    after, scalars = step(state, make_batch())
    _, other = step(state._replace(step=after.step), make_batch())
    assert differs(scalars["loss"], other["loss"])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"target_statistics": "none"}, "'none' for the target.*Known: own, ema, copy"),
        ({"target_decay": 1.5}, r"target_decay 1.5 is not in \[0, 1\]"),
    ],
)
def test_invalid_arguments_are_refused(args, message):
    with pytest.raises(ValueError, match=message):
        make("semiconformer", **args)
