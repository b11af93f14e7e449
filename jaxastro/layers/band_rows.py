"""Which band an epoch is of, as numbers to multiply with."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


def band_rows(
    band: Int[Array, "b t"], epoch_mask: Bool[Array, "b t"], num_rows: int
) -> Float[Array, "b t m"]:
    """Returns 1 for an observed epoch's row of a band table, else 0.

    Bands count from row 1; row 0 is padding's. A band beyond the table would be a row
    of zeros without a word: it is NaN.

    Source: Bairouk et al. 2023, A&A 673, A141, Sect. 3 (band embedding).
    Differs: none.
    """
    known = (band >= 0) & (band + 1 < num_rows)
    row = jax.nn.one_hot(jnp.where(known, band + 1, 0), num_rows)
    row = jnp.where(known[..., None], row, jnp.nan)
    return jnp.where(epoch_mask[..., None], row, 0)
