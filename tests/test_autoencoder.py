"""Auto-encoders of stamps: the bound is the bound, labels teach the code nothing."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import runs
from alert_records import make_alerts
from scipy.stats import norm

from benchmarks.reconstruction import by_components, cluster_scores, measure
from configs import stamp_vae
from experiments.train import train
from jaxastro.augment import make_augment
from jaxastro.evaluation.predictions import load
from jaxastro.layers.stamp_decoder import StampDecoder
from jaxastro.methods import make_method
from jaxastro.methods.autoencoder import divergence, negative_log_likelihood
from jaxastro.models import make_model
from jaxastro.training.optimizer import make_optimizer
from jaxastro.types import Batch, ModelOutput

SMALL = {"latent": 3, "widths": (4, 4)}


@functools.cache
def made(num_steps=4, **args):
    model = make_model(
        "stamp_encoder", num_classes=3, widths=(4, 4), hidden=8, kernel=3
    )
    optimizer = make_optimizer(
        num_steps=num_steps,
        name="adam",
        learning_rate=1e-2,
        warmup_steps=0,
        decay="constant",
        weight_decay=0.0,
        clip=1.0,
        train_only=(),
    )
    same = make_augment(max_epochs=1, drop=0.0, rotation=0.0, flip=False)
    method = make_method("autoencoder", model, optimizer, same, seed=0, **SMALL | args)
    return method._replace(step=jax.jit(method.step), predict=jax.jit(method.predict))


def make_batch(seed=0, labels=(0, 1, 2, 0), size=9):
    inputs = make_alerts(*[1] * len(labels), size=size, seed=seed)
    stamp = (inputs.stamp - inputs.stamp.min()) / np.ptp(inputs.stamp)
    seen = np.ones(len(labels), bool)
    inputs = inputs._replace(stamp=stamp.astype(np.float32))
    return Batch(inputs, np.array(labels, np.int32), seen, seen)


@pytest.mark.parametrize("size", [5, 9, 21, 24, 63])
def test_stamps_are_drawn_in_the_size_they_have(size):
    decoder = StampDecoder((2, 3))
    code = jnp.ones((2, 4))
    image, _ = decoder.init_with_output(jax.random.key(0), code, size, 3)
    assert image.shape == (2, size, size, 3)


def test_likelihoods_are_those_of_scipy():
    rng = np.random.default_rng(0)
    pixels, drawn = rng.random((2, 5, 4, 4, 3)).astype(np.float32)
    log_noise = np.array([-0.5, 0.1, 0.7], np.float32)
    aux = {"drawn": jnp.array(drawn), "log_noise": jnp.array(log_noise)}
    output = ModelOutput(jnp.zeros((5, 2)), jnp.zeros((5, 2)), aux)
    found = negative_log_likelihood(output, jnp.array(pixels), "gaussian")
    expected = -norm.logpdf(pixels, drawn, np.exp(log_noise)).sum((1, 2, 3))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    found = negative_log_likelihood(output, jnp.array(pixels), "bernoulli")
    p = 1 / (1 + np.exp(-drawn))
    expected = -(pixels * np.log(p) + (1 - pixels) * np.log(1 - p)).sum((1, 2, 3))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_divergence_is_the_mean_of_what_draws_say():
    rng = np.random.default_rng(0)
    mean, wide = rng.normal(size=(2, 1, 4))
    output = ModelOutput(
        jnp.zeros((1, 2)), jnp.array(mean), {"log_variance": jnp.array(wide)}
    )
    spread = np.exp(wide / 2)
    code = mean + spread * rng.normal(size=(200_000, 4))
    each = norm.logpdf(code, mean, spread) - norm.logpdf(code)
    assert float(divergence(output)[0]) == pytest.approx(each.sum(1).mean(), rel=0.02)


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
@pytest.mark.parametrize("variational", [False, True])
def test_training_draws_the_stamps_better_and_better(likelihood, variational):
    method = made(num_steps=60, likelihood=likelihood, variational=variational)
    batch = make_batch()
    state = method.init(jax.random.key(0), batch.inputs)
    errors = []
    for _ in range(60):
        state, scalars = method.step(state, batch)
        assert all(np.isfinite(value) for value in scalars.values())
        errors.append(float(scalars["square_error"]))
    assert np.mean(errors[-5:]) < 0.9 * np.mean(errors[:5])
    output = method.predict(state, batch.inputs)
    assert output.embedding.shape == (4, 3)
    assert output.aux["reconstruction"].shape == (4, 9, 9, 3)
    assert (scalars["divergence"] > 0) == variational
    again = method.predict(state, batch.inputs)  # nothing is drawn by luck
    np.testing.assert_array_equal(output.embedding, again.embedding)


def test_labels_teach_the_probe_and_nothing_else():
    method = made(variational=True)
    one, other = make_batch(labels=(0, 1, 2, 0)), make_batch(labels=(2, 0, 1, 1))
    state = method.init(jax.random.key(0), one.inputs)
    after = [method.step(state, batch)[0].params for batch in (one, other)]
    for name in after[0]:
        same = jax.tree.all(
            jax.tree.map(lambda a, b: bool((a == b).all()), *(p[name] for p in after))
        )
        assert same == (name != "probe"), name


def test_the_weight_of_the_divergence_rises_in_a_line():
    method = made(variational=True, beta=2.0, beta_steps=4)
    batch = make_batch()
    state = method.init(jax.random.key(0), batch.inputs)
    for step in range(6):
        state, scalars = method.step(state, batch)
        weight = 2 * min(1, step / 4)
        unlike, apart, classify = (
            scalars[n]
            for n in ("negative_log_likelihood", "divergence", "cross_entropy")
        )
        expected = unlike + weight * apart + classify
        assert float(scalars["loss"]) == pytest.approx(float(expected), rel=1e-5)


def test_rows_that_fill_up_a_batch_teach_nothing():
    method, batch = made(variational=False), make_batch()
    spoilt = batch.inputs._replace(stamp=batch.inputs.stamp.copy())
    spoilt.stamp[3] = 9
    filled = np.array([True, True, True, False])
    state = method.init(jax.random.key(0), batch.inputs)
    one, other = (
        method.step(state, Batch(inputs, batch.label, filled, filled))[0].params
        for inputs in (batch.inputs, spoilt)
    )
    runs.assert_same_bits(one, other)


def test_what_cannot_be_is_said():
    with pytest.raises(ValueError, match="gaussian, bernoulli"):
        made(likelihood="poisson")
    with pytest.raises(ValueError, match="below 0"):
        made(beta=-1.0)


def test_components_draw_what_lies_in_them_and_clusters_find_what_is_apart():
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(3, 5, 5, 3))
    train, test = (np.tensordot(rng.normal(size=(40, 3)), basis, 1) for _ in range(2))
    np.testing.assert_allclose(by_components(train, test, 3), test, atol=1e-6)
    assert abs(by_components(train, test, 2) - test).max() > 0.1
    label = rng.integers(0, 3, 90)
    code = 20 * np.eye(3)[label] + rng.normal(size=(90, 3))
    found = cluster_scores(code, label, 3)
    assert found == {"cluster_accuracy": 1, "nmi": 1, "ari": 1}
    lost = cluster_scores(rng.normal(size=(90, 3)), label, 3)
    assert lost["cluster_accuracy"] < 0.6


def test_a_run_ends_with_stamps_beside_what_is_drawn_again(data_dir, tmp_path):
    train(runs.smoke(stamp_vae.get_config), tmp_path, data_dir=data_dir)
    shown = load(tmp_path / "predictions").shown_inputs
    assert shown["reconstruction"].shape == shown["stamp"][:, 0].shape
    assert (tmp_path / "report" / "reconstructions.png").exists()
    page = (tmp_path / "report" / "index.html").read_text()
    assert "drawn again" in page
    row = measure(tmp_path, data_dir=data_dir, manual_dir="")
    assert row["numbers"] == 32
    assert 0 < row["error"].value < 1
    assert row["difference"].value == pytest.approx(
        row["error"].value - row["error_of_components"].value, abs=1e-6
    )
