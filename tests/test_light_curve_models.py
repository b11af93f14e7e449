"""LSTM, SuperNNova and SITS-BERT: models of light curves."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import traverse_util
from scipy import stats
from support.light_curve import make_curves, of_epochs, of_objects

from jaxastro.augment import make_augment
from jaxastro.layers import bayes
from jaxastro.methods import make_method
from jaxastro.models.lstm import Lstm
from jaxastro.models.sits_bert import SitsBert
from jaxastro.models.supernnova import POINT_ESTIMATE, SuperNNova
from jaxastro.types import Batch

MODELS = {
    "lstm": Lstm(4, hidden=5, bands=3, errors=True, encoding="gaps", features=True),
    "supernnova": SuperNNova(4, hidden=5, bands=3),
    "variational": SuperNNova(4, "variational", 5, bands=3, dropout=0.3, num_draws=6),
    "bayes": SuperNNova(4, "bayes", 5, bands=3, num_draws=6),
    "sits_bert": SitsBert(4, width=16, num_heads=2, bands=3),
}
EVERY = pytest.mark.parametrize("name", MODELS)


@functools.cache
def made(name):
    model = MODELS[name]
    init = functools.partial(model.init, train=False)
    variables = jax.jit(init)(jax.random.key(0), make_curves(12, 5))
    predict = jax.jit(functools.partial(model.apply, train=False))
    return model, variables, functools.partial(predict, variables)


def test_parameter_counts_match_published_ones():
    def count(model):
        inputs = make_curves(12, bands=5)
        init = functools.partial(model.init, train=False)
        variables = jax.eval_shape(init, jax.random.key(0), inputs)
        return sum(leaf.size for leaf in jax.tree.leaves(variables))

    assert count(Lstm(4)) == 60_420
    assert count(SuperNNova(4)) == count(SuperNNova(4, "variational")) == 44_804
    assert count(SuperNNova(2, bands=4)) == 40_066
    assert count(SuperNNova(4, "bayes")) == 89_604 == 2 * 44_804 - 4
    assert count(SitsBert(4)) == 595_716


@EVERY
def test_padding_at_any_place_has_no_effect(name):
    _, _, predict = made(name)
    curves = make_curves(12, 7, 1)
    spoiled = {
        field: np.where(curves.epoch_mask, getattr(curves, field), fill)
        for field, fill in (("flux", np.nan), ("time", np.inf), ("flux_error", np.nan))
    }
    spoiled["band"] = np.where(curves.epoch_mask, curves.band, 99).astype(np.int32)
    long = predict(curves)
    np.testing.assert_array_equal(
        long.logits, predict(curves._replace(**spoiled)).logits
    )
    alone = of_objects(curves, [1])
    short = predict(of_epochs(alone, np.arange(7)))
    np.testing.assert_allclose(short.logits[0], long.logits[1], atol=1e-5)


@EVERY
def test_a_prediction_does_not_depend_on_other_objects(name):
    _, _, predict = made(name)
    curves = make_curves(12, 7, 1)
    order = [2, 0, 1]
    there = predict(of_objects(curves, order))
    here = jax.tree.map(lambda a: a[np.array(order)], predict(curves))
    for a, b in zip(jax.tree.leaves(there), jax.tree.leaves(here), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@EVERY
def test_every_field_of_a_light_curve_has_an_effect(name):
    _, _, predict = made(name)
    curves = make_curves(12)
    before = predict(curves).logits
    changed = {"flux": curves.flux + 0.3, "time": curves.time * 1.5}
    if name not in ("sits_bert",):
        changed["flux_error"] = curves.flux_error + 0.2
    for field, value in changed.items():
        after = predict(curves._replace(**{field: value})).logits
        assert abs(after - before).max() > 1e-6, field


@EVERY
def test_an_object_without_observed_epochs_has_finite_output_and_gradients(name):
    model, variables, _ = made(name)
    curves = jax.device_put(make_curves(12, 0))

    def loss(variables):
        key = {"dropout": jax.random.key(1)}
        return model.apply(variables, curves, train=True, rngs=key).logits.sum()

    value, gradients = jax.jit(jax.value_and_grad(loss))(variables)
    assert np.isfinite(value)
    chex.assert_tree_all_finite(gradients)


@EVERY
def test_it_learns_which_band_is_bright(name):
    inputs = make_curves(*[12] * 24)
    label = np.arange(24, dtype=np.int32) % 3
    flux = inputs.flux + 2 * (inputs.band == label[:, None])
    yes = np.ones(24, bool)
    batch = Batch(inputs._replace(flux=flux.astype(np.float32)), label, yes, yes)
    weight = {"divergence_weight": 1e-5} if name == "bayes" else {}
    method = make_method(
        "supervised",
        MODELS[name],
        optax.adam(0.02),
        lambda _, view: view,
        seed=0,
        **weight,
    )
    state = jax.jit(method.init)(jax.random.key(0), batch.inputs)
    step = jax.jit(method.step)
    for _ in range(60):
        state, scalars = step(state, batch)
        assert np.isfinite(scalars["loss"])
    predicted = jax.jit(method.predict)(state, batch.inputs).logits.argmax(-1)
    assert (predicted == label).mean() > 0.8


# -- Bayesian weights ------------------------------------------------------------------


def test_divergence_weight_is_for_bayesian_models_only():
    def step(name, weight):
        method = make_method(
            "supervised",
            MODELS[name],
            optax.sgd(0.1),
            lambda _, view: view,
            seed=0,
            divergence_weight=weight,
        )
        inputs = make_curves(12, 5)
        yes = np.ones(2, bool)
        batch = Batch(inputs, np.zeros(2, np.int32), yes, yes)
        state = jax.eval_shape(method.init, jax.random.key(0), inputs)
        jax.eval_shape(method.step, state, batch)

    step("bayes", 0.1)
    with pytest.raises(ValueError, match=r"weight is 0\.0, .* model is Bayesian"):
        step("bayes", 0.0)
    with pytest.raises(ValueError, match=r"weight is 0\.1, .* model is not Bay"):
        step("lstm", 0.1)


@pytest.mark.parametrize("method", ["supervised", "semiconformer", "byol"])
def test_a_survey_without_a_catalogue_trains_in_parts_and_with_two_views(method):
    inputs = make_curves(12, 5, 12, 7, columns=0)
    yes = np.ones(4, bool)
    batch = Batch(inputs, np.arange(4, dtype=np.int32) % 2, yes, yes)
    model = Lstm(2, hidden=4, num_layers=1, bands=3)
    augment = make_augment(max_epochs=8)
    made = make_method(
        method, model, optax.adam(0.01), augment, seed=0, gradient_accumulation=2
    )
    view = jax.tree.map(lambda a: a[:, :8], inputs)
    state = jax.jit(made.init)(jax.random.key(0), view)
    _, scalars = jax.jit(made.step)(state, batch)
    assert all(np.isfinite(value) for value in scalars.values())


def test_sampled_weights_are_normal_and_have_the_right_divergence():
    mean = {"a": jnp.full((400, 300), 0.3), "b": jnp.array([-0.2])}
    rho = {"a": jnp.full((400, 300), -1.0), "b": jnp.array([0.5])}
    weights, divergence = jax.jit(bayes.sample_weights)(jax.random.key(0), mean, rho)
    spread = np.log1p(np.exp(-1.0)) + 1e-5
    assert abs(weights["a"].mean() - 0.3) < 4 * spread / np.sqrt(120_000)
    assert abs(weights["a"].std() / spread - 1) < 0.01
    expected = 0.0
    for name in mean:
        w, spread = np.float64(weights[name]), np.log1p(np.exp(rho[name])) + 1e-5
        wide, narrow = (stats.norm(0, np.exp(-n)).pdf(w) for n in (1, 7))
        log_q = stats.norm(mean[name], spread).logpdf(w)
        expected += (log_q - np.log(0.75 * wide + 0.25 * narrow)).sum()
    np.testing.assert_allclose(divergence, expected, rtol=1e-4)


def test_initial_standard_deviations_are_a_quarter_to_a_third_of_that_of_the_prior():
    spread = bayes.standard_deviation(bayes.initial_rho(jax.random.key(0), (1000,)))
    prior = np.sqrt(0.75 * np.exp(-2) + 0.25 * np.exp(-14))
    assert prior / 4 < spread.min() < spread.max() < prior / 3 + 1e-4


@pytest.mark.parametrize("name", ["variational", "bayes"])
def test_a_prediction_is_the_mean_of_samples_and_reproducible(name):
    _, _, predict = made(name)
    first, again = predict(make_curves(12, 7)), predict(make_curves(12, 7))
    np.testing.assert_array_equal(first.logits, again.logits)
    p = np.exp(first.logits)
    np.testing.assert_allclose(p.sum(-1), 1, atol=1e-5)  # logits are log p
    spread = first.aux["spread"]
    assert spread.shape == p.shape
    assert (spread > 0).all()
    assert (
        spread**2 <= p * (1 - p) + 1e-6
    ).all()  # bound for values in [0, 1] with that mean


def test_without_spread_the_bayesian_network_equals_the_plain_one():
    model, variables, _ = made("bayes")
    params = variables["params"]
    sure = jax.tree.map(lambda rho: jnp.full_like(rho, -30.0), params["rho"])
    curves, params = jax.device_put(make_curves(12)), params | {"rho": sure}
    found = model.apply({"params": params}, curves, train=False)
    plain = {"params": {"network": params["network"]}}
    plain = MODELS["supernnova"].apply(plain, curves, train=False)
    expected = jax.nn.log_softmax(plain.logits)
    np.testing.assert_allclose(found.logits, expected, atol=1e-3)
    assert found.aux["spread"].max() < 1e-3
    assert POINT_ESTIMATE not in traverse_util.flatten_dict(params["rho"])


def test_invalid_arguments_are_refused():
    def init(model):
        return model.init(jax.random.key(0), make_curves(12), train=False)

    with pytest.raises(ValueError, match=r"No form 'sure'\. Known: plain, variational"):
        init(SuperNNova(4, "sure", bands=3))
    with pytest.raises(ValueError, match="num_draws 0"):
        init(SuperNNova(4, bands=3, num_draws=0))
    with pytest.raises(ValueError, match="width 20 is not a multiple of 2 x 8 heads"):
        init(SitsBert(4, width=20, bands=3))
    with pytest.raises(ValueError, match="divergence_weight -1"):
        make_method(
            "supervised",
            MODELS["bayes"],
            optax.sgd(0.1),
            lambda _, view: view,
            seed=0,
            divergence_weight=-1.0,
        )
