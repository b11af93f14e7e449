"""Encodings of the position or date of an epoch."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

ENCODINGS = ("positional", "mjd", "date", "none")
PERIODS = np.geomspace(1, 1000, 10)  # days, periods of date_features


def sinusoidal(when: Float[Array, "b n"], depth: int) -> Float[Array, "b n d"]:
    """Encodes a position in the sequence, or a time, by sines and cosines.

        angle[n, d] = when[n] / 10000^(2 floor(d / 2) / depth)
        code[n, d] = sin(angle) for even d, cos(angle) for odd d

    With 8 channels the four wavelengths are 6.3, 63, 628 and 6283 positions or days.
    They resolve nights within a week, weeks within two months and seasons within two
    years; the last is longer than most surveys.

    Args:
        when: position, counted from 0, or time in days.
        depth: channels of the code.
    Source: Vaswani et al. 2017, Sect. 3.5; constant over the pixels of a map: Bairouk
        et al. 2023, A&A 673, A141.
    Differs: none.
    """
    d = jnp.arange(depth)
    angle = when[..., None] / 10000.0 ** (2 * (d // 2) / depth)
    return jnp.where(d % 2 == 0, jnp.sin(angle), jnp.cos(angle))


def date_features(time: Float[Array, "*rest"]) -> Float[Array, "*rest f"]:
    """Returns Fourier features of a date, the input of a learned linear map.

        features = sin(2 pi time / PERIODS), cos(2 pi time / PERIODS)

    In a mean over several dates, features with periods shorter than their separation
    average out. So the mean depends on the dates and on their separation.

    Args:
        time: days.
    Source: Tancik et al. 2020, arXiv 2006.10739, Sect. 4: log-spaced Fourier features;
        of time, with a learned map: Kazemi et al. 2019, arXiv 1907.05321 (Time2Vec).
    Differs: fixed periods, from one day to 1000 days.
    """
    angle = 2 * jnp.pi * time[..., None] / PERIODS
    return jnp.concatenate([jnp.sin(angle), jnp.cos(angle)], axis=-1)
