"""2D-CNN on dm-dt maps."""

import flax.linen as nn
import jax.numpy as jnp

from jaxastro.types import Image, ModelOutput


class CnnDmdt(nn.Module):
    """Classifies a map by four convolutions and three dense layers.

        3x3, 5x5, pool, 5x5, 5x5, pool; two hidden layers, logits
    Of 11 by 24 cells in two bands, five classes, 6,338,373 parameters.

    Source: Carraro, thesis on variable stars of ZTF, Sect. 3.2, after Bassi et al.
        2021, Front. Astron. Space Sci. 8, 718139.
    Differs: padding, rectifiers and dropout are ours, for none is given; the map is of
        pairs within one light curve (jaxastro/representations/dmdt.py), where the
        thesis's is of differences to other stars of the same class.
    """

    num_classes: int  # 0 builds the encoder alone, for methods with heads of their own
    widths: tuple[int, ...] = (64, 128, 256, 256)  # channels of the convolutions
    hidden: tuple[int, ...] = (1024, 512)  # units of the dense layers
    absolute: bool = False  # True: maps of brighter and fainter are added, half as high
    dropout: float = 0.0  # before each dense layer
    features: bool = False  # True: the catalogue's numbers join the dense layers

    @nn.compact
    def __call__(self, inputs: Image, *, train: bool) -> ModelOutput:
        x = inputs.image
        if self.absolute:
            half = x.shape[1] // 2
            x = x[:, half:] + jnp.flip(x[:, :half], 1)
        sizes = (3, 5, 5, 5)
        if len(self.widths) != len(sizes):
            raise ValueError(
                f"widths {self.widths}. Give one number of channels for each of the "
                f"{len(sizes)} convolutions."
            )
        for i, (width, size) in enumerate(zip(self.widths, sizes, strict=True)):
            x = nn.relu(nn.Conv(width, (size, size), name=f"conv_{i}")(x))
            if i % 2:
                x = nn.max_pool(x, (2, 2), strides=(2, 2))
        x = x.reshape(len(x), -1)
        if self.features:
            known = jnp.where(inputs.feature_mask, inputs.feature, 0)
            x = jnp.concatenate([x, known, inputs.feature_mask], -1)
        for i, width in enumerate(self.hidden):
            x = nn.Dropout(self.dropout, deterministic=not train)(x)
            x = nn.relu(nn.Dense(width, name=f"hidden_{i}")(x))
        if self.num_classes == 0:
            return ModelOutput(x[:, :0], x, {})
        dropped = nn.Dropout(self.dropout, deterministic=not train)(x)
        return ModelOutput(nn.Dense(self.num_classes, name="logits")(dropped), x, {})
