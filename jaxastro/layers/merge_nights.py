"""From one band per epoch to all bands of a night, of light curves."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxastro.types import LightCurve


class Nights(NamedTuple):
    """Light curves in groups of epochs, groups first, the rest masked and 0.

    Source: as merge_nights.
    Differs: none.
    """

    flux: Float[Array, "b t n"]  # n bands; 0 where a band was not observed
    flux_error: Float[Array, "b t n"]
    is_seen: Bool[Array, "b t n"]
    time: Float[Array, "b t"]  # of a group's first epoch, days
    mask: Bool[Array, "b t"]


def merge_nights(inputs: LightCurve, num_bands: int, longest: float = 0.33) -> Nights:
    """Makes one epoch of those that lie within `longest` days of the first of them.

    Of several epochs of a band in a group, the one of the smallest error counts, and
    of equal ones the first. Bands that were not observed are 0.

    Args:
        inputs: epochs in the order of time.
        num_bands: a band beyond them makes its object NaN, not a zero without a word.
        longest: days; 0 puts epochs of the same time together, and no others.
    Source: Moller & de Boissiere 2020, MNRAS 491, 4277, and their published code.
    Differs: on the device, after views are drawn, so by the errors as normalised.
    """
    if num_bands < 1:
        raise ValueError(f"num_bands {num_bands}. A survey has at least one band.")
    if longest < 0:
        raise ValueError(f"longest {longest} is not a number of days from 0 on.")
    mask = inputs.epoch_mask
    # What padded epochs hold must not matter, so they are made to hold nothing.
    flux, error, time = (
        jnp.where(mask, a, 0) for a in (inputs.flux, inputs.flux_error, inputs.time)
    )
    starts = _starts(time, mask, longest)
    group = jnp.where(mask, jnp.cumsum(starts, axis=1) - 1, -1)  # -1 is on no place
    is_best = mask & ~_is_beaten(group, inputs.band, error)

    of_group = jax.nn.one_hot(group, time.shape[1], dtype=flux.dtype)
    of_band = jax.nn.one_hot(inputs.band, num_bands, dtype=flux.dtype)
    unknown = mask & ((inputs.band < 0) | (inputs.band >= num_bands))
    of_band = jnp.where(unknown[..., None], jnp.nan, of_band)
    # Not sums by index, whose order an accelerator leaves to chance; and not in its
    # short numbers, for most values are copied.
    dot = partial(jnp.einsum, precision="highest")
    place = jnp.where(is_best[..., None], of_group, 0)
    columns = dot("btg,btn->bgn", place, of_band)
    return Nights(
        flux=dot("btg,btn,bt->bgn", place, of_band, flux),
        flux_error=dot("btg,btn,bt->bgn", place, of_band, error),
        is_seen=columns != 0,
        time=dot("btg,bt->bg", of_group, jnp.where(starts, time, 0)),
        mask=(of_group > 0).any(1),
    )


def _starts(
    time: Float[Array, "b t"], mask: Bool[Array, "b t"], longest: float
) -> Bool[Array, "b t"]:
    """Returns where an observed epoch lies beyond the group that is open."""

    def step(start, epoch):
        now, is_observed = epoch
        is_new = is_observed & (now - start > longest)
        return jnp.where(is_new, now, start), is_new

    nothing = jnp.full(len(time), -jnp.inf, time.dtype)
    return jax.lax.scan(step, nothing, (time.T, mask.T))[1].T


def _is_beaten(group, band, error) -> Bool[Array, "b t"]:
    """Returns whether another epoch of the group and band has the smaller error."""
    number = jnp.arange(error.shape[1])
    alike = (group[:, :, None] == group[:, None]) & (band[:, :, None] == band[:, None])
    smaller = error[:, None] < error[:, :, None]
    as_small = (error[:, None] == error[:, :, None]) & (number < number[:, None])
    return (alike & (smaller | as_small)).any(-1)
