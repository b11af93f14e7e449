"""From one band per epoch to all bands of a night, of light curves."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxastro.errors import InputError
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
    Differs: on the device, after views are drawn, so by the errors as normalised. Of
        "asinh" those of brighter fluxes are smaller, so of two epochs alike the one
        that noise made brighter counts; but a night seldom has a band twice.
    """
    if num_bands < 1:
        raise InputError(f"num_bands {num_bands}. A survey has at least one band.")
    if longest < 0:
        raise InputError(f"longest {longest} is not a number of days from 0 on.")
    mask = inputs.epoch_mask
    # What padded epochs hold must not matter, so they are made to hold nothing.
    flux, error, time = (
        jnp.where(mask, a, 0) for a in (inputs.flux, inputs.flux_error, inputs.time)
    )
    group = night_of(inputs, longest)
    starts = mask & (jnp.diff(group, axis=1, prepend=-1) > 0)
    unknown = mask & ((inputs.band < 0) | (inputs.band >= num_bands))
    flux = jnp.where(unknown.any(1, keepdims=True), jnp.nan, flux)
    size = time.shape[1]

    def of_one(flux, error, time, band, group, mask, starts):
        # Whatever lies beyond the last place is dropped.
        place = jnp.where(mask, group * num_bands + band, size * num_bands)
        best = _is_best(place, error, size * num_bands)
        place = jnp.where(best, place, size * num_bands)

        def spread(values):  # one at most in each place: no sum, and no order of one
            flat = jnp.zeros(size * num_bands, values.dtype)
            return flat.at[place].set(values, mode="drop").reshape(size, num_bands)

        first = jnp.where(starts, group, size)
        return Nights(
            flux=spread(flux),
            flux_error=spread(error),
            is_seen=spread(best),
            time=jnp.zeros_like(time).at[first].set(time, mode="drop"),
            mask=jnp.zeros_like(mask).at[first].set(True, mode="drop"),
        )

    return jax.vmap(of_one)(flux, error, time, inputs.band, group, mask, starts)


def night_of(inputs: LightCurve, longest: float) -> Int[Array, "b t"]:
    """Returns which group an epoch is in, from 0; a padded one in that before it.

    Source: as merge_nights.
    Differs: none.
    """
    mask = inputs.epoch_mask

    def step(start, epoch):
        now, is_observed = epoch
        is_new = is_observed & (now - start > longest)
        return jnp.where(is_new, now, start), is_new

    time = jnp.where(mask, inputs.time, 0)
    nothing = jnp.full(len(time), -jnp.inf, time.dtype)
    starts = jax.lax.scan(step, nothing, (time.T, mask.T))[1].T
    return jnp.cumsum(starts, axis=1) - 1


def _is_best(
    place: Int[Array, "t"], error: Float[Array, "t"], size: int
) -> Bool[Array, "t"]:
    """Returns whether an epoch has the smallest error of its place, and is the first.

    In memory of t and of `size` places, not of pairs of epochs.
    """
    smallest = jnp.full(size, jnp.inf, error.dtype).at[place].min(error, mode="drop")
    is_smallest = error == smallest.at[place].get(mode="fill", fill_value=-jnp.inf)
    number = jnp.arange(len(place))
    first = jnp.where(is_smallest, number, len(place))
    first = jnp.full(size, len(place)).at[place].min(first, mode="drop")
    return number == first.at[place].get(mode="fill", fill_value=-1)
