"""Frame transformer: a token for every frame, attention between all of them."""

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
    """Classifies an image time series by what is new in each frame, and when.

    A frame is looked at twice, its centre as it is and all of it in fewer pixels; each
    time the image and its change (`change_of`). Light is what Gaussians of several
    widths gather at the centre of both, as in forced photometry, each band's in places
    of its own. With the band and the date, that makes a token:
        token = dense([cnn(views), light, band, date_features(time)])
        x = x + attention(norm(x));  x = x + dense(gelu(dense(norm(x))))
        embedding = [max and mean over the frames of norm(x), each band's mean light]
    whose last part are brightness and colours, free of how often a band was observed.

    Source: ours; blocks: Vaswani et al. 2017, with the norm first (Xiong et al. 2020,
        arXiv 2002.04745).
    Differs: none.
    """

    num_classes: int  # 0 builds the encoder alone, for methods with heads of their own
    widths: tuple[int, ...] = (16, 32, 64)  # of the convolutions; each halves a frame
    width: int = 64  # of a token
    num_blocks: int = 2
    num_heads: int = 4
    hidden: int = 128  # units of the classifier's hidden layer
    dropout: float = 0.1  # before and after it
    change: str = "asinh"  # what the images are; "linear" if they are no asinh
    core: int = 16  # pixels on a side of both views
    apertures: tuple[float, ...] = (1.0, 2.0, 4.0)  # pixels, deviations of Gaussians
    band_rows: int = 10  # most bands, and one for padding

    inputs = Series
    any_length = True

    def check(self, task: Task) -> None:
        super().check(task)
        check_band_rows(task, self.band_rows)
        check_change(task, self.change)

    @nn.compact
    def __call__(self, inputs: Series, *, train: bool) -> ModelOutput:
        mask = inputs.epoch_mask
        # What a padded frame holds must not matter, so it is made to hold nothing.
        image = jnp.where(mask[:, :, None, None], inputs.image, 0)
        time = jnp.where(mask, inputs.time, 0)
        row = band_rows(inputs.band, mask, self.band_rows)

        new = change_of(image, row, self.change)
        both = jnp.stack([image, new], axis=-1)
        seen = self._look(both)
        light = jnp.einsum("btl,btm->btlm", self._light(both), row)
        count = jnp.maximum(row.sum(1), 1)[:, None]
        mean_light = (light.sum(1) / count).reshape(len(image), -1)
        light = light.reshape(*mask.shape, -1)
        parts = [seen, light, row, date_features(time).astype(image.dtype)]
        x = nn.Dense(self.width, name="token")(jnp.concatenate(parts, axis=-1))
        for i in range(self.num_blocks):
            x = AttentionBlock(self.num_heads, name=f"block_{i}")(x, mask)
        x = nn.LayerNorm(name="norm")(x)
        pooled = max_over_time(x, mask), mean_over_time(x, mask), mean_light
        embedding = jnp.concatenate(pooled, axis=-1)
        if self.num_classes == 0:
            return ModelOutput(embedding[:, :0], embedding, {})
        head = Head(self.hidden, self.num_classes, self.dropout, name="head")
        return ModelOutput(head(embedding, train), embedding, {})

    def _look(self, frame: Float[Array, "b t y x c"]) -> Float[Array, "b t f"]:
        """Returns what a small network makes of the two views of every frame."""
        b, t, *size, depth = frame.shape
        x = frame.reshape(b * t, *size, depth)
        side = min(self.core, *size)
        low, left = ((length - side) // 2 for length in size)
        core = x[:, low : low + side, left : left + side]
        whole = jax.image.resize(x, (len(x), side, side, depth), "linear")
        x = jnp.concatenate([core, whole], axis=-1)
        for i, width in enumerate(self.widths):
            x = nn.relu(nn.Conv(width, (3, 3), strides=2, name=f"conv_{i}")(x))
        return x.reshape(b, t, -1)

    def _light(self, frame: Float[Array, "b t y x c"]) -> Float[Array, "b t l"]:
        """Returns the light at the centre in each aperture, in the images' scale."""
        undo, again = CHANGES[self.change]
        y, x = (jnp.arange(size) - (size - 1) / 2 for size in frame.shape[2:4])
        wide = 2 * jnp.square(jnp.asarray(self.apertures))[:, None, None]
        weight = jnp.exp(-(y[:, None] ** 2 + x**2) / wide)
        # White noise stays as it is.
        weight = weight / jnp.sqrt(jnp.sum(weight**2, (1, 2), keepdims=True))
        einsum = functools.partial(jnp.einsum, precision="highest")  # of small lights
        light = again(einsum("btyxc,ayx->btac", undo(frame), weight))
        return light.reshape(*light.shape[:2], -1)
