import functools
import itertools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxastro import losses
from jaxastro.augment import make_augment
from jaxastro.methods import METHODS, make_method
from jaxastro.methods.semiconformer import Network
from jaxastro.models.convention import ConvEntion
from jaxastro.types import Batch, ModelOutput, Series

# Every method on the published ConvEntion with four classes: what it trains.
PARAMETERS = {"supervised": 1_253_108, "semiconformer": 1_484_532}


class Tiny(nn.Module):
    """A model that compiles at once: the mean frame through one layer."""

    num_classes: int
    has_batch_norm: bool = True

    @nn.compact
    def __call__(self, inputs, *, train):
        seen = inputs.epoch_mask[..., None, None]
        x = jnp.where(seen, inputs.image, 0).sum(1) / jnp.maximum(seen.sum(1), 1)
        x = nn.Dense(5)(x.reshape(len(x), -1))
        if self.has_batch_norm:
            x = nn.BatchNorm(use_running_average=not train, momentum=0.9)(x)
        x = nn.tanh(x)
        logits = nn.Dense(self.num_classes)(x) if self.num_classes else x[:, :0]
        return ModelOutput(logits, x, {"mean": x.mean(-1)})


def make_batch(count=8, *, seed=0, epochs=3, size=4, classes=3):
    """Objects whose brightness tells their class."""
    generator = np.random.default_rng(seed)
    label = np.arange(count) % classes
    image = generator.normal(size=(count, epochs, size, size))
    image += 2 * label[:, None, None, None] * np.linspace(-1, 1, size)
    inputs = Series(
        image=jnp.array(image, jnp.float32),
        time=jnp.broadcast_to(jnp.arange(epochs, dtype=jnp.float32), (count, epochs)),
        band=jnp.array(generator.integers(0, 2, (count, epochs)), jnp.int32),
        epoch_mask=jnp.ones((count, epochs), bool),
    )
    yes = jnp.ones(count, bool)
    return Batch(inputs, jnp.array(label, jnp.int32), yes, yes)


def same_view(key, inputs):
    del key
    return inputs


def add_noise(key, inputs):
    noise = jax.random.normal(key, inputs.image.shape)
    return inputs._replace(image=inputs.image + noise)


SMALL = {
    "supervised": {},
    "semiconformer": {"hidden": 6, "project": 4, "dropout": 0.0},
}
SGD, ADAM, REST = optax.sgd(0.1), optax.adam(0.03), optax.sgd(0.0)

# Compiling is what these tests spend their time on: less optimized is twice as fast.
jit = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})


TINY = Tiny(3)


@functools.cache
def make(name, *, model=TINY, optimizer=SGD, augment=add_noise, seed=0, **args):
    """A method on a tiny model, its first state, and its jitted step."""
    args = SMALL[name] | args
    method = make_method(name, model, optimizer, augment, seed=seed, **args)
    state = jit(method.init)(jax.random.key(1), make_batch().inputs)
    return method, state, jit(method.step)


semiconformer = functools.partial(make, "semiconformer")
every_method = pytest.mark.parametrize("name", METHODS)


def assert_same_bits(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


def assert_close(a, b, tolerance=1e-5):
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance),
        a,
        b,
    )


def differs(a, b):
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return any(np.abs(np.array(x) - np.array(y)).max() > 1e-4 for x, y in pairs)


# -- every method ----------------------------------------------------------------------


def test_every_method_trains_its_pinned_count_of_parameters():
    assert set(PARAMETERS) == set(METHODS), "a new method needs its line in PARAMETERS"
    for name, expected in PARAMETERS.items():
        method = make_method(name, ConvEntion(4), optax.sgd(0.1), same_view, seed=0)
        inputs = make_batch(1, epochs=99, size=32).inputs
        state = jax.eval_shape(method.init, jax.random.key(0), inputs)
        count = sum(leaf.size for leaf in jax.tree.leaves(state.params))
        assert count == expected


@every_method
def test_steps_are_counted_and_draw_new_views(name):
    _, state, step = make(name, optimizer=REST)
    batch, seen = make_batch(), []
    for number in range(3):
        assert state.step == number
        state, scalars = step(state, batch)
        seen.append(float(scalars["loss"]))
        assert set(scalars) >= {"loss", "accuracy", "grad_norm"}
    assert len(set(seen)) == 3  # nothing was learnt: the views alone differ


@every_method
def test_a_step_is_a_function_of_state_batch_and_seed(name):
    _, state, step = make(name)
    assert_same_bits(step(state, make_batch()), step(state, make_batch()))
    _, _, other = make(name, seed=1)
    assert differs(step(state, make_batch())[1], other(state, make_batch())[1])


@every_method
def test_no_buffer_stands_in_a_state_twice(name):
    # else the state could not be donated, as training does
    method, _, _ = make(name, optimizer=ADAM)
    # not jitted: jit itself would part what stands twice
    state = method.init(jax.random.key(0), make_batch(2).inputs)
    leaves = jax.tree.leaves(state)
    where = [leaf.unsafe_buffer_pointer() for leaf in leaves]
    assert len(where) == len(set(where))


@every_method
@pytest.mark.parametrize("has_batch_norm", [True, False])
def test_a_state_keeps_its_form(name, has_batch_norm):
    _, state, step = make(name, model=Tiny(3, has_batch_norm))
    after, scalars = step(state, make_batch())

    def form(leaf):
        return leaf.shape, leaf.dtype

    assert jax.tree.map(form, after) == jax.tree.map(form, state)
    assert np.isfinite(scalars["loss"])
    assert bool(jax.tree.leaves(state.batch_stats)) == has_batch_norm


@every_method
def test_labels_of_unlabelled_objects_and_of_filled_rows_cannot_matter(name):
    _, state, step = make(name)
    batch = make_batch()
    labelled = jnp.array([True, True, False, True, True, False, True, True])
    real = jnp.array([True] * 6 + [False] * 2)
    batch = batch._replace(label_mask=labelled, example_mask=real)
    other = jnp.where(labelled & real, batch.label, 0)
    assert differs(other, batch.label)
    expected = step(state, batch)
    assert_same_bits(step(state, batch._replace(label=other)), expected)
    wrong = batch._replace(label=(batch.label + 1) % 3)
    assert differs(step(state, wrong), expected)


@every_method
def test_predictions_are_those_of_the_online_network_and_change_nothing(name):
    method, state, step = make(name)
    state, _ = step(state, make_batch())
    inputs = make_batch(5, seed=3).inputs
    output = method.predict(state, inputs)
    assert output.logits.shape == (5, 3)
    assert "mean" in output.aux  # what the model names is passed on
    nothing = jax.tree.map(jnp.zeros_like, state.target_params)
    other = method.predict(state._replace(target_params=nothing), inputs)
    assert_same_bits(other, output)
    alone = method.predict(state, jax.tree.map(lambda a: a[2:3], inputs))
    assert_close(alone.logits, output.logits[2:3])


@every_method
def test_the_gradient_norm_is_that_of_the_step(name):
    _, state, step = make(name)
    after, scalars = step(state, make_batch())
    moved = jax.tree.map(jnp.subtract, state.params, after.params)
    norm = float(optax.tree.norm(moved)) / 0.1  # the learning rate of SGD
    assert float(scalars["grad_norm"]) == pytest.approx(norm, rel=1e-4)


@every_method
def test_a_separable_set_is_learnt(name):
    _, state, step = make(name, optimizer=ADAM)
    batch, history = make_batch(24), []
    for _ in range(40):
        state, scalars = step(state, batch)
        history.append(scalars)
    first, last = history[0], history[-1]
    assert last["loss"] < 0.6 * first["loss"]
    assert last["accuracy"] > 0.9
    assert all(np.isfinite(value) for value in last.values())


@pytest.mark.slow
@every_method
def test_convention_learns_a_separable_set(name):
    small = {"widths": (4, 4, 4, 4), "num_blocks": 1, "num_heads": 2, "hidden": 8}
    model = ConvEntion(2, norm="per_epoch", **small)
    augment, optimizer = make_augment(max_epochs=3), optax.adam(0.01)
    method = make_method(name, model, optimizer, augment, seed=0, **SMALL[name])
    batch = make_batch(12, epochs=6, size=15, classes=2)
    view = jax.tree.map(lambda a: a[:, :3], batch.inputs)
    state = jit(method.init)(jax.random.key(0), view)
    step, history = jit(method.step), []
    for _ in range(30):
        state, scalars = step(state, batch)
        history.append(float(scalars["loss"]))
    assert np.mean(history[-5:]) < 0.7 * np.mean(history[:5])


def test_an_unknown_method_is_answered_with_the_known():
    with pytest.raises(ValueError, match=r"'byol'\. Known methods: supervised, semi"):
        make_method("byol", Tiny(3), optax.sgd(0.1), same_view, seed=0)


# -- supervised ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "loss_of"),
    [
        ({}, losses.cross_entropy),
        (
            {"label_smoothing": 0.2},
            functools.partial(losses.cross_entropy, smoothing=0.2),
        ),
        (
            {"loss": "focal", "focal_gamma": 3.0},
            functools.partial(losses.focal, gamma=3.0),
        ),
    ],
)
def test_supervised_minimises_the_mean_over_labelled_objects(args, loss_of):
    _, state, step = make("supervised", augment=same_view, **args)
    batch = make_batch()
    mask = jnp.array([True] * 5 + [False] * 3)
    batch = batch._replace(label_mask=mask)

    def loss(params):
        variables = {"params": params, "batch_stats": state.batch_stats}
        output, _ = Tiny(3).apply(
            variables, batch.inputs, train=True, mutable=["batch_stats"]
        )
        return loss_of(output.logits, batch.label)[:5].mean()

    value, grads = jit(jax.value_and_grad(loss))(state.params)
    after, scalars = step(state, batch)
    assert float(scalars["loss"]) == pytest.approx(float(value), rel=1e-5)
    expected = jax.tree.map(lambda p, g: p - 0.1 * g, state.params, grads)
    assert_close(after.params, expected)


def test_an_unknown_loss_is_answered_with_the_known():
    with pytest.raises(
        ValueError, match=r"'hinge'\. Known losses: cross_entropy, focal"
    ):
        make("supervised", loss="hinge")


# -- semiconformer ---------------------------------------------------------------------


POLICIES = ("own", "ema", "copy")


def two_views():
    """An augmentation whose two views of a step do not need a key to be known."""
    views = itertools.cycle([lambda image: image, lambda image: jnp.sin(3 * image)])

    def augment(key, inputs):
        del key
        return inputs._replace(image=next(views)(inputs.image))

    return augment


@functools.cache
def make_two_views(policy="own", **args):
    """As semiconformer, but with known views and a target that has moved away."""
    args = {"target_statistics": policy, "augment": two_views()} | args
    _, state, step = semiconformer(**args)
    leaves, tree = jax.tree.flatten((state.target_params, state.target_batch_stats))
    generator = np.random.default_rng(2)
    leaves = [leaf + generator.uniform(0, 0.5, leaf.shape) for leaf in leaves]
    params, stats = jax.tree.unflatten(tree, leaves)
    state = state._replace(target_params=params, target_batch_stats=stats)
    return jax.tree.map(jnp.asarray, state), step


def by_hand(policy, state, batch):
    """The loss, view by view, from what the two networks say of both views."""
    network = Network(Tiny(0), num_classes=3, hidden=6, project=4, dropout=0.0)
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

    return jit(jax.value_and_grad(loss, has_aux=True))(state.params)


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
def test_only_a_target_with_statistics_of_its_batch_ignores_running_ones(policy):
    state, step = make_two_views(policy)
    shifted = jax.tree.map(lambda a: a * 5 + 1, state.target_batch_stats)
    _, scalars = step(state, make_batch())
    _, other = step(state._replace(target_batch_stats=shifted), make_batch())
    assert differs(scalars["similarity"], other["similarity"]) == (policy != "own")


def test_the_target_starts_as_a_copy_of_the_online_network():
    _, state, _ = semiconformer()
    assert_same_bits(state.target_params, state.params)
    assert_same_bits(state.target_batch_stats, state.batch_stats)


@pytest.mark.parametrize("policy", POLICIES)
def test_tau_1_keeps_the_target_for_ever_and_tau_0_none_of_it(policy):
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


def test_objects_without_labels_contribute_similarity_alone():
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


def test_weight_0_leaves_two_views_with_cross_entropy():
    state, step = make_two_views(similarity_weight=0.0)
    after, scalars = step(state, make_batch())
    assert scalars["loss"] == scalars["cross_entropy"]
    assert_same_bits(
        after.params["project_similarity"], state.params["project_similarity"]
    )
    elsewhere = jax.tree.map(lambda a: a + 1, state.target_params)
    other, _ = step(state._replace(target_params=elsewhere), make_batch())
    assert_same_bits(other.params, after.params)


def test_smoothed_labels_reach_the_loss():
    state, step = make_two_views(label_smoothing=0.5)
    _, plain = make_two_views()
    smooth, sharp = (s(state, make_batch())[1]["cross_entropy"] for s in (step, plain))
    assert differs(smooth, sharp)


def test_dropout_is_drawn_anew_each_step():
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
def test_bad_settings_are_named(args, message):
    with pytest.raises(ValueError, match=message):
        semiconformer(**args)
