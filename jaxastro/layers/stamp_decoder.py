"""From a code back to stamps."""

import flax.linen as nn
from jaxtyping import Array, Float


class StampDecoder(nn.Module):
    """Draws square images from a code: a dense layer, doubled twice, cut to size.

        dense; transposed conv, transposed conv, each twice as large; middle; conv

    Source: ours, `StampCnn` turned round; of the student project that is followed the
        number of doublings.
    Differs: its last layer has a rectifier, and so draws nothing fainter than the
        faintest pixel.
    """

    widths: tuple[int, int] = (32, 64)  # as the encoder's: of the last layer, the first

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
