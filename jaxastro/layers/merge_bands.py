"""Merges the single-band frames of each night into one multi-band frame."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxastro.errors import InputError
from jaxastro.layers.gaps import previous_time
from jaxastro.types import Series


def merge_bands(
    inputs: Series, num_bands: int, gap: float = 0.5
) -> tuple[Float[Array, "b t y x d"], Float[Array, "b t"], Bool[Array, "b t"]]:
    """Merges the epochs of each night into one frame with a channel per band.

    Consecutive epochs less than `gap` days apart belong to the same night. A band that
    was observed several times is averaged; one that was not observed is 0.
        image[n, y, x, band] = mean of image[t, y, x] over epochs t of night n in band

    Args:
        inputs: epochs in time order.
        num_bands: channels of a frame. A band outside them makes its object NaN.
        gap: days; 0 makes each epoch its own frame.
    Returns:  image, time (mean over the epochs of a night) and epoch_mask. The time
        axis keeps its length: nights come first, the rest is masked and 0.
    Raises:
        InputError: if num_bands is below 1 or gap below 0.
    Source: Bairouk et al. 2023, A&A 673, A141, Sect. 4: frames of its CNN+GRU and
        CNN+LSTM, where bands that were not observed are 0.
    Differs: the grouping of epochs is not published; the rule is ours.
    """
    if num_bands < 1:
        raise InputError(f"num_bands {num_bands}. A frame needs at least one band.")
    if gap < 0:
        raise InputError(f"gap {gap} is not a number of days. Use 0 to merge nothing.")
    band, mask = inputs.band, inputs.epoch_mask
    # The content of padded epochs must not affect the result.
    image = jnp.where(mask[..., None, None], inputs.image, 0)
    time = jnp.where(mask, inputs.time, 0)
    starts = mask & ~(time - previous_time(time, mask) < gap)

    night = jnp.where(mask, jnp.cumsum(starts, axis=1) - 1, -1)  # -1 matches no night
    of_night = jax.nn.one_hot(night, time.shape[1], dtype=image.dtype)
    of_band = jax.nn.one_hot(band, num_bands, dtype=image.dtype)
    unknown = mask & ((band < 0) | (band >= num_bands))
    # Without this, a frame of zeros would hide the error.
    of_band = jnp.where(unknown[..., None], jnp.nan, of_band)
    weight = of_night[:, :, :, None] * of_band[:, :, None]  # b t n d
    weight = weight / jnp.maximum(weight.sum(1, keepdims=True), 1)
    of_night = of_night / jnp.maximum(of_night.sum(1, keepdims=True), 1)

    # Not a scatter-add, whose order of summation is random on accelerators. Not in the
    # default precision of accelerators, as most pixels are copies.
    dot = partial(jnp.einsum, precision="highest")
    frames = dot("btnd,btyx->bnyxd", weight, image)
    return frames, dot("btn,bt->bn", of_night, time), of_night.any(1)
