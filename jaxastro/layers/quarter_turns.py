"""An image in its four orientations, and means over them."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def quarter_turns(image: Float[Array, "b y x d"]) -> Float[Array, "v y x d"]:
    """Returns each square image turned by 0, 90, 180 and 270 degrees.

    Those of an object lie beside each other, [4 b], so that they stay on its device.

    Source: Dieleman et al. 2016, arXiv 1602.02660, Sect. 3 (cyclic slice).
    Differs: none.
    """
    turned = [jnp.rot90(image, k, axes=(1, 2)) for k in range(4)]
    return jnp.stack(turned, 1).reshape(-1, *image.shape[1:])


def split_turns(x: Float[Array, "v d"]) -> Float[Array, "b 4 d"]:
    """Returns the four rows of each object, of what `quarter_turns` gave.

    Source: as above.
    Differs: none.
    """
    return x.reshape(-1, 4, x.shape[-1])


def cyclic_mean(x: Float[Array, "v d"]) -> Float[Array, "b d"]:
    """Returns the mean over the four turns of each object, which no turn can change.

        ((x_0 + x_180) + (x_90 + x_270)) / 4
    Turning the image moves the four round; summed like this not one bit differs.

    Source: as above (cyclic pool, of means).
    Differs: the order of the sum.
    """
    x = split_turns(x)
    return ((x[:, 0] + x[:, 2]) + (x[:, 1] + x[:, 3])) / 4
