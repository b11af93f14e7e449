"""ConvEntion: band embedding, 3D-CNN downsizing, convolutional attention."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxastro.layers.conv_attention import ConvAttention
from jaxastro.layers.encoding import ENCODINGS, sinusoidal
from jaxastro.layers.masked_norm import SeriesNorm
from jaxastro.layers.temporal_conv import TemporalConv
from jaxastro.types import ModelOutput, Series

DTYPES = ("float32", "bfloat16")
BAND_EMBEDDINGS = ("learned", "fixed", "none")

# kernel (pixels), stride, padding of the four 3-D convolutions, each of 3 frames
DOWNSIZE = ((11, 2, 2), (5, 1, 2), (3, 1, 0), (3, 1, 0))


class ConvEntion(nn.Module):
    """Classifies an image time series of any bands, gaps and length.

    Each frame gets a map of its band as a second channel. Chunks of three frames
    shrink to one small map through the same 3D-CNN; blocks of convolutional
    attention relate the chunks; the maximum over time is classified.

    Source: Bairouk et al. 2023, A&A 673, A141, Sect. 3 and Table 2.
    Differs: padded epochs are masked everywhere unless `masked=False`, which is the
        published behaviour; a chunk is observed if any of its frames is. The band
        table has `band_rows` rows where 10 are published for at most 6 in use.
        No dropout but the head's: the published code stores others, applies none.
    """

    num_classes: int  # 0 builds the encoder alone, for methods with heads of their own
    widths: tuple[int, ...] = (64, 128, 64, 8)  # channels of the 3D-CNN; last: D
    num_blocks: int = 2  # L
    num_heads: int = 4  # T
    hidden: int = 256  # units of the classifier's hidden layer
    dropout: float = 0.3
    score: str = "linear"
    norm: str = "joint"
    encoding: str = "positional"
    band_embedding: str = "learned"
    band_rows: int = 10  # row 0 is padding, as published; bands count from 1
    masked: bool = True
    remat: bool = False  # recompute blocks on the way back: less memory, more time
    dtype: str = "float32"  # of the arithmetic; parameters, norms, softmax: float32

    @property
    def any_length(self) -> bool:
        """Whether padding cannot matter, so that series may come with less of it."""
        return self.masked

    @nn.compact
    def __call__(self, inputs: Series, *, train: bool) -> ModelOutput:
        image, mask = inputs.image, inputs.epoch_mask
        size = image.shape[-1]
        if len(self.widths) != len(DOWNSIZE):
            raise ValueError(
                f"widths {self.widths} are {len(self.widths)} numbers. The 3D-CNN has "
                f"{len(DOWNSIZE)} layers: give the channels of each."
            )
        if min(image.shape[-2:]) < 15:
            raise ValueError(
                f"Frames of {image.shape[-2]}x{size} pixels. The 3D-CNN needs at least "
                "15x15. Cut larger frames or pad them."
            )
        if self.dtype not in DTYPES:
            raise ValueError(
                f"No dtype named {self.dtype!r}. Known: {', '.join(DTYPES)}."
            )
        # What a padded frame holds must not matter, so it is made to hold nothing.
        image = jnp.where(mask[:, :, None, None], image, 0)
        if self.dtype == "bfloat16":  # float32 leaves alone what tests give in float64
            image = image.astype(jnp.bfloat16)
        x, chunk_mask = self._downsize(inputs._replace(image=image), train)
        if not self.masked:
            chunk_mask = jnp.ones_like(chunk_mask)
        x = self._encode(x, inputs)

        block = nn.remat(Block, static_argnums=(3,)) if self.remat else Block
        for i in range(self.num_blocks):
            arguments = (self.num_heads, self.score, self.norm)
            x = block(*arguments, name=f"block_{i}")(x, chunk_mask, train)

        seen = chunk_mask[:, :, None, None, None]
        x = jnp.where(seen, x, jnp.finfo(x.dtype).min)
        # Not max: its gradient goes where x equals the maximum, bit by bit, and goes
        # astray where the compiler forms x anew, rounded otherwise, on the way back.
        best = jnp.argmax(x, axis=1, keepdims=True)
        pooled = jnp.take_along_axis(x, best, axis=1)[:, 0]
        pooled = jnp.where(chunk_mask.any(1)[:, None, None, None], pooled, 0)
        embedding = pooled.reshape(len(pooled), -1)
        embedding = embedding.astype(jnp.promote_types(x.dtype, jnp.float32))
        if self.num_classes == 0:
            return ModelOutput(embedding[:, :0], embedding, {})
        head = Head(self.hidden, self.num_classes, self.dropout, name="head")
        return ModelOutput(head(embedding, train), embedding, {})

    def _downsize(
        self, inputs: Series, train: bool
    ) -> tuple[Float[Array, "b n y2 x2 d"], Bool[Array, "b n"]]:
        """Turns every three frames into one map; says which maps saw anything."""
        image, band, mask = (_pad_to_chunks(a) for a in (inputs.image, *inputs[2:]))
        b, t, y, x = image.shape
        table = self._band_table(y, x)
        # A band beyond the table would be a map of zeros without a word: make it NaN.
        known = (band >= 0) & (band + 1 < self.band_rows)
        row = jax.nn.one_hot(jnp.where(known, band + 1, 0), self.band_rows)
        row = jnp.where(known[..., None], row, jnp.nan)
        row = jnp.where(mask[..., None], row, 0)
        chunk_mask = mask.reshape(b, t // 3, 3).any(-1)
        norm_mask = chunk_mask.reshape(-1, 1) if self.masked else None

        # t y x n d: the three frames of every chunk n, pixels before chunks
        x = jnp.moveaxis(image.reshape(b * t // 3, 3, y, x), 0, 3)[..., None]
        row = jnp.moveaxis(row.reshape(b * t // 3, 3, self.band_rows), 0, 1)
        for i, (width, shape) in enumerate(zip(self.widths, DOWNSIZE, strict=True)):

            def layer(self, x, table, row, i=i, width=width, shape=shape):
                conv = TemporalConv(width, *shape, name=f"conv_{i}")
                x = conv(x, table, row) if i == 0 and table is not None else conv(x)
                norm = _batch_norm(train, f"norm_{i}", x.dtype)
                return nn.relu(norm(x, mask=norm_mask))

            x = (nn.remat(layer) if self.remat else layer)(self, x, table, row)
        x = jnp.moveaxis(x[0], 2, 0)  # one frame a chunk is left
        return x.reshape(b, t // 3, *x.shape[1:]), chunk_mask

    def _band_table(self, y: int, x: int) -> Float[Array, "m y x"] | None:
        shape = (self.band_rows, y, x)
        if self.band_embedding == "learned":
            # torch's Embedding starts as N(0, 1)
            return self.param("band_table", nn.initializers.normal(1.0), shape)
        if self.band_embedding == "fixed":
            return jnp.broadcast_to(
                jnp.arange(self.band_rows)[:, None, None] / 1.0, shape
            )
        if self.band_embedding == "none":
            return None
        raise ValueError(
            f"No band embedding named {self.band_embedding!r}. Known: "
            f"{', '.join(BAND_EMBEDDINGS)}."
        )

    def _encode(
        self, x: Float[Array, "b n y2 x2 d"], inputs: Series
    ) -> Float[Array, "b n y2 x2 d"]:
        b, n, *_, depth = x.shape
        if self.encoding == "positional":
            when = jnp.broadcast_to(jnp.arange(n, dtype=jnp.float32), (b, n))
        elif self.encoding == "mjd":  # the mean time of a chunk's observed frames
            time, mask = (_pad_to_chunks(a) for a in (inputs.time, inputs.epoch_mask))
            time = jnp.where(mask, time, 0).reshape(b, n, 3).sum(-1)
            when = time / jnp.maximum(mask.reshape(b, n, 3).sum(-1), 1)
        elif self.encoding == "none":
            return x
        else:
            raise ValueError(
                f"No encoding named {self.encoding!r}. Known: {', '.join(ENCODINGS)}."
            )
        return x + sinusoidal(when, depth)[:, :, None, None].astype(x.dtype)


class Block(nn.Module):
    """One attention block: norm first, a shortcut around each half.

        x = x + attention(norm(x));  x = x + feed_forward(norm(x))
        feed_forward = conv, relu, batch norm, twice

    Source: Bairouk et al. 2023, A&A 673, A141; order of the layers: published code.
    Differs: masked batch statistics.
    """

    num_heads: int
    score: str
    norm: str

    @nn.compact
    def __call__(
        self, x: Float[Array, "b t y x d"], epoch_mask: Bool[Array, "b t"], train: bool
    ) -> Float[Array, "b t y x d"]:
        attend = ConvAttention(self.num_heads, self.score, name="attention")
        x = x + attend(SeriesNorm(self.norm, name="norm_0")(x, epoch_mask), epoch_mask)
        y = SeriesNorm(self.norm, name="norm_1")(x, epoch_mask)
        seen = epoch_mask[:, :, None, None, None]
        for i, width in enumerate((2 * x.shape[-1], x.shape[-1])):
            conv = nn.Conv(width, (3, 3), dtype=y.dtype, name=f"conv_{i}")
            y = nn.relu(conv(y))
            y = _batch_norm(train, f"batch_norm_{i}", y.dtype)(y, mask=seen)
        return x + y


class Head(nn.Module):
    """The classifier on the pooled maps: dropout, hidden layer, dropout, logits.

    Source: Bairouk et al. 2023, A&A 673, A141; sizes: published code.
    Differs: none.
    """

    hidden: int
    num_classes: int
    dropout: float

    @nn.compact
    def __call__(self, x: Float[Array, "b d"], train: bool) -> Float[Array, "b c"]:
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        x = nn.relu(nn.Dense(self.hidden, name="hidden")(x))
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        return nn.Dense(self.num_classes, name="logits")(x)


def _batch_norm(train: bool, name: str, dtype: jnp.dtype) -> nn.BatchNorm:
    # Statistics are float32 whatever the type of what comes out.
    # momentum is the weight of the old statistics: torch's 0.1 is flax's 0.9
    return nn.BatchNorm(
        use_running_average=not train,
        momentum=0.9,
        epsilon=1e-5,
        dtype=dtype,
        name=name,
    )


def _pad_to_chunks(
    a: Float[Array, "b t *rest"] | Int[Array, "b t"] | Bool[Array, "b t"],
) -> Float[Array, "b t2 *rest"] | Int[Array, "b t2"] | Bool[Array, "b t2"]:
    extra = -a.shape[1] % 3
    return jnp.pad(a, [(0, 0), (0, extra)] + [(0, 0)] * (a.ndim - 2))
