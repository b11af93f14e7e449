"""The convolutions that stamp classifiers share."""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float


class StampCnn(nn.Module):
    """Five convolutions on small stamps, the pixels of the last as features.

        pad 3; conv 4x4, conv, halve; conv, conv, conv, halve; flatten
    A stamp of 21 pixels becomes 27, 24, 12, 6: 36 of the last width.

    Source: Cabrera-Vives et al. 2017, ApJ 836, 97, Sect. 3 (Deep-HiTS).
    Differs: none.
    """

    widths: tuple[int, int] = (32, 64)  # before and after the first halving
    kernel: int = 3  # pixels on a side, of all convolutions but the first
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
        return x.reshape(len(x), -1)
