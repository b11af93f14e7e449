"""Convolutions with a pooling after every second one, over one axis or two."""

import flax.linen as nn
from jaxtyping import Array, Float

from jaxastro.errors import InputError


def pooled_convs(
    x: Float[Array, "b *space d"], widths: tuple[int, ...], sizes: tuple[int, ...]
) -> Float[Array, "b *smaller w"]:
    """Returns what is left of curves [b p d] or maps [b y x d]; pooling halves.

    Its layers are named conv_0, conv_1 and so on, in the model that calls it.

    Args:
        widths: channels of each convolution.
        sizes: of their kernels, on each axis.
    Source: Carraro, thesis on variable stars of ZTF, Sect. 3.2.
    Differs: rectifiers, and zeros beyond the edges of maps, are ours, for none are
        given.
    """
    if len(widths) != len(sizes):
        raise InputError(
            f"widths {widths}. Give one number of channels for each of the "
            f"{len(sizes)} convolutions."
        )
    axes = x.ndim - 2
    for i, (width, size) in enumerate(zip(widths, sizes, strict=True)):
        x = nn.relu(nn.Conv(width, (size,) * axes, name=f"conv_{i}")(x))
        if i % 2:
            x = nn.max_pool(x, (2,) * axes, strides=(2,) * axes)
    return x
