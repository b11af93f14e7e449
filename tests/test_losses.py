import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxastro import losses


def random(shape, seed=0, scale=3.0):
    return jnp.array(np.random.default_rng(seed).normal(0, scale, shape), jnp.float32)


LABEL = jnp.array([0, 3, 1, 1, 2, 0])


def test_cross_entropy_equals_that_of_optax():
    logits = random((6, 4))
    theirs = optax.softmax_cross_entropy_with_integer_labels(logits, LABEL)
    np.testing.assert_allclose(losses.cross_entropy(logits, LABEL), theirs, rtol=1e-5)


def test_smoothed_labels_equal_those_of_optax():
    logits = random((6, 4))
    y = optax.smooth_labels(jax.nn.one_hot(LABEL, 4), 0.3)
    ours = losses.cross_entropy(logits, LABEL, 0.3)
    theirs = optax.softmax_cross_entropy(logits, y)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_focal_by_hand():
    p = jnp.array([[0.9, 0.1], [0.25, 0.75]])
    ours = losses.focal(jnp.log(p), jnp.array([0, 0]), 2.0)
    by_hand = [0.1**2 * -np.log(0.9), 0.75**2 * -np.log(0.25)]
    np.testing.assert_allclose(ours, by_hand, rtol=1e-5)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_focal_of_two_classes_equals_optax_sigmoid_focal(gamma):
    logit, label = random((6,)), jnp.array([0, 1, 1, 0, 1, 0])
    ours = losses.focal(jnp.stack([0 * logit, logit], -1), label, gamma)
    theirs = optax.sigmoid_focal_loss(logit, label.astype(jnp.float32), gamma=gamma)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-7)


def test_focal_with_gamma_0_is_cross_entropy():
    logits = random((6, 4))
    ours = losses.focal(logits, LABEL, 0.0)
    np.testing.assert_allclose(ours, losses.cross_entropy(logits, LABEL), rtol=1e-5)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"label_smoothing 1.5 is not in \[0, 1\)"):
        losses.cross_entropy(random((6, 4)), LABEL, 1.5)
    with pytest.raises(ValueError, match=r"focal_gamma -1.0 is below 0"):
        losses.focal(random((6, 4)), LABEL, -1.0)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("confidence", [1e3, -1e3, 17.0])
def test_gradients_of_confident_predictions_are_finite(gamma, confidence):
    logits, label = jnp.array([[confidence, 0.0]]), jnp.array([0])
    for loss in (losses.cross_entropy, lambda *a: losses.focal(*a, gamma)):
        value, grad = jax.value_and_grad(lambda x: loss(x, label).sum())(logits)  # noqa: B023
        assert np.isfinite(value)
        assert np.isfinite(grad).all()


def test_similarity_is_the_squared_distance_on_the_sphere():
    a, b = random((6, 5)), random((6, 5), 1)
    unit_a = a / np.linalg.norm(a, axis=-1, keepdims=True)
    unit_b = b / np.linalg.norm(b, axis=-1, keepdims=True)
    ours = losses.similarity(a, b)
    np.testing.assert_allclose(ours, np.sum((unit_a - unit_b) ** 2, -1), rtol=1e-4)
    cosine = optax.losses.cosine_similarity(a, b)
    np.testing.assert_allclose(ours, 2 - 2 * cosine, rtol=1e-4)


def test_similarity_depends_only_on_directions():
    a = random((6, 5))
    np.testing.assert_allclose(losses.similarity(a, 7 * a), 0, atol=1e-6)
    np.testing.assert_allclose(losses.similarity(a, -0.1 * a), 4, atol=1e-6)


def test_similarity_of_zero_vectors_has_no_gradient():
    zero, b = jnp.zeros((2, 5)), random((2, 5))
    value, grads = jax.value_and_grad(
        lambda *ab: losses.similarity(*ab).sum(), argnums=(0, 1)
    )(zero, b)
    assert value == pytest.approx(4)  # neither parallel nor opposite: 2 each
    assert not np.any(grads[0])
    assert not np.any(grads[1])


def mean(value, mask):
    return losses.weighted_sum(value, losses.equal_weight(mask))


def test_with_equal_weights_the_sum_is_the_masked_mean():
    value, mask = jnp.array([2.0, 4.0, np.nan]), jnp.array([True, True, False])
    assert mean(value, mask) == 3
    assert not np.any(jax.grad(mean)(value, mask)[2])


def test_the_mean_over_an_empty_mask_is_0():
    value, mask = jnp.array([np.inf, np.nan]), jnp.zeros(2, bool)
    assert mean(value, mask) == 0
    assert not np.any(jax.grad(mean)(value, mask))


def test_the_frame_error_is_per_object_and_uses_masked_frames_only():
    frame = jnp.arange(12.0).reshape(2, 3, 1, 2)
    predicted = frame + jnp.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])[:, :, None, None]
    mask = jnp.array([[True, False, True], [False, False, False]])
    expected = [(1 + 9) / 2, 0]
    np.testing.assert_allclose(losses.frame_error(predicted, frame, mask), expected)
    unseen = jnp.where(mask[:, :, None, None], frame, jnp.nan)
    np.testing.assert_allclose(losses.frame_error(predicted, unseen, mask), expected)
    grads = jax.grad(lambda p: losses.frame_error(p, unseen, mask).sum())(predicted)
    assert np.isfinite(grads).all()
