"""Losses, with one value per object; methods average them."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxastro.errors import InputError


def cross_entropy(
    logits: Float[Array, "b c"], label: Int[Array, " b"], smoothing: float = 0.0
) -> Float[Array, " b"]:
    """Returns the cross-entropy of each object, with optional label smoothing.

        y = (1 - smoothing) * onehot(label) + smoothing / c
        loss = -sum over c of y_c log p_c

    Raises:
        InputError: if smoothing is not in [0, 1).
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
    """Returns the focal loss of each object, which down-weights easy objects.

        loss = -(1 - p_label)^gamma log p_label

    Raises:
        InputError: if gamma is below 0.
    Source: Lin et al. 2017, arXiv 1708.02002, Eq. 4.
    Differs: none. The published code of ConvEntion applies the focal weight to the mean
        of a batch, which weights batches instead of objects.
    """
    if gamma < 0:
        raise InputError(
            f"focal_gamma {gamma} is below 0, which would down-weight hard objects."
        )
    log_p = jax.nn.log_softmax(logits)
    log_p = jnp.take_along_axis(log_p, label[:, None], axis=-1)[:, 0]
    miss = -jnp.expm1(log_p)
    # Above zero: at p = 1 the derivative of miss^gamma is infinite for gamma < 1.
    miss = jnp.where(miss > 1e-12, miss, 1e-12)
    return -(miss**gamma) * log_p


def entropy(logits: Float[Array, "b c"]) -> Float[Array, " b"]:
    """Returns the entropy of each object's probabilities, 0 to log c.

        H = -sum over c of p_c log p_c

    Source: Carrasco-Davis et al. 2021, AJ 162, 231, Eq. 2: subtracted from the
        cross-entropy with a weight, it penalises over-confidence.
    Differs: none.
    """
    log_p = jax.nn.log_softmax(logits)
    return -jnp.sum(jnp.exp(log_p) * log_p, axis=-1)


def similarity(a: Float[Array, "b d"], b: Float[Array, "b d"]) -> Float[Array, " b"]:
    """Returns the squared distance of two normalised projections, 0 to 4.

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
    """Returns the mean squared error of each object's frames where mask is True.

        loss = mean over masked t, and over y and x, of (predicted - frame)^2

    It is 0 for an object without such frames. Other frames have no effect.

    Source: He et al. 2022, arXiv 2111.06377, Sect. 3: error of masked patches.
    Differs: masks complete frames; every object has the same weight.
    """
    # Masked before the square: otherwise a NaN frame gives the gradient NaN times 0.
    error = jnp.where(mask[:, :, None, None], predicted - frame, 0)
    total = jnp.square(error).mean((-2, -1)).sum(1)
    return total / jnp.maximum(mask.sum(1), 1)


def equal_weight(mask: Bool[Array, " b"]) -> Float[Array, " b"]:
    """Returns weights 1 / count where mask is True: the weighted sum is the mean.

    So the mean over a batch is a sum over its parts, on any devices.
    """
    return mask / jnp.maximum(mask.sum(), 1)


def weighted_sum(
    value: Float[Array, " b"], weight: Float[Array, " b"]
) -> Float[Array, ""]:
    """Returns the weighted sum of the values; values of weight 0 may be NaN."""
    return jnp.where(weight > 0, value, 0) @ weight


def _unit(a: Float[Array, "b d"]) -> Float[Array, "b d"]:
    square = jnp.sum(a * a, axis=-1, keepdims=True)
    # Of a zero vector: without the first `where` the gradient is NaN, without the
    # second it is 1.
    has_length = square > 1e-12
    unit = a * jax.lax.rsqrt(jnp.where(has_length, square, 1))
    return jnp.where(has_length, unit, 0)
