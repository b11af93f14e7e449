"""Maximum and mean over the observed epochs of a series."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


def max_over_time(
    x: Float[Array, "b t *rest"], mask: Bool[Array, "b t"]
) -> Float[Array, "b *rest"]:
    """Returns the maximum over the epochs in the mask; 0 if there is none.

    Source: Bairouk et al. 2023, A&A 673, A141, Sect. 3 (max pooling).
    Differs: padded epochs are excluded.
    """
    observed = _like(mask, x)
    # Not max: its gradient compares x with the maximum bit by bit. It is wrong if the
    # compiler recomputes x in the backward pass with other rounding.
    best = jnp.argmax(jnp.where(observed, x, -jnp.inf), axis=1, keepdims=True)
    return jnp.take_along_axis(jnp.where(observed, x, 0), best, axis=1)[:, 0]


def mean_over_time(
    x: Float[Array, "b t *rest"], mask: Bool[Array, "b t"]
) -> Float[Array, "b *rest"]:
    """Returns the mean over the epochs in the mask, at least float32; 0 without one.

    Source: ours.
    Differs: none.
    """
    observed = _like(mask, x)
    wide = jnp.promote_types(x.dtype, jnp.float32)
    total = jnp.where(observed, x, 0).sum(1, dtype=wide)
    return total / jnp.maximum(observed.sum(1), 1)


def _like(mask: Bool[Array, "b t"], x: Float[Array, "b t *rest"]) -> Array:
    return mask.reshape(*mask.shape, *(1,) * (x.ndim - 2))
