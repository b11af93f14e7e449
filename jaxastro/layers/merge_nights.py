"""Merges the single-band epochs of each night of a light curve."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxastro.errors import InputError
from jaxastro.types import LightCurve, Series


class Nights(NamedTuple):
    """Light curves merged by night. Nights come first, the rest is masked and 0.

    Source: as merge_nights.
    Differs: none.
    """

    flux: Float[Array, "b t n"]  # n bands; 0 where a band was not observed
    flux_error: Float[Array, "b t n"]
    is_observed: Bool[Array, "b t n"]
    time: Float[Array, "b t"]  # days, of the first epoch of a night
    mask: Bool[Array, "b t"]


def merge_nights(inputs: LightCurve, num_bands: int, longest: float = 0.33) -> Nights:
    """Merges epochs within `longest` days of the first of them into one night.

    If a night has several epochs of a band, the one with the smallest error is used,
    the first of equal ones. Bands that were not observed are 0.

    Args:
        inputs: epochs in time order.
        num_bands: bands of the survey. A band outside them makes its object NaN.
        longest: days; with 0 only epochs of the same time are merged.
    Raises:
        InputError: if num_bands is below 1 or longest below 0.
    Source: Moller & de Boissiere 2020, MNRAS 491, 4277, and their published code.
    Differs: computed on the device after augmentation, and so by normalised errors.
        With "asinh" these are smaller for brighter fluxes, so of two equal epochs the
        one with positive noise is used. A night rarely has a band twice.
    """
    if num_bands < 1:
        raise InputError(f"num_bands {num_bands}. A survey has at least one band.")
    if longest < 0:
        raise InputError(f"longest {longest} is not a number of days from 0 on.")
    mask = inputs.epoch_mask
    # The content of padded epochs must not affect the result.
    flux, error, time = (
        jnp.where(mask, a, 0) for a in (inputs.flux, inputs.flux_error, inputs.time)
    )
    group = night_of(inputs, longest)
    starts = mask & (jnp.diff(group, axis=1, prepend=-1) > 0)
    unknown = mask & ((inputs.band < 0) | (inputs.band >= num_bands))
    flux = jnp.where(unknown.any(1, keepdims=True), jnp.nan, flux)
    size = time.shape[1]

    def merge_one(flux, error, time, band, group, mask, starts):
        # Values at an index beyond the last place are dropped.
        place = jnp.where(mask, group * num_bands + band, size * num_bands)
        best = _is_best(place, error, size * num_bands)
        place = jnp.where(best, place, size * num_bands)

        def scatter(values):  # at most one value per place, so order does not matter
            flat = jnp.zeros(size * num_bands, values.dtype)
            return flat.at[place].set(values, mode="drop").reshape(size, num_bands)

        first = jnp.where(starts, group, size)
        return Nights(
            flux=scatter(flux),
            flux_error=scatter(error),
            is_observed=scatter(best),
            time=jnp.zeros_like(time).at[first].set(time, mode="drop"),
            mask=jnp.zeros_like(mask).at[first].set(True, mode="drop"),
        )

    return jax.vmap(merge_one)(flux, error, time, inputs.band, group, mask, starts)


def night_of(inputs: LightCurve | Series, longest: float) -> Int[Array, "b t"]:
    """Returns the night of each epoch, from 0; that of the previous one for padding.

    Source: as merge_nights.
    Differs: none.
    """
    mask = inputs.epoch_mask

    def step(start, epoch):
        now, is_observed = epoch
        is_new = is_observed & (now - start > longest)
        return jnp.where(is_new, now, start), is_new

    time = jnp.where(mask, inputs.time, 0)
    before = jnp.full(time.shape[0], -jnp.inf, time.dtype)
    starts = jax.lax.scan(step, before, (time.T, mask.T))[1].T
    return jnp.cumsum(starts, axis=1) - 1


def _is_best(
    place: Int[Array, "t"], error: Float[Array, "t"], size: int
) -> Bool[Array, "t"]:
    """Returns whether an epoch is the first with the smallest error of its place.

    It needs memory for t epochs and `size` places, not for pairs of epochs.
    """
    smallest = jnp.full(size, jnp.inf, error.dtype).at[place].min(error, mode="drop")
    is_smallest = error == smallest.at[place].get(mode="fill", fill_value=-jnp.inf)
    number = jnp.arange(place.shape[0])
    first = jnp.where(is_smallest, number, place.shape[0])
    first = jnp.full(size, place.shape[0]).at[place].min(first, mode="drop")
    return number == first.at[place].get(mode="fill", fill_value=-1)
