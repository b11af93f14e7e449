"""Decoder that reconstructs stamps from a code."""

import flax.linen as nn
from jaxtyping import Array, Float


class StampDecoder(nn.Module):
    """Decodes square images: a dense layer, two transposed convolutions, a crop.

        dense; transposed conv, transposed conv, each doubling the size; crop; conv

    Source: ours, the reverse of `StampCnn`; the number of doublings is that of a
        student project.
    Differs: that project applies relu to the output, which excludes values below 0.
    """

    widths: tuple[int, int] = (32, 64)  # as of the encoder, used in reverse

    @nn.compact
    def __call__(
        self, code: Float[Array, "n d"], size: int, depth: int
    ) -> Float[Array, "n y x c"]:
        narrow, wide = self.widths
        start = -(-size // 4)
        x = nn.relu(nn.Dense(start**2 * wide, name="dense")(code))
        x = x.reshape(-1, start, start, wide)
        for i, width in enumerate((wide, narrow)):
            layer = nn.ConvTranspose(width, (3, 3), strides=(2, 2), name=f"conv_{i}")
            x = nn.relu(layer(x))
        low = (4 * start - size) // 2
        x = x[:, low : low + size, low : low + size]
        return nn.Conv(depth, (3, 3), name="out")(x)
