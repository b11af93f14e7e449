"""Small 2-D CNN that is applied to every frame of a series."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxastro.errors import InputError


class FrameCnn(nn.Module):
    """Encodes each frame as a vector: convolutions with max pooling, then a mean.

        x = max_pool(relu(conv(x))), or with batch_norm(conv(x))
        out = mean over pixels

    Source: ours, a standard CNN; see the models that use it.
    Differs: none.
    """

    widths: tuple[int, ...]  # channels of the 3x3 convolutions
    batch_norm: bool

    @nn.compact
    def __call__(
        self,
        x: Float[Array, "b t y x d"],
        epoch_mask: Bool[Array, "b t"],
        train: bool,
    ) -> Float[Array, "b t f"]:
        b, t, *size, depth = x.shape
        least = 2 ** len(self.widths)
        if min(size) < least:
            raise InputError(
                f"Frames of {size[0]}x{size[1]} pixels. {len(self.widths)} layers that "
                f"each halve them need at least {least}x{least}. Use larger frames or "
                "fewer widths."
            )
        x = x.reshape(b * t, *size, depth)
        observed = epoch_mask.reshape(-1, 1, 1, 1)
        for i, width in enumerate(self.widths):
            x = nn.Conv(width, (3, 3), dtype=x.dtype, name=f"conv_{i}")(x)
            if self.batch_norm:
                norm = nn.BatchNorm(
                    use_running_average=not train,
                    momentum=0.9,  # weight of the old statistics; 0.1 in torch
                    epsilon=1e-5,
                    dtype=x.dtype,
                    name=f"norm_{i}",
                )
                x = norm(x, mask=observed)
            x = nn.relu(_max_pool(x))  # after pooling: a quarter of the work
        return x.mean((1, 2)).reshape(b, t, -1)


def _max_pool(x: Float[Array, "n y x d"]) -> Float[Array, "n y2 x2 d"]:
    """Returns the maximum of each 2x2 block; an odd last row or column is dropped."""
    n, y, x_size, d = x.shape
    x = x[:, : y // 2 * 2, : x_size // 2 * 2]
    x = x.reshape(n, y // 2, 2, x_size // 2, 2, d)
    x = _larger(x[:, :, 0], x[:, :, 1])
    return _larger(x[:, :, :, 0], x[:, :, :, 1])


def _larger(a: Array, b: Array) -> Array:
    # Not jnp.maximum: its gradient compares inputs with the result bit by bit. It is
    # wrong if the compiler recomputes one in the backward pass with other rounding.
    return jnp.where((a >= b) | jnp.isnan(a), a, b)
