"""Days between consecutive observed epochs."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxastro.errors import InputError

ENCODINGS = ("none", "gaps")


def previous_time(
    time: Float[Array, "b t"], epoch_mask: Bool[Array, "b t"]
) -> Float[Array, "b t"]:
    """Returns the time of the previous observed epoch, -inf if there is none.

    Args:
        time: days, ascending over observed epochs.
    Source: ours.
    Differs: none.
    """
    latest = jax.lax.cummax(jnp.where(epoch_mask, time, -jnp.inf), axis=1)
    return jnp.pad(latest[:, :-1], ((0, 0), (1, 0)), constant_values=-jnp.inf)


def append_gaps(
    x: Float[Array, "b t d"],
    time: Float[Array, "b t"],
    epoch_mask: Bool[Array, "b t"],
    encoding: str,
) -> Float[Array, "b t f"]:
    """Appends the time since the previous epoch as a feature, if encoding="gaps".

        gap[t] = log(1 + time[t] - time of the previous epoch), 0 for the first

    Args:
        time: days.
        encoding: "gaps", or "none" to return x unchanged.
    Source: ours.
    Differs: the published recurrent networks use the order of epochs only.
    """
    if encoding not in ENCODINGS:
        raise InputError(f"No encoding {encoding!r}. Known: {', '.join(ENCODINGS)}.")
    if encoding == "none":
        return x
    before = previous_time(time, epoch_mask)
    is_later = epoch_mask & (before > -jnp.inf)
    gap = jnp.log1p(jnp.where(is_later, time - before, 0))
    return jnp.concatenate([x, gap[..., None].astype(x.dtype)], -1)
