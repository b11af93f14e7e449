"""Convolutional encoder that stamp models share."""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float


class StampCnn(nn.Module):
    """Encodes stamps by five convolutions; the flattened pixels are the features.

        pad 3; conv 4x4, conv, max pool; conv, conv, conv, max pool; flatten
    Sizes of a 21-pixel stamp: 27, 24, 12, 6; so 36 pixels times the last width.

    Source: Cabrera-Vives et al. 2017, ApJ 836, 97, Sect. 3 (Deep-HiTS).
    Differs: none.
    """

    widths: tuple[int, int] = (32, 64)  # channels before and after the first pooling
    kernel: int = 3  # pixels on a side; the first convolution has 4
    activation: Callable = nn.relu

    @nn.compact
    def __call__(self, image: Float[Array, "n y x d"]) -> Float[Array, "n f"]:
        x = jnp.pad(image, [(0, 0), (3, 3), (3, 3), (0, 0)])
        narrow, wide = self.widths
        kernel = (self.kernel, self.kernel)
        x = nn.Conv(narrow, (4, 4), padding="VALID", name="conv_0")(x)
        x = nn.Conv(narrow, kernel, name="conv_1")(self.activation(x))
        x = nn.max_pool(self.activation(x), (2, 2), strides=(2, 2))
        for i in range(2, 5):
            x = self.activation(nn.Conv(wide, kernel, name=f"conv_{i}")(x))
        x = nn.max_pool(x, (2, 2), strides=(2, 2))
        return x.reshape(x.shape[0], -1)
