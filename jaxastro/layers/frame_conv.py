"""2-D convolution of many small frames, as one matrix product."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def frame_conv(
    x: Float[Array, "g y x n d"],
    kernel: Float[Array, "k k d f"],
    *,
    stride: int = 1,
    pad: int = 0,
) -> Float[Array, "g y2 x2 n f"]:
    """Convolves every frame with one kernel.

    An accelerator gets XLA's own convolution. On CPU the pixels under the kernel are
    laid side by side and multiplied with it: the products and their number are the
    same, but XLA's gradients of a convolution are many times slower there.

    Source: ours; patches into a matrix product as in Chellapilla et al. 2006.
    Differs: nothing but the order of the sums.
    """
    if jax.default_backend() == "cpu":
        patches = _patches(x, len(kernel), stride, pad)
        flat = kernel.reshape(-1, *kernel.shape[2:])
        return jnp.einsum("pgyxnd,pdf->gyxnf", patches, flat)
    frames = jnp.moveaxis(x, 3, 0)  # objects first, as they are what devices share
    y = jax.lax.conv_general_dilated(
        frames.reshape(-1, *frames.shape[2:]),
        kernel,
        window_strides=(stride, stride),
        padding=((pad, pad), (pad, pad)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    return jnp.moveaxis(y.reshape(x.shape[3], -1, *y.shape[1:]), 0, 3)


def _patches(
    x: Float[Array, "g y x n d"], size: int, stride: int, pad: int
) -> Float[Array, "p g y2 x2 n d"]:
    """Stacks what each pixel of the kernel sees, in the kernel's own order."""
    x = jnp.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0), (0, 0)))
    height, width = ((n - size) // stride + 1 for n in x.shape[1:3])
    # the last index that a window starts at, plus one: slices then have equal shapes
    tall, wide = (height - 1) * stride + 1, (width - 1) * stride + 1
    return jnp.stack(
        [
            x[:, i : i + tall : stride, j : j + wide : stride]
            for i in range(size)
            for j in range(size)
        ]
    )
