"""2-D convolution of many small frames, in the form that suits the machine."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

BLOCK = 16  # frames whose patches fit a CPU core's cache; 8 to 32 measure alike


def frame_conv(
    x: Float[Array, "n y x d"],
    kernel: Float[Array, "k k d f"],
    *,
    stride: int = 1,
    pad: int = 0,
) -> Float[Array, "n y2 x2 f"]:
    """Convolves every frame with one kernel.

    An accelerator, and a large kernel, gets XLA's own convolution. On CPU a few
    frames at a time are unfolded into patches and multiplied with the kernel; patches
    are formed again on the way back. The products and their number are the same, but
    XLA's gradients of a small convolution are 2 to 4 times slower there.

    Source: ours; patches into a matrix product as in Chellapilla et al. 2006.
    Differs: nothing but the order of the sums.
    """
    if jax.default_backend() != "cpu" or len(kernel) > 5:
        return jax.lax.conv_general_dilated(
            x,
            kernel,
            window_strides=(stride, stride),
            padding=((pad, pad), (pad, pad)),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
    count = len(x)
    x = jnp.pad(x, [(0, -count % BLOCK), (0, 0), (0, 0), (0, 0)])
    blocks = x.reshape(-1, BLOCK, *x.shape[1:])
    size, flat = kernel.shape[0], kernel.reshape(-1, kernel.shape[-1])
    multiply = jax.checkpoint(lambda block: _patches(block, size, stride, pad) @ flat)
    y = jax.lax.map(multiply, blocks)
    return y.reshape(-1, *y.shape[2:])[:count]


def _patches(
    x: Float[Array, "n y x d"], size: int, stride: int, pad: int
) -> Float[Array, "n y2 x2 p"]:
    """Lays the pixels under the kernel side by side, in the kernel's own order."""
    x = jnp.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    height, width = ((n - size) // stride + 1 for n in x.shape[1:3])
    # the last index that a window starts at, plus one: slices then have equal shapes
    tall, wide = (height - 1) * stride + 1, (width - 1) * stride + 1
    shifted = [
        x[:, i : i + tall : stride, j : j + wide : stride]
        for i in range(size)
        for j in range(size)
    ]
    return jnp.concatenate(shifted, axis=-1)
