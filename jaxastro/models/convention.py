"""ConvEntion: band embedding, 3D-CNN downsizing, convolutional attention."""

import functools

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxastro.errors import InputError
from jaxastro.layers.band_rows import band_rows
from jaxastro.layers.change import CHANGES, change_of
from jaxastro.layers.conv_attention import ConvAttention
from jaxastro.layers.encoding import ENCODINGS, date_features, sinusoidal
from jaxastro.layers.head import Head
from jaxastro.layers.masked_norm import SeriesNorm
from jaxastro.layers.pooling import max_over_time, mean_over_time
from jaxastro.layers.temporal_conv import TemporalConv
from jaxastro.models.requirements import Requirements, check_band_rows, check_change
from jaxastro.types import ModelOutput, Series, Task

DTYPES = ("float32", "bfloat16")
BAND_EMBEDDINGS = ("learned", "fixed", "none")
POOLS = ("max", "mean_max")
SPANS = {"3d": 3, "2d": 1}  # frames of a chunk, which become one map

# kernel (pixels), stride, padding of the four convolutions; in 3-D each has 3 taps
DOWNSIZE = ((11, 2, 2), (5, 1, 2), (3, 1, 0), (3, 1, 0))


class ConvEntion(Requirements, nn.Module):
    """Classifies an image time series with any bands, gaps and length.

    A learned map of its band is a second channel of each frame. A 3D-CNN reduces each
    chunk of three frames to one small map. Blocks of convolutional attention relate the
    maps, and their maximum over time is classified.

    Options that change the input of the blocks:
    - downsize="2d": 2-D convolutions with the same kernels, strides and widths reduce
      each frame to one map, so there are three times as many maps;
    - change: the change since the mean frame of the band is a further channel
      (`change_of`);
    - band_token, encoding="date": a learned vector of the band, and a learned linear
      code of the date (`date_features`), are added to each map:
          map += mean over the observed frames of the chunk of
                 token[band] + sum over f of date_features(time)[f] weight[f]
      Both are initialised to zero.

    Source: Bairouk et al. 2023, A&A 673, A141, Sect. 3 and Table 2; "2d": Bairouk's
        thesis, Table 4.6.
    Differs: padded epochs are masked everywhere; `masked=False` is the published
        behaviour. A chunk is observed if any of its frames is. The band table has
        `band_rows` rows; the published one has 10, of which at most 6 are used.
        Dropout is applied in the head only, as in the published code. The layers of
        the 2D-CNN were not published: "2d" is ours. So are change, band_token,
        encoding="date" and pool="mean_max".
    """

    num_classes: int  # 0: encoder without classifier, for methods with own heads
    widths: tuple[int, ...] = (64, 128, 64, 8)  # channels of the CNN; last: D
    num_blocks: int = 2  # L
    num_heads: int = 4  # T
    hidden: int = 256  # units of the classifier's hidden layer
    dropout: float = 0.3
    downsize: str = "3d"
    score: str = "linear"
    norm: str = "joint"
    encoding: str = "positional"
    band_embedding: str = "learned"
    band_token: bool = False
    band_rows: int = 10  # row 0 is for padding, as published; band i has row i + 1
    change: str = "none"
    pool: str = "max"
    masked: bool = True
    remat: bool = False  # recompute blocks in the backward pass: less memory, more time
    dtype: str = "float32"  # of products; parameters, norms and softmax are float32

    inputs = Series

    @property
    def any_length(self) -> bool:
        return self.masked

    def check(self, task: Task) -> None:
        super().check(task)
        check_band_rows(task, self.band_rows)
        check_change(task, self.change)

    @nn.compact
    def __call__(self, inputs: Series, *, train: bool) -> ModelOutput:
        self._check(inputs.image)
        # The content of padded frames must not affect the result.
        mask = inputs.epoch_mask
        image = jnp.where(mask[:, :, None, None], inputs.image, 0)
        time = jnp.where(mask, inputs.time, 0)
        row = band_rows(inputs.band, mask, self.band_rows)
        frame = image[..., None]
        if self.change != "none":
            frame = jnp.stack([image, change_of(image, row, self.change)], axis=-1)
        if (
            self.dtype == "bfloat16"
        ):  # "float32" leaves float64 input of tests unchanged
            frame = frame.astype(jnp.bfloat16)

        span = SPANS[self.downsize]
        frame, row, time, mask = (_chunks(a, span) for a in (frame, row, time, mask))
        chunk_mask = mask.any(-1) if self.masked else jnp.ones(mask.shape[:2], bool)
        x = self._downsize(frame, row, chunk_mask, train)
        x = self._encode(x, row, time, mask)

        block = nn.remat(Block, static_argnums=(3,)) if self.remat else Block
        for i in range(self.num_blocks):
            layer = block(self.num_heads, self.score, self.norm, name=f"block_{i}")
            x = layer(x, chunk_mask, train)

        pooled = max_over_time(x, chunk_mask)
        pooled = pooled.astype(jnp.promote_types(x.dtype, jnp.float32))
        if self.pool == "mean_max":
            pooled = jnp.concatenate([mean_over_time(x, chunk_mask), pooled], axis=-1)
        embedding = pooled.reshape(pooled.shape[0], -1)
        if self.num_classes == 0:
            return ModelOutput(embedding[:, :0], embedding, {})
        head = Head(self.hidden, self.num_classes, self.dropout, name="head")
        return ModelOutput(head(embedding, train), embedding, {})

    def _check(self, image: Float[Array, "b t y x"]) -> None:
        for what, name, known in (
            ("downsize", self.downsize, SPANS),
            ("encoding", self.encoding, ENCODINGS),
            ("band embedding", self.band_embedding, BAND_EMBEDDINGS),
            ("change", self.change, ("none", *CHANGES)),
            ("pool", self.pool, POOLS),
            ("dtype", self.dtype, DTYPES),
        ):
            if name not in known:
                raise InputError(
                    f"No {what} named {name!r}. Known: {', '.join(known)}."
                )
        if len(self.widths) != len(DOWNSIZE):
            raise InputError(
                f"widths {self.widths} are {len(self.widths)} numbers. The CNN has "
                f"{len(DOWNSIZE)} layers: give the channels of each."
            )
        if min(image.shape[-2:]) < 15:
            raise InputError(
                f"Frames of {image.shape[-2]}x{image.shape[-1]} pixels. The CNN needs "
                "at least 15x15. Use larger frames or pad them."
            )

    def _downsize(
        self,
        frame: Float[Array, "b n s y x c"],
        row: Float[Array, "b n s m"],
        chunk_mask: Bool[Array, "b n"],
        train: bool,
    ) -> Float[Array, "b n y2 x2 d"]:
        """Reduces the frames of every chunk to one map."""
        b, n, span, *pixels = frame.shape
        table = self._band_table(*pixels[:2])
        norm_mask = chunk_mask.reshape(-1, 1) if self.masked else None
        # [t y x n d], with the chunks of all objects as axis n
        x = jnp.moveaxis(frame.reshape(b * n, span, *pixels), 0, 3)
        row = jnp.moveaxis(row.reshape(b * n, span, self.band_rows), 0, 1)
        for i, (width, shape) in enumerate(zip(self.widths, DOWNSIZE, strict=True)):

            def layer(self, x, table, row, i=i, width=width, shape=shape):
                conv = TemporalConv(width, *shape, taps=span, name=f"conv_{i}")
                x = conv(x, table, row) if i == 0 and table is not None else conv(x)
                norm = _batch_norm(train, f"norm_{i}", x.dtype)
                return nn.relu(norm(x, mask=norm_mask))

            x = (nn.remat(layer) if self.remat else layer)(self, x, table, row)
        x = jnp.moveaxis(x[0], 2, 0)  # one map per chunk is left
        return x.reshape(b, n, *x.shape[1:])

    def _band_table(self, y: int, x: int) -> Float[Array, "m y x"] | None:
        shape = (self.band_rows, y, x)
        if self.band_embedding == "learned":
            # N(0, 1), as torch.nn.Embedding
            return self.param("band_table", nn.initializers.normal(1.0), shape)
        if self.band_embedding == "fixed":
            return jnp.broadcast_to(
                jnp.arange(self.band_rows)[:, None, None] / 1.0, shape
            )
        return None

    def _encode(
        self,
        x: Float[Array, "b n y2 x2 d"],
        row: Float[Array, "b n s m"],
        time: Float[Array, "b n s"],
        mask: Bool[Array, "b n s"],
    ) -> Float[Array, "b n y2 x2 d"]:
        """Adds codes of the dates and bands of its frames to every map."""
        n, depth = x.shape[1], x.shape[-1]
        zeros = nn.initializers.zeros
        learned = functools.partial(nn.Dense, depth, use_bias=False, kernel_init=zeros)

        def mean(value: Float[Array, "b n s f"]) -> Float[Array, "b n f"]:
            total = jnp.where(mask[..., None], value, 0).sum(2)
            return total / jnp.maximum(mask.sum(2), 1)[..., None]

        codes = []
        if self.encoding == "positional":
            codes.append(sinusoidal(jnp.arange(n, dtype=jnp.float32)[None], depth))
        if self.encoding == "mjd":
            codes.append(sinusoidal(mean(time[..., None])[..., 0], depth))
        if self.encoding == "date":
            codes.append(learned(name="date")(mean(date_features(time))))
        if self.band_token:
            codes.append(learned(name="band_token")(mean(row)))
        for code in codes:
            x = x + code[:, :, None, None].astype(x.dtype)
        return x


class Block(nn.Module):
    """One pre-norm attention block with two residual connections.

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
        observed = epoch_mask[:, :, None, None, None]
        for i, width in enumerate((2 * x.shape[-1], x.shape[-1])):
            conv = nn.Conv(width, (3, 3), dtype=y.dtype, name=f"conv_{i}")
            y = nn.relu(conv(y))
            y = _batch_norm(train, f"batch_norm_{i}", y.dtype)(y, mask=observed)
        return x + y


def _batch_norm(train: bool, name: str, dtype: jnp.dtype) -> nn.BatchNorm:
    # Statistics are float32 for any output type. Momentum is the weight of the old
    # statistics: 0.9 in flax is 0.1 in torch.
    return nn.BatchNorm(
        use_running_average=not train,
        momentum=0.9,
        epsilon=1e-5,
        dtype=dtype,
        name=name,
    )


def _chunks(
    a: Float[Array, "b t *rest"] | Bool[Array, "b t"], span: int
) -> Float[Array, "b n s *rest"] | Bool[Array, "b n s"]:
    """Splits a series into chunks of `span` frames; the last is padded with zeros."""
    a = jnp.pad(a, [(0, 0), (0, -a.shape[1] % span)] + [(0, 0)] * (a.ndim - 2))
    return a.reshape(a.shape[0], -1, span, *a.shape[2:])
