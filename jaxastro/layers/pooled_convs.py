"""1-D or 2-D convolutions with max pooling after every second one."""

import flax.linen as nn
from jaxtyping import Array, Float

from jaxastro.errors import InputError


def pooled_convs(
    x: Float[Array, "b *space d"], widths: tuple[int, ...], sizes: tuple[int, ...]
) -> Float[Array, "b *smaller w"]:
    """Applies convolutions to curves [b p d] or maps [b y x d]; pooling halves them.

    The layers are named conv_0, conv_1, ... in the calling model.

    Args:
        widths: channels of each convolution.
        sizes: kernel size of each convolution, in pixels along each axis.
    Source: Carraro, thesis on variable stars of ZTF, Sect. 3.2.
    Differs: relu and zero padding are ours; the source specifies neither.
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
