"""When an epoch was taken, as a vector to add to its features."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

ENCODINGS = ("positional", "mjd", "date", "none")
PERIODS = np.geomspace(1, 1000, 10)  # days, of date_features


def sinusoidal(when: Float[Array, "b n"], depth: int) -> Float[Array, "b n d"]:
    """Encodes a place in the sequence, or a time, in sines and cosines.

        angle[n, d] = when[n] / 10000^(2 floor(d / 2) / depth)
        code[n, d] = sin(angle) for even d, cos(angle) for odd d

    Of 8 channels the four wavelengths are 6.3, 63, 628 and 6283 places or days: nights
    are told apart within a week, weeks within two months, seasons within two years,
    and the last wavelength is longer than most surveys.

    Args:
        when: place from 0, or days.
    Source: Vaswani et al. 2017, Sect. 3.5; Bairouk et al. 2023, A&A 673, A141, for
        its use, constant over the pixels of a map.
    Differs: none.
    """
    d = jnp.arange(depth)
    angle = when[..., None] / 10000.0 ** (2 * (d // 2) / depth)
    return jnp.where(d % 2 == 0, jnp.sin(angle), jnp.cos(angle))


def date_features(time: Float[Array, "*rest"]) -> Float[Array, "*rest f"]:
    """Returns the waves of a date, of which a learned linear map makes a code.

        waves = sin(2 pi time / PERIODS), cos(2 pi time / PERIODS)

    Averaged over several dates, the waves shorter than what lies between these fade:
    the mean says when the dates were, and how far apart.

    Args:
        time: days.
    Source: Tancik et al. 2020, arXiv 2006.10739, Sect. 4: log-spaced Fourier features;
        of time, in a learned map: Kazemi et al. 2019, arXiv 1907.05321 (Time2Vec).
    Differs: fixed periods, from the hours within a night to three years.
    """
    angle = 2 * jnp.pi * time[..., None] / PERIODS
    return jnp.concatenate([jnp.sin(angle), jnp.cos(angle)], axis=-1)
