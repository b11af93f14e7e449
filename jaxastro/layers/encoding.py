"""When an epoch was taken, as a vector to add to its features."""

import jax.numpy as jnp
from jaxtyping import Array, Float

ENCODINGS = ("positional", "mjd", "none")


def sinusoidal(when: Float[Array, "b n"], depth: int) -> Float[Array, "b n d"]:
    """Encodes a place in the sequence, or a time, in sines and cosines.

        angle[n, d] = when[n] / 10000^(2 floor(d / 2) / depth)
        code[n, d] = sin(angle) for even d, cos(angle) for odd d

    Args:
        when: place from 0, or days.
    Source: Vaswani et al. 2017, Sect. 3.5; Bairouk et al. 2023, A&A 673, A141, for
        its use, constant over the pixels of a map.
    Differs: none.
    """
    d = jnp.arange(depth)
    angle = when[..., None] / 10000.0 ** (2 * (d // 2) / depth)
    return jnp.where(d % 2 == 0, jnp.sin(angle), jnp.cos(angle))
