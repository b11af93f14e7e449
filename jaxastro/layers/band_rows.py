"""The band of an epoch as a one-hot vector."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


def band_rows(
    band: Int[Array, "b t"], epoch_mask: Bool[Array, "b t"], num_rows: int
) -> Float[Array, "b t m"]:
    """Returns the one-hot row of each epoch in a band table; zeros for padding.

    Band i has row i + 1; row 0 is for padding. A band outside the table gives NaN, as
    zeros would hide the error.

    Source: Bairouk et al. 2023, A&A 673, A141, Sect. 3 (band embedding).
    Differs: none.
    """
    known = (band >= 0) & (band + 1 < num_rows)
    row = jax.nn.one_hot(jnp.where(known, band + 1, 0), num_rows)
    row = jnp.where(known[..., None], row, jnp.nan)
    return jnp.where(epoch_mask[..., None], row, 0)
