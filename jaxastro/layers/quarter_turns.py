"""Rotations of images by multiples of 90 degrees, and means over them."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def quarter_turns(image: Float[Array, "b y x d"]) -> Float[Array, "v y x d"]:
    """Returns each square image rotated by 0, 90, 180 and 270 degrees.

    The four images of an object are consecutive, [4 b], so they stay on its device.

    Source: Dieleman et al. 2016, arXiv 1602.02660, Sect. 3 (cyclic slice).
    Differs: none.
    """
    turned = [jnp.rot90(image, k, axes=(1, 2)) for k in range(4)]
    return jnp.stack(turned, 1).reshape(-1, *image.shape[1:])


def split_turns(x: Float[Array, "v d"]) -> Float[Array, "b 4 d"]:
    """Splits the rows of `quarter_turns` into objects and rotations.

    Source: as quarter_turns.
    Differs: none.
    """
    return x.reshape(-1, 4, x.shape[-1])


def cyclic_mean(x: Float[Array, "v d"]) -> Float[Array, "b d"]:
    """Returns the mean over the four rotations of each object, invariant to rotation.

        ((x_0 + x_180) + (x_90 + x_270)) / 4
    Rotating the image permutes the four terms; this order of summation makes the result
    equal to the bit.

    Source: as quarter_turns (cyclic pool, mean).
    Differs: the order of the sum.
    """
    x = split_turns(x)
    return ((x[:, 0] + x[:, 2]) + (x[:, 1] + x[:, 3])) / 4
