"""Losses: one value per object; who calls them averages."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxastro.errors import InputError


def cross_entropy(
    logits: Float[Array, "b c"], label: Int[Array, " b"], smoothing: float = 0.0
) -> Float[Array, " b"]:
    """Returns the cross-entropy of each object, with labels smoothed if asked.

        y = (1 - smoothing) * onehot(label) + smoothing / c
        loss = -sum over c of y_c log p_c

    Source: Bairouk 2023, thesis, Eq. 5.2; smoothing: Szegedy et al. 2016, Sect. 7.
    Differs: none.
    """
    if not 0 <= smoothing < 1:
        raise InputError(f"label_smoothing {smoothing} is not in [0, 1).")
    num_classes = logits.shape[-1]
    y = jax.nn.one_hot(label, num_classes) * (1 - smoothing) + smoothing / num_classes
    return -jnp.sum(y * jax.nn.log_softmax(logits), axis=-1)


def focal(
    logits: Float[Array, "b c"], label: Int[Array, " b"], gamma: float = 2.0
) -> Float[Array, " b"]:
    """Returns the focal loss of each object: easy objects count less.

        loss = -(1 - p_label)^gamma log p_label

    Source: Lin et al. 2017, arXiv 1708.02002, Eq. 4.
    Differs: ConvEntion's published code focuses the mean of a batch; that weights
        batches, not objects, and is not offered.
    """
    if gamma < 0:
        raise InputError(f"focal_gamma {gamma} is below 0: easy objects would rule.")
    log_p = jax.nn.log_softmax(logits)
    log_p = jnp.take_along_axis(log_p, label[:, None], axis=-1)[:, 0]
    miss = -jnp.expm1(log_p)
    # kept above zero: where p is 1, the slope of a root (gamma < 1) is infinite
    miss = jnp.where(miss > 1e-12, miss, 1e-12)
    return -(miss**gamma) * log_p


def entropy(logits: Float[Array, "b c"]) -> Float[Array, " b"]:
    """Returns the entropy of each object's probabilities, 0 to log c.

        H = -sum over c of p_c log p_c

    Source: Carrasco-Davis et al. 2021, AJ 162, 231, Eq. 2, which subtracts it, times a
        weight, from the cross-entropy: a network that is sure of itself pays.
    Differs: none.
    """
    log_p = jax.nn.log_softmax(logits)
    return -jnp.sum(jnp.exp(log_p) * log_p, axis=-1)


def similarity(a: Float[Array, "b d"], b: Float[Array, "b d"]) -> Float[Array, " b"]:
    """Returns the squared distance of two projections on the unit sphere, 0 to 4.

        loss = ||a/|a| - b/|b|||^2 = 2 - 2 <a, b> / (|a| |b|)

    Source: Bairouk 2023, thesis, Eq. 5.1; Grill et al. 2020, arXiv 2006.07733, Eq. 2.
    Differs: none.
    """
    return 2 - 2 * jnp.sum(_unit(a) * _unit(b), axis=-1)


def frame_error(
    predicted: Float[Array, "b t y x"],
    frame: Float[Array, "b t y x"],
    mask: Bool[Array, "b t"],
) -> Float[Array, " b"]:
    """Returns the mean square error of each object's frames where mask is True.

        loss = mean over masked t, and over y and x, of (predicted - frame)^2

    and 0 for an object without one; what its other frames hold cannot matter.

    Source: He et al. 2022, arXiv 2111.06377, Sect. 3: an error of what is hidden.
    Differs: what is hidden is whole frames; every object counts alike.
    """
    # before the square: its gradient of a frame that is NaN would be NaN times 0
    error = jnp.where(mask[:, :, None, None], predicted - frame, 0)
    total = jnp.square(error).mean((-2, -1)).sum(1)
    return total / jnp.maximum(mask.sum(1), 1)


def equal_weight(mask: Bool[Array, " b"]) -> Float[Array, " b"]:
    """Returns 1 / count where mask is True: weights that make a sum the mean.

    The mean over a batch is then the sum over its parts, whoever computes which.
    """
    return mask / jnp.maximum(mask.sum(), 1)


def weighted_sum(
    value: Float[Array, " b"], weight: Float[Array, " b"]
) -> Float[Array, ""]:
    """Returns the sum of the values by weight; those of no weight may be NaN."""
    return jnp.where(weight > 0, value, 0) @ weight


def _unit(a: Float[Array, "b d"]) -> Float[Array, "b d"]:
    square = jnp.sum(a * a, axis=-1, keepdims=True)
    # Without the first where the gradient of a zero vector is NaN, without the other 1.
    has_length = square > 1e-12
    unit = a * jax.lax.rsqrt(jnp.where(has_length, square, 1))
    return jnp.where(has_length, unit, 0)
