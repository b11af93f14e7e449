"""Auto-encoders of stamps: likelihoods, divergences and training without labels."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.mixture import GaussianMixture
from support import runs
from support.alerts import make_alerts

from configs import stamp_autoencoder, stamp_vade, stamp_vae
from experiments.studies.reconstruction import measure, reconstruct_by_components
from jaxastro.augment import make_augment
from jaxastro.evaluation.clusters import cluster_scores, fit_gaussian_mixture
from jaxastro.evaluation.predictions import load
from jaxastro.layers.mixture import Mixture
from jaxastro.layers.stamp_decoder import StampDecoder
from jaxastro.methods import make_method
from jaxastro.methods.autoencoder import (
    kl_from_normal,
    negative_log_likelihood,
    optimal_log_noise,
    set_mixture,
)
from jaxastro.models import make_model
from jaxastro.runs import train
from jaxastro.training.optimizer import make_optimizer
from jaxastro.types import Batch

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
def test_stamps_are_decoded_in_their_size(size):
    decoder = StampDecoder((2, 3))
    code = jnp.ones((2, 4))
    image, _ = decoder.init_with_output(jax.random.key(0), code, size, 3)
    assert image.shape == (2, size, size, 3)


def test_likelihoods_equal_those_of_scipy():
    rng = np.random.default_rng(0)
    pixels, drawn = rng.random((2, 5, 4, 4, 3)).astype(np.float32)
    log_noise = np.array([-0.5, 0.1, 0.7], np.float32)
    arrays = jnp.array(drawn), jnp.array(log_noise), jnp.array(pixels)
    found = negative_log_likelihood(*arrays, "gaussian")
    expected = -norm.logpdf(pixels, drawn, np.exp(log_noise)).sum((1, 2, 3))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    found = negative_log_likelihood(*arrays, "bernoulli")
    p = 1 / (1 + np.exp(-drawn))
    expected = -(pixels * np.log(p) + (1 - pixels) * np.log(1 - p)).sum((1, 2, 3))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_optimal_noise_maximises_the_likelihood():
    rng = np.random.default_rng(0)
    pixels, drawn = rng.random((2, 6, 4, 4, 3)).astype(np.float32)
    pixels[..., 1] = drawn[..., 1] + 0.02 * pixels[..., 1]
    seen = np.array([True] * 4 + [False] * 2)
    best = optimal_log_noise(jnp.array(drawn), jnp.array(pixels), jnp.array(seen))
    pixels[4:] = 9
    again = optimal_log_noise(jnp.array(drawn), jnp.array(pixels), jnp.array(seen))
    np.testing.assert_array_equal(best, again)  # padding has no effect

    def unlike(log_noise):
        arrays = jnp.array(drawn[seen]), log_noise, jnp.array(pixels[seen])
        return negative_log_likelihood(*arrays, "gaussian").sum()

    slope, curve = jax.grad(unlike)(best), jax.hessian(unlike)(best)
    np.testing.assert_allclose(slope, 0, atol=1e-3)
    assert (np.linalg.eigvalsh(curve) > 0).all()
    alike = optimal_log_noise(*[jnp.array(drawn)] * 2, jnp.array(seen))
    np.testing.assert_allclose(alike, np.log(1e-3), rtol=1e-5)


def test_prediction_uses_the_noise_of_training():
    method, batch = made(num_steps=60), make_batch()
    state = method.init(jax.random.key(0), batch.inputs)
    for _ in range(60):
        state, scalars = method.step(state, batch)
    drawn = method.predict(state, batch.inputs).aux["reconstruction"]
    pixels = batch.inputs.stamp[:, 0]
    noise = np.log(np.square(pixels - drawn).mean((0, 1, 2))) / 2
    np.testing.assert_allclose(state.batch_stats["log_noise"], noise, atol=0.05)
    expected = (noise + np.log(2 * np.pi) / 2 + 0.5).mean()
    assert float(scalars["negative_log_likelihood"]) == pytest.approx(
        expected, abs=0.05
    )


def test_the_divergence_equals_a_monte_carlo_estimate():
    rng = np.random.default_rng(0)
    mean, wide = rng.normal(size=(2, 1, 4))
    spread = np.exp(wide / 2)
    code = mean + spread * rng.normal(size=(200_000, 4))
    each = norm.logpdf(code, mean, spread) - norm.logpdf(code)
    assert float(kl_from_normal(jnp.array(mean), jnp.array(wide))[0]) == pytest.approx(
        each.sum(1).mean(), rel=0.02
    )


def test_a_mixture_of_one_normal_cluster_equals_the_normal_prior():
    rng = np.random.default_rng(0)
    mean, wide, code = jnp.array(rng.normal(size=(3, 6, 4)), jnp.float32)
    prior = {"score": jnp.zeros(1), "mean": jnp.zeros((1, 4))}
    prior["log_variance"] = jnp.zeros((1, 4))
    found = Mixture(1).apply({"params": prior}, mean, wide, code)
    np.testing.assert_allclose(found.divergence, kl_from_normal(mean, wide), rtol=1e-5)
    # three equal clusters are one
    prior = {name: jnp.repeat(value, 3, 0) for name, value in prior.items()}
    found = Mixture(3).apply({"params": prior}, mean, wide, code)
    np.testing.assert_allclose(found.divergence, kl_from_normal(mean, wide), rtol=1e-4)
    np.testing.assert_allclose(np.exp(found.log_cluster), 1 / 3, rtol=1e-5)


@pytest.mark.parametrize("narrow", [0, 6])
def test_the_divergence_of_a_mixture_is_an_upper_bound(narrow):
    rng = np.random.default_rng(0)
    weight, center = np.array([0.2, 0.5, 0.3]), rng.normal(size=(3, 4))
    variance = rng.uniform(0.5, 2, (3, 4))
    prior = {"score": np.log(weight), "mean": center, "log_variance": np.log(variance)}
    prior = {name: jnp.array(value, jnp.float32) for name, value in prior.items()}
    mean, wide = rng.normal(size=4), rng.normal(size=4) - narrow
    code = mean + np.exp(wide / 2) * rng.normal(size=(100_000, 4))
    rows = (
        jnp.array(np.broadcast_to(x, code.shape), jnp.float32) for x in (mean, wide)
    )
    found = Mixture(3).apply({"params": prior}, *rows, jnp.array(code, jnp.float32))
    # With q(cluster | code) = p(cluster | code) the bound is tight.
    log_q = norm.logpdf(code, mean, np.exp(wide / 2)).sum(1)
    each = norm.logpdf(code[:, None], center, np.sqrt(variance)).sum(2) + np.log(weight)
    expected = (log_q - logsumexp(each, axis=1)).mean()
    above = float(found.divergence.mean()) - expected
    assert above > -0.02
    if narrow:  # every sample of a code then has the same cluster
        assert above < 0.05
    other = GaussianMixture(3, covariance_type="diag")
    other.weights_, other.means_, other.covariances_ = weight, center, variance
    other.precisions_cholesky_ = 1 / np.sqrt(variance)
    expected = other.predict_proba(code[:100])
    np.testing.assert_allclose(np.exp(found.log_cluster[:100]), expected, atol=1e-5)


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
@pytest.mark.parametrize("prior", ["none", "normal", "mixture"])
def test_training_reduces_the_reconstruction_error(likelihood, prior):
    method = made(num_steps=60, likelihood=likelihood, prior=prior)
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
    assert (scalars["divergence"] > 0) == (prior != "none")
    again = method.predict(state, batch.inputs)  # prediction is not random
    np.testing.assert_array_equal(output.embedding, again.embedding)


def test_labels_affect_only_the_probe():
    method = made(prior="normal")
    one, other = make_batch(labels=(0, 1, 2, 0)), make_batch(labels=(2, 0, 1, 1))
    state = method.init(jax.random.key(0), one.inputs)
    after = [method.step(state, batch)[0].params for batch in (one, other)]
    for name in after[0]:
        same = jax.tree.all(
            jax.tree.map(lambda a, b: bool((a == b).all()), *(p[name] for p in after))
        )
        assert same == (name != "probe"), name


def test_the_weight_of_the_divergence_increases_linearly():
    method = made(prior="normal", beta=2.0, beta_steps=4)
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


def test_padding_rows_do_not_affect_training():
    method, batch = made(prior="none"), make_batch()
    spoilt = batch.inputs._replace(stamp=batch.inputs.stamp.copy())
    spoilt.stamp[3] = 9
    filled = np.array([True, True, True, False])
    state = method.init(jax.random.key(0), batch.inputs)
    one, other = (
        method.step(state, Batch(inputs, batch.label, filled, filled))[0].params
        for inputs in (batch.inputs, spoilt)
    )
    runs.assert_same_bits(one, other)


def test_invalid_arguments_are_refused():
    with pytest.raises(ValueError, match="gaussian, bernoulli"):
        made(likelihood="poisson")
    with pytest.raises(ValueError, match="Use 0 or more for both"):
        made(beta=-1.0)
    with pytest.raises(ValueError, match="none, normal, mixture"):
        made(prior="flat")
    with pytest.raises(ValueError, match="clusters 0 is below 1"):
        made(clusters=0)


def test_components_reconstruct_their_space_and_clusters_find_separate_groups():
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(3, 5, 5, 3))
    train, test = (np.tensordot(rng.normal(size=(40, 3)), basis, 1) for _ in range(2))
    three, two = (reconstruct_by_components(train, test, n) for n in (3, 2))
    np.testing.assert_allclose(three, test, atol=1e-6)
    assert abs(two - test).max() > 0.1
    label = rng.integers(0, 3, 90)
    code = 20 * np.eye(3)[label] + rng.normal(size=(90, 3))
    found = cluster_scores(label, fit_gaussian_mixture(code, 3, seed=0).predict(code))
    assert set(found.values()) == {1}
    with pytest.raises(ValueError, match="90 codes cannot form 91 clusters"):
        fit_gaussian_mixture(code, 91, seed=0)
    lost = cluster_scores(label, rng.integers(0, 3, 90))
    assert lost["cluster_accuracy"] < 0.6


def test_a_run_reports_stamps_with_their_reconstructions(data_dir, tmp_path):
    train(runs.smoke(stamp_vae.get_config), tmp_path, data_dir=data_dir)
    shown = load(tmp_path / "predictions").shown_inputs
    assert shown["reconstruction"].shape == shown["stamp"][:, 0].shape
    assert (tmp_path / "report" / "reconstructions.png").exists()
    page = (tmp_path / "report" / "index.html").read_text()
    for title in (
        "Reconstructions",
        "Anomalies",
        "Clusters",
        "Latent traversals",
        "Nearest neighbours",
    ):
        assert title in page
    with (tmp_path / "report" / "anomalies.csv").open() as file:
        assert len(file.readlines()) == 1 + len(load(tmp_path / "predictions").label)
    row = measure(tmp_path, data_dir=data_dir)
    assert row["code_size"] == 32
    assert 0 < row["error"].value < 1
    assert row["difference"].value == pytest.approx(
        row["error"].value - row["error_of_components"].value, abs=1e-6
    )


def test_a_mixture_is_initialised_from_the_codes_of_another_run(
    data_dir, tmp_path, capsys
):
    small = {"method.args.latent": 4, "method.args.clusters": 2}
    first = runs.smoke(stamp_autoencoder.get_config, **small)
    train(first, tmp_path / "plain", data_dir=data_dir)
    small |= {"init_from": str(tmp_path / "plain")}
    config = runs.smoke(stamp_vade.get_config, **small)
    train(config, tmp_path / "mixture", data_dir=data_dir)
    assert "A mixture of 2 clusters starts from" in capsys.readouterr().out
    predictions = load(tmp_path / "mixture" / "predictions")
    assert set(predictions.by_object.cluster) <= {0, 1}
    assert predictions.latent_space.cluster_centers.shape == (2, 21, 21, 3)


def test_the_fitted_mixture_is_trained():
    rng = np.random.default_rng(0)
    code = np.repeat(np.eye(3) * 6, 30, 0) + rng.normal(size=(90, 3))
    fit, method = (
        fit_gaussian_mixture(code, 3, seed=0),
        made(prior="mixture", clusters=3),
    )
    state = method.init(jax.random.key(0), make_batch().inputs)
    found = (fit.weights_, fit.means_, fit.covariances_)
    state = set_mixture(state, *(jnp.array(x, jnp.float32) for x in found))
    rows = jnp.array(np.stack([code, 0 * code, code]), jnp.float32)
    prior = Mixture(3).apply({"params": state.params["prior"]}, *rows)
    np.testing.assert_allclose(
        np.exp(prior.log_cluster), fit.predict_proba(code), atol=1e-4
    )
    narrow = state.params["log_variance"]["bias"]
    np.testing.assert_allclose(np.exp(narrow), fit.covariances_.mean(0) / 10, rtol=1e-4)
