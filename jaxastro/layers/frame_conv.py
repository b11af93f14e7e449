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
        rows = _seen(x, len(kernel), stride, pad, axis=1)  # i g y x n d
        pixels = _seen(rows, len(kernel), stride, pad, axis=3)  # j i g y x n d
        return jnp.einsum("jigyxnd,ijdf->gyxnf", pixels, kernel)
    frames = jnp.moveaxis(x, 3, 0)  # objects first, as they are what devices share
    y = jax.lax.conv_general_dilated(
        frames.reshape(-1, *frames.shape[2:]),
        kernel,
        window_strides=(stride, stride),
        padding=((pad, pad), (pad, pad)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    return jnp.moveaxis(y.reshape(x.shape[3], -1, *y.shape[1:]), 0, 3)


def _seen(x: Array, size: int, stride: int, pad: int, axis: int) -> Array:
    """Stacks in front what each place of the kernel sees along one axis."""
    x = jnp.pad(x, [(pad, pad) if i == axis else (0, 0) for i in range(x.ndim)])
    count = (x.shape[axis] - size) // stride + 1
    # the last index that a window starts at, plus one: slices then have equal shapes
    reach = (count - 1) * stride + 1
    return jnp.stack(
        [jax.lax.slice_in_dim(x, i, i + reach, stride, axis) for i in range(size)]
    )
