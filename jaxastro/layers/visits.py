"""Visits: the epochs of a night side by side, on a common grid of wavelengths."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxastro.layers.merge_nights import night_of
from jaxastro.types import LightCurve, Series

# Angstrom. Neighbours differ by 18 %, so no two bands of ugrizy share both of theirs.
KNOTS = tuple(np.geomspace(3300, 10_500, 8))


class Visits(NamedTuple):
    """Which epochs belong to which visit. Visits come first, the rest is masked.

    Source: ours.
    Differs: none.
    """

    night: Int[Array, "b t"]  # of each epoch, from 0; -1 for padding
    number: Int[Array, "b t"]  # visit of each epoch, from 0; v: left out, or padding
    time: Float[Array, "b v"]  # days, of the first epoch of a visit
    mask: Bool[Array, "b v"]


def knot_weights(wavelengths: tuple[float, ...]) -> np.ndarray:
    """Returns [n k], the weight of each knot for each band: two neighbours, of sum 1.

    They interpolate linearly in the logarithm of the wavelength. A layer after them has
    weights per wavelength, not per band of one survey, so that they fit other surveys.

    Args:
        wavelengths: effective, Angstrom; beyond the knots the last one has weight 1.
    Source: ours.
    Differs: none.
    """
    knots, hats = np.log(KNOTS), np.eye(len(KNOTS))
    place = np.log(np.asarray(wavelengths, np.float64))
    return np.stack([np.interp(place, knots, hat) for hat in hats], axis=-1)


def knots_of_epochs(
    inputs: Series | LightCurve, wavelengths: tuple[float, ...]
) -> Float[Array, "b t k"]:
    """Returns the weight of each knot for each epoch, 0 for padding.

    A band without a wavelength gives NaN, as zeros would hide the error.

    Source: ours.
    Differs: none.
    """
    known = (inputs.band >= 0) & (inputs.band < len(wavelengths))
    row = jax.nn.one_hot(inputs.band, len(wavelengths))
    row = row @ jnp.asarray(knot_weights(wavelengths), jnp.float32)
    row = jnp.where(known[..., None], row, jnp.nan)
    return jnp.where(inputs.epoch_mask[..., None], row, 0)


def find_visits(inputs: Series | LightCurve, longest: float, num_visits: int) -> Visits:
    """Returns the visits of each object: epochs within `longest` days of their first.

    Of more than num_visits visits evenly spaced ones are kept, as of epochs.

    Source: Moller & de Boissiere 2020, MNRAS 491, 4277 (fluxes of a night together).
    Differs: none.
    """
    mask, size = inputs.epoch_mask, min(num_visits, inputs.time.shape[1])
    night = jnp.where(mask, night_of(inputs, longest), -1)
    total = night.max(1, keepdims=True) + 1
    # Visit n of `total` gets the place p for which n = ceil(p total / size).
    place = night * size // jnp.maximum(total, 1)
    is_kept = (place * total + size - 1) // size == night
    few = total <= size
    number = jnp.where(
        mask, jnp.where(few, night, jnp.where(is_kept, place, size)), size
    )
    of_visit = number[:, None] == jnp.arange(size)[:, None]  # b v t
    first = jnp.where(of_visit, inputs.time[:, None], jnp.inf).min(2)
    seen = of_visit.any(2)
    return Visits(night, number, jnp.where(seen, first, 0), seen)


def merge_visits(
    values: Float[Array, "b t f"], knots: Float[Array, "b t k"], visits: Visits
) -> tuple[Float[Array, "b v k f"], Float[Array, "b v k"]]:
    """Returns the values of each visit at each knot, and how far each is covered.

        total[v, k] = sum over epochs t of visit v of knots[t, k]
        values[v, k] = sum of knots[t, k] values[t] / max(1, total[v, k])
        cover = min(1, total)
    Epochs of the same band in one visit are averaged.

    Args:
        knots: weights of knots_of_epochs.
    Source: ours; the fluxes of a night side by side: Moller & de Boissiere 2020.
    Differs: on a grid of wavelengths, not of bands.
    """
    of_visit = jax.nn.one_hot(visits.number, visits.time.shape[1], dtype=values.dtype)
    weight = of_visit[..., None] * knots[:, :, None]  # b t v k
    total = weight.sum(1)
    merged = jnp.einsum("btvk,btf->bvkf", weight, values, precision="highest")
    return merged / jnp.maximum(total, 1)[..., None], jnp.minimum(total, 1)


def other_mean(
    flux: Float[Array, "b t m"],
    error: Float[Array, "b t m"],
    inputs: Series | LightCurve,
    night: Int[Array, "b t"],
    *,
    causal: bool,
) -> tuple[Float[Array, "b t m"], Float[Array, "b t m"]]:
    """Returns the mean of other visits in the same band, and its error.

    The mean is weighted by 1 / error^2. Without another visit it is the flux itself,
    with error 0, so that the change since then is 0.

    Args:
        night: of each epoch.
        causal: of earlier visits only; else of all but the epoch's own.
    Source: ours; compare difference imaging against a reference.
    Differs: the reference does not contain the visit that is compared with it.
    """
    mask, band = inputs.epoch_mask, inputs.band
    compare = jnp.less if causal else jnp.not_equal
    is_other = (
        compare(night[:, None], night[:, :, None])
        & (band[:, None] == band[:, :, None])
        & mask[:, None]
        & mask[:, :, None]
    ).astype(flux.dtype)  # b t s: epoch s is in the reference of epoch t
    weight = jnp.where(mask[..., None], error**-2.0, 0)
    total = jnp.einsum("bts,bsm->btm", is_other, weight, precision="highest")
    light = jnp.einsum("bts,bsm->btm", is_other, weight * flux, precision="highest")
    has_any = total > 0
    safe = jnp.where(has_any, total, 1)
    return jnp.where(has_any, light / safe, flux), jnp.where(has_any, safe**-0.5, 0)


def summarise_visits(
    values: Float[Array, "b v k f"],
    cover: Float[Array, "b v k"],
) -> Float[Array, "b d"]:
    """Returns mean, deviation, maximum and minimum over the visits, side by side.

    They are 0 at wavelengths that no visit covers, the deviation 0.001. So a classifier
    sees brightness, colours and the largest change at once, as in a table of features.

    Source: ours.
    Differs: none.
    """
    seen = (cover > 0)[..., None]
    any_seen = seen.any(1)
    # A visit counts as much as it covers the wavelength.
    weight = cover / jnp.maximum(cover.sum(1, keepdims=True), 1e-6)
    mean = jnp.einsum("bvk,bvkf->bkf", weight, values)
    square = jnp.einsum("bvk,bvkf->bkf", weight, (values - mean[:, None]) ** 2)
    largest, smallest = (
        jnp.where(any_seen, extreme(jnp.where(seen, values, fill), axis=1), 0)
        for extreme, fill in ((jnp.max, -jnp.inf), (jnp.min, jnp.inf))
    )
    parts = mean, jnp.sqrt(square + 1e-6), largest, smallest
    return jnp.concatenate(parts, -1).reshape(values.shape[0], -1)
