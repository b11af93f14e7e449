"""Turns a series of single-band epochs into frames for a 2-D CNN."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxastro.errors import InputError
from jaxastro.layers.band_rows import band_rows
from jaxastro.layers.merge_bands import merge_bands
from jaxastro.types import Series

FORMS = ("merged", "embedded")
DTYPES = ("float32", "bfloat16")


class Frames(nn.Module):
    """Returns frames [b t y x d], their times [b t] and their mask [b t].

    form="merged": one frame per night with a channel per band; zeros for bands that
    were not observed (`merge_bands`). form="embedded": one frame per epoch with a
    learned map of its band as second channel.

    Source: Bairouk et al. 2023, A&A 673, A141, Sect. 3 (band embedding) and 4
        (multi-band frames of its CNN+GRU and CNN+LSTM).
    Differs: none.
    """

    form: str
    bands: int  # channels of merged frames
    gap: float  # days without an epoch that separate the nights of merged frames
    band_rows: (
        int  # maps of embedded frames; row 0 is for padding, band i has row i + 1
    )
    dtype: str  # type of the frames

    @nn.compact
    def __call__(
        self, inputs: Series
    ) -> tuple[Float[Array, "b t y x d"], Float[Array, "b t"], Bool[Array, "b t"]]:
        if self.form not in FORMS:
            raise InputError(f"No frames {self.form!r}. Known: {', '.join(FORMS)}.")
        if self.dtype not in DTYPES:
            raise InputError(
                f"No dtype named {self.dtype!r}. Known: {', '.join(DTYPES)}."
            )
        form = self._embedded if self.form == "embedded" else self._merged
        frames, time, mask = form(inputs)
        if (
            self.dtype == "bfloat16"
        ):  # "float32" leaves float64 input of tests unchanged
            frames = frames.astype(jnp.bfloat16)
        return frames, time, mask

    def _merged(self, inputs: Series):
        return merge_bands(inputs, self.bands, self.gap)

    def _embedded(self, inputs: Series):
        band, mask = inputs.band, inputs.epoch_mask
        # The content of padded frames must not affect the result.
        image = jnp.where(mask[..., None, None], inputs.image, 0)
        # N(0, 1), as torch.nn.Embedding
        shape = (self.band_rows, *image.shape[2:])
        table = self.param("band_table", nn.initializers.normal(1.0), shape)
        row = band_rows(band, mask, self.band_rows)
        maps = jnp.einsum("btm,myx->btyx", row, table)
        return jnp.stack([image, maps.astype(image.dtype)], -1), inputs.time, mask
