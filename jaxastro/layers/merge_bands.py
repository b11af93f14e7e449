"""From one band per frame to multi-band frames, a night each."""

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
    """Makes one frame of the epochs of each night, with a channel for each band.

    A night goes on as long as each epoch follows the one before within `gap` days. A
    band observed more than once is averaged; one not observed is zeros.
        image[n, y, x, band] = mean of image[t, y, x] over epochs t of night n in band

    Args:
        inputs: epochs in the order of time.
        num_bands: channels of a frame. A band beyond them makes its object NaN.
        gap: days; 0 leaves each epoch a frame of its own.
    Returns:  image, time (mean of a night's epochs) and epoch_mask, nights first, on
        as many places as the epochs had; the rest is masked, and 0.
    Source: Bairouk et al. 2023, A&A 673, A141, Sect. 4: frames of its CNN+GRU and
        CNN+LSTM, where bands that were not observed are zeros.
    Differs: how epochs were grouped is not published; the rule is ours.
    """
    if num_bands < 1:
        raise InputError(f"num_bands {num_bands}. A frame needs at least one band.")
    if gap < 0:
        raise InputError(f"gap {gap} is not a number of days. Use 0 to merge nothing.")
    image, time, band, mask = inputs
    # What padded epochs hold must not matter, so they are made to hold nothing.
    image, time = jnp.where(mask[..., None, None], image, 0), jnp.where(mask, time, 0)
    starts = mask & ~(time - previous_time(time, mask) < gap)

    night = jnp.where(mask, jnp.cumsum(starts, axis=1) - 1, -1)  # -1 is on no place
    of_night = jax.nn.one_hot(night, time.shape[1], dtype=image.dtype)
    of_band = jax.nn.one_hot(band, num_bands, dtype=image.dtype)
    unknown = mask & ((band < 0) | (band >= num_bands))
    # It would be a frame of zeros without a word.
    of_band = jnp.where(unknown[..., None], jnp.nan, of_band)
    weight = of_night[:, :, :, None] * of_band[:, :, None]  # b t n d
    weight = weight / jnp.maximum(weight.sum(1, keepdims=True), 1)
    of_night = of_night / jnp.maximum(of_night.sum(1, keepdims=True), 1)

    # Not sums by index, whose order an accelerator leaves to chance; and not in its
    # short numbers, for most pixels are copied.
    dot = partial(jnp.einsum, precision="highest")
    frames = dot("btnd,btyx->bnyxd", weight, image)
    return frames, dot("btn,bt->bn", of_night, time), of_night.any(1)
