"""Input features of SuperNNova: fluxes, errors, bands and time gap of each night."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxastro.layers.gaps import append_gaps
from jaxastro.layers.merge_nights import merge_nights
from jaxastro.types import LightCurve


def night_features(
    inputs: LightCurve, num_bands: int, longest: float = 0.33
) -> tuple[Float[Array, "b t d"], Bool[Array, "b t"]]:
    """Returns a feature vector for each night, and the mask of nights.

        features = flux of each band, error of each band,
                   one-hot code of the set of observed bands (2^bands - 1 columns),
                   log(1 + days since the previous night)

    Args:
        num_bands: bands of the survey.
        longest: days from the first epoch of a night to its last.
    Source: Moller & de Boissiere 2020, MNRAS 491, 4277, and their published code.
    Differs: a band that was not observed is 0 after normalisation, not before; the
        days enter as a logarithm.
    """
    nights = merge_nights(inputs, num_bands, longest)
    number = (nights.is_observed * 2 ** jnp.arange(num_bands)).sum(-1)
    which = jax.nn.one_hot(number - 1, 2**num_bands - 1, dtype=nights.flux.dtype)
    rows = jnp.concatenate([nights.flux, nights.flux_error, which], -1)
    return append_gaps(rows, nights.time, nights.mask, "gaps"), nights.mask
