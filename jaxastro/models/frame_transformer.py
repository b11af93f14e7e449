"""Frame transformer: attention between tokens of the frames of a series."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxastro.layers.attention_block import AttentionBlock
from jaxastro.layers.band_rows import band_rows
from jaxastro.layers.change import CHANGES, change_of
from jaxastro.layers.encoding import date_features
from jaxastro.layers.head import Head
from jaxastro.layers.pooling import max_over_time, mean_over_time
from jaxastro.models.requirements import Requirements, check_band_rows, check_change
from jaxastro.types import ModelOutput, Series, Task


class FrameTransformer(Requirements, nn.Module):
    """Classifies an image time series; inputs are flux, change, band and time.

    A CNN encodes two views of every frame: its centre, and the complete frame at lower
    resolution. Both views have the image and its change since the mean frame of the
    band (`change_of`) as channels. Fluxes of both are measured at the centre with
    Gaussian apertures, as in forced photometry, in separate columns for each band. The
    token of a frame combines these with its band and date:
        token = dense([cnn(views), fluxes, band, date_features(time)])
        x = x + attention(norm(x));  x = x + dense(gelu(dense(norm(x))))
        embedding = [max and mean over the frames of norm(x), mean fluxes per band]
    The mean fluxes are brightness and colours, independent of the number of epochs.

    Source: ours; blocks: Vaswani et al. 2017, with pre-norm (Xiong et al. 2020,
        arXiv 2002.04745).
    Differs: none.
    """

    num_classes: int  # 0: encoder without classifier, for methods with own heads
    widths: tuple[int, ...] = (16, 32, 64)  # channels; each halves the size
    width: int = 64  # channels of a token
    num_blocks: int = 2
    num_heads: int = 4
    hidden: int = 128  # units of the classifier's hidden layer
    dropout: float = 0.1  # before and after the hidden layer
    change: str = "asinh"  # scale of the images; "linear" for other normalisations
    core: int = 16  # pixels on a side of both views
    apertures: tuple[float, ...] = (1.0, 2.0, 4.0)  # standard deviations in pixels
    band_rows: int = 10  # number of bands + 1 or more; row 0 is for padding

    inputs = Series
    any_length = True

    def check(self, task: Task) -> None:
        super().check(task)
        check_band_rows(task, self.band_rows)
        check_change(task, self.change)

    @nn.compact
    def __call__(self, inputs: Series, *, train: bool) -> ModelOutput:
        mask = inputs.epoch_mask
        # The content of padded frames must not affect the result.
        image = jnp.where(mask[:, :, None, None], inputs.image, 0)
        time = jnp.where(mask, inputs.time, 0)
        row = band_rows(inputs.band, mask, self.band_rows)

        change = change_of(image, row, self.change)
        frame = jnp.stack([image, change], axis=-1)
        views = self._encode_views(frame)
        flux = jnp.einsum("btl,btm->btlm", self._measure_flux(frame), row)
        count = jnp.maximum(row.sum(1), 1)[:, None]
        mean_flux = (flux.sum(1) / count).reshape(image.shape[0], -1)
        flux = flux.reshape(*mask.shape, -1)
        parts = [views, flux, row, date_features(time).astype(image.dtype)]
        x = nn.Dense(self.width, name="token")(jnp.concatenate(parts, axis=-1))
        for i in range(self.num_blocks):
            x = AttentionBlock(self.num_heads, name=f"block_{i}")(x, mask)
        x = nn.LayerNorm(name="norm")(x)
        pooled = max_over_time(x, mask), mean_over_time(x, mask), mean_flux
        embedding = jnp.concatenate(pooled, axis=-1)
        if self.num_classes == 0:
            return ModelOutput(embedding[:, :0], embedding, {})
        head = Head(self.hidden, self.num_classes, self.dropout, name="head")
        return ModelOutput(head(embedding, train), embedding, {})

    def _encode_views(self, frame: Float[Array, "b t y x c"]) -> Float[Array, "b t f"]:
        """Encodes the two views of every frame by a small CNN."""
        b, t, *size, depth = frame.shape
        x = frame.reshape(b * t, *size, depth)
        side = min(self.core, *size)
        low, left = ((length - side) // 2 for length in size)
        core = x[:, low : low + side, left : left + side]
        resized = jax.image.resize(x, (x.shape[0], side, side, depth), "linear")
        x = jnp.concatenate([core, resized], axis=-1)
        for i, width in enumerate(self.widths):
            x = nn.relu(nn.Conv(width, (3, 3), strides=2, name=f"conv_{i}")(x))
        return x.reshape(b, t, -1)

    def _measure_flux(self, frame: Float[Array, "b t y x c"]) -> Float[Array, "b t l"]:
        """Returns the flux in each Gaussian aperture, on the scale of the images."""
        undo, again = CHANGES[self.change]
        y, x = (jnp.arange(size) - (size - 1) / 2 for size in frame.shape[2:4])
        wide = 2 * jnp.square(jnp.asarray(self.apertures))[:, None, None]
        weight = jnp.exp(-(y[:, None] ** 2 + x**2) / wide)
        # Normalised so that the noise of the flux is that of a pixel.
        weight = weight / jnp.sqrt(jnp.sum(weight**2, (1, 2), keepdims=True))
        einsum = functools.partial(jnp.einsum, precision="highest")  # for faint flux
        flux = again(einsum("btyxc,ayx->btac", undo(frame), weight))
        return flux.reshape(*flux.shape[:2], -1)
