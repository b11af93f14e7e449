"""What SuperNNova sees of a night: fluxes, errors, days, and which bands there are."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxastro.layers.gaps import append_gaps
from jaxastro.layers.merge_nights import merge_nights
from jaxastro.types import LightCurve


def night_features(
    inputs: LightCurve, num_bands: int, longest: float = 0.33
) -> tuple[Float[Array, "b t d"], Bool[Array, "b t"]]:
    """Returns a row for each night, and which rows are nights.

        row = flux of each band, error of each band,
              one of 2^bands - 1 columns: the bands that the night has,
              log(1 + days since the night before)

    Source: Moller & de Boissiere 2020, MNRAS 491, 4277, and their published code.
    Differs: a band that was not observed is 0 after normalisation, not before; days
        enter by their logarithm.
    """
    nights = merge_nights(inputs, num_bands, longest)
    number = (nights.is_seen * 2 ** jnp.arange(num_bands)).sum(-1)
    which = jax.nn.one_hot(number - 1, 2**num_bands - 1, dtype=nights.flux.dtype)
    rows = jnp.concatenate([nights.flux, nights.flux_error, which], -1)
    return append_gaps(rows, nights.time, nights.mask, "gaps"), nights.mask
