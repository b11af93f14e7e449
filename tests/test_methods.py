import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from support.alerts import make_alerts
from support.light_curve import make_curves
from support.small_method import (
    ADAM,
    ARGUMENTS,
    REST,
    SGD,
    SmallModel,
    assert_close,
    assert_same_bits,
    batch_of,
    differs,
    make,
    make_batch,
    no_augmentation,
)

from jaxastro import losses
from jaxastro.augment import make_augment
from jaxastro.methods import METHODS, make_method
from jaxastro.models.cnn_dmdt import CnnDmdt
from jaxastro.models.convention import ConvEntion
from jaxastro.models.lstm import Lstm
from jaxastro.models.sits_bert import SitsBert
from jaxastro.models.stamp_encoder import StampEncoder
from jaxastro.types import Image

# Trained parameters of every method with the published ConvEntion and four classes; for
# light curves with the published SITS-BERT, for alerts with StampEncoder.
PARAMETERS = {
    "supervised": 1_253_108,
    "semiconformer": 1_484_532,
    "byol": 1_353_748,
    "masked_frames": 1_347_156,
    "corrupted_light_curve": 596_361,
    "autoencoder": 534_759,
}

OF_SERIES = [n for n in METHODS if n not in ("corrupted_light_curve", "autoencoder")]
every_method = pytest.mark.parametrize("name", METHODS)


# -- every method ----------------------------------------------------------------------


def test_every_method_has_its_pinned_parameter_count():
    assert set(PARAMETERS) == set(METHODS), "a new method needs its line in PARAMETERS"
    for name, expected in PARAMETERS.items():
        model, inputs = ConvEntion(4), make_batch(1, epochs=99, size=32).inputs
        if name == "corrupted_light_curve":
            model, inputs = SitsBert(4), make_curves(12, bands=5)
        if name == "autoencoder":
            model, inputs = StampEncoder(4), make_alerts(1)
        method = make_method(name, model, optax.sgd(0.1), no_augmentation, seed=0)
        state = jax.eval_shape(method.init, jax.random.key(0), inputs)
        count = sum(leaf.size for leaf in jax.tree.leaves(state.params))
        assert count == expected


@every_method
def test_steps_are_counted_and_sample_new_views(name):
    _, state, step = make(name, optimizer=REST)
    batch, seen = batch_of(name), []
    for number in range(3):
        assert state.step == number
        state, scalars = step(state, batch)
        seen.append(float(scalars["loss"]))
        assert set(scalars) >= {"loss", "accuracy", "grad_norm"}
    assert len(set(seen)) == 3  # parameters do not change, only views differ


@every_method
def test_a_step_is_a_function_of_state_batch_and_seed(name):
    _, state, step = make(name)
    assert_same_bits(step(state, batch_of(name)), step(state, batch_of(name)))
    _, _, other = make(name, seed=1)
    assert differs(step(state, batch_of(name))[1], other(state, batch_of(name))[1])


@every_method
def test_no_buffer_occurs_twice_in_a_state(name):
    # Otherwise the state could not be donated, as training does.
    method, _, _ = make(name, optimizer=ADAM)
    # Not jitted, as jit copies buffers that occur twice.
    state = method.init(jax.random.key(0), batch_of(name, 2).inputs)
    leaves = jax.tree.leaves(state)
    where = [leaf.unsafe_buffer_pointer() for leaf in leaves]
    assert len(where) == len(set(where))


@every_method
@pytest.mark.parametrize("has_batch_norm", [True, False])
def test_a_step_keeps_shapes_and_types_of_the_state(name, has_batch_norm):
    _, state, step = make(name, model=SmallModel(3, has_batch_norm))
    after, scalars = step(state, batch_of(name))

    chex.assert_trees_all_equal_shapes_and_dtypes(after, state)
    assert np.isfinite(scalars["loss"])
    has_its_own = name in ("byol", "autoencoder")
    assert bool(state.batch_stats) == (has_batch_norm or has_its_own)


@every_method
def test_labels_of_unlabelled_objects_and_padding_rows_have_no_effect(name):
    _, state, step = make(name)
    batch = batch_of(name)
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
    state, _ = step(state, batch_of(name))
    inputs = batch_of(name, 5, seed=3).inputs
    output = method.predict(state, inputs)
    assert output.logits.shape == (5, 3)
    assert "mean" in output.aux  # further outputs of the model are kept
    nothing = jax.tree.map(jnp.zeros_like, state.target_params)
    other = method.predict(state._replace(target_params=nothing), inputs)
    assert_same_bits(other, output)
    alone = method.predict(state, jax.tree.map(lambda a: a[2:3], inputs))
    assert_close(alone.logits, output.logits[2:3])


@every_method
def test_a_method_states_its_scores_and_what_its_states_hold(name):
    method = make(name)[0]
    is_likelihood = name == "autoencoder"
    assert method.scores == (("log_likelihood",) if is_likelihood else ())
    assert method.best_metric == ("log_likelihood" if is_likelihood else "macro_f1")
    assert method.has_latent_space == is_likelihood
    assert not method.predicts_with_target
    if name == "supervised":
        assert make(name, average_decay=0.9)[0].predicts_with_target


@every_method
def test_the_gradient_norm_matches_the_step(name):
    _, state, step = make(name)
    after, scalars = step(state, batch_of(name))
    moved = jax.tree.map(jnp.subtract, state.params, after.params)
    norm = float(optax.tree.norm(moved)) / 0.1  # the learning rate of SGD
    assert float(scalars["grad_norm"]) == pytest.approx(norm, rel=1e-4)


@every_method
def test_a_separable_data_set_is_classified(name):
    _, state, step = make(name, optimizer=ADAM)
    batch, history = batch_of(name, 24), []
    for _ in range(40):
        state, scalars = step(state, batch)
        history.append(scalars)
    first, last = history[0], history[-1]
    assert last["loss"] < 0.6 * first["loss"]
    assert last["accuracy"] > 0.9
    assert all(np.isfinite(value) for value in last.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_SERIES)
def test_the_loss_of_a_small_convention_falls(name):
    small = {"widths": (4, 4, 4, 4), "num_blocks": 1, "num_heads": 2, "hidden": 8}
    model = ConvEntion(2, norm="per_epoch", **small)
    augment, optimizer = make_augment(max_epochs=3), optax.adam(0.01)
    method = make_method(name, model, optimizer, augment, seed=0, **ARGUMENTS[name])
    batch = make_batch(12, epochs=6, size=15, classes=2)
    view = jax.tree.map(lambda a: a[:, :3], batch.inputs)
    state = jax.jit(method.init)(jax.random.key(0), view)
    step, history = jax.jit(method.step), []
    for _ in range(60):
        state, scalars = step(state, batch)
        history.append(float(scalars["loss"]))
    # Means of ten steps, as views and masked frames are random in each step.
    assert np.mean(history[-10:]) < 0.9 * np.mean(history[:10])


@pytest.mark.parametrize("name", ["byol", "masked_frames"])
def test_a_method_that_needs_epochs_refuses_other_inputs(name):
    method = make_method(
        name, CnnDmdt(3), SGD, no_augmentation, seed=0, **ARGUMENTS[name]
    )
    drawing = Image(np.zeros((2, 22, 24, 1)), np.zeros((2, 0)), np.zeros((2, 0)))
    with pytest.raises(ValueError, match=f"{name} expects Series.* got Image"):
        method.init(jax.random.key(0), drawing)


def test_a_method_refuses_inputs_of_another_type():
    method = make_method(
        "masked_frames", Lstm(3, bands=3), SGD, no_augmentation, seed=0
    )
    with pytest.raises(ValueError, match="expects Series input, and got LightCurve"):
        method.init(jax.random.key(0), make_curves(5))
    method = make_method(
        "corrupted_light_curve", SitsBert(3), SGD, no_augmentation, seed=0
    )
    with pytest.raises(ValueError, match="expects LightCurve input, and got Series"):
        method.init(jax.random.key(0), make_batch().inputs)
    method = make_method(
        "autoencoder", StampEncoder(3), SGD, no_augmentation, seed=0, latent=2
    )
    with pytest.raises(ValueError, match="expects Alerts input, and got Series"):
        method.init(jax.random.key(0), make_batch().inputs)


def test_an_unknown_method_is_refused_with_the_known_names():
    with pytest.raises(ValueError, match=r"'dino'\. Known methods: supervised, semi"):
        make_method("dino", SmallModel(3), optax.sgd(0.1), no_augmentation, seed=0)


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
    _, state, step = make("supervised", augment=no_augmentation, **args)
    batch = make_batch()
    mask = jnp.array([True] * 5 + [False] * 3)
    batch = batch._replace(label_mask=mask)

    def loss(params):
        variables = {"params": params, "batch_stats": state.batch_stats}
        output, _ = SmallModel(3).apply(
            variables, batch.inputs, train=True, mutable=["batch_stats"]
        )
        return loss_of(output.logits, batch.label)[:5].mean()

    value, grads = jax.jit(jax.value_and_grad(loss))(state.params)
    after, scalars = step(state, batch)
    assert float(scalars["loss"]) == pytest.approx(float(value), rel=1e-5)
    expected = jax.tree.map(lambda p, g: p - 0.1 * g, state.params, grads)
    assert_close(after.params, expected)


def test_an_unknown_loss_is_refused_with_the_known_names():
    with pytest.raises(
        ValueError, match=r"'hinge'\. Known losses: cross_entropy, focal"
    ):
        make("supervised", loss="hinge")


@pytest.mark.parametrize("tau", [0.5, 0.999])
def test_the_average_equals_its_equation(tau):
    method, start, step = make("supervised", average_decay=tau)
    assert_same_bits(start.target_params, start.params)
    state, seen = start, []
    for number in range(4):
        state, _ = step(state, make_batch(seed=number))
        seen.append((state.params, state.batch_stats))
        weight = (1 - tau) * tau ** np.arange(len(seen))[::-1] / (1 - tau ** len(seen))
        expected = jax.tree.map(
            lambda *a: sum(w * x for w, x in zip(weight, a, strict=True)),  # noqa: B023
            *seen,
        )
        assert_close((state.target_params, state.target_batch_stats), expected)
    inputs = make_batch(5, seed=9).inputs
    plain, _, plain_step = make("supervised")
    average = state._replace(
        params=state.target_params, batch_stats=state.target_batch_stats
    )
    assert_same_bits(method.predict(state, inputs), plain.predict(average, inputs))
    # The average does not affect training.
    other, _ = plain_step(start._replace(target_params={}), make_batch(seed=0))
    assert_same_bits(other.params, seen[0][0])


def test_an_average_decay_of_1_is_refused():
    with pytest.raises(ValueError, match=r"average_decay 1.0 is not in \[0, 1\)"):
        make("supervised", average_decay=1.0)
