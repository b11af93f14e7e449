"""2D-CNN for dm-dt maps."""

import flax.linen as nn
import jax.numpy as jnp

from jaxastro.layers.dense_head import dense_head
from jaxastro.layers.pooled_convs import pooled_convs
from jaxastro.models.requirements import Requirements, check_columns
from jaxastro.types import Image, ModelOutput, Task


class CnnDmdt(Requirements, nn.Module):
    """Classifies a dm-dt map by four convolutions and three dense layers.

        3x3, 5x5, pool, 5x5, 5x5, pool; two hidden layers, logits
    It has 6,338,373 parameters for 11 x 24 cells, two bands and five classes.

    Source: Carraro, thesis on variable stars of ZTF, Sect. 3.2, after Bassi et al.
        2021, Front. Astron. Space Sci. 8, 718139.
    Differs: padding, relu and dropout are ours; the source specifies none. The map
        contains pairs of points of one light curve (jaxastro/representations/dmdt.py);
        that of the thesis contains differences to other stars of the same class.
    """

    num_classes: int  # 0: encoder without classifier, for methods with own heads
    widths: tuple[int, ...] = (64, 128, 256, 256)  # channels of the convolutions
    hidden: tuple[int, ...] = (1024, 512)  # units of the dense layers
    absolute: bool = False  # True: adds the halves of positive and negative dm
    dropout: float = 0.0  # before each dense layer
    features: bool = False  # True: catalogue features are input of the dense layers

    inputs = Image

    @property
    def reads_catalogue(self) -> bool:
        return self.features

    def check(self, task: Task) -> None:
        super().check(task)
        check_columns(task, self.features)

    @nn.compact
    def __call__(self, inputs: Image, *, train: bool) -> ModelOutput:
        x = inputs.image
        if self.absolute:
            half = x.shape[1] // 2
            x = x[:, half:] + jnp.flip(x[:, :half], 1)
        x = pooled_convs(x, self.widths, (3, 5, 5, 5))
        return dense_head(
            x.reshape(x.shape[0], -1),
            inputs,
            num_classes=self.num_classes,
            hidden=self.hidden,
            dropout=self.dropout,
            features=self.features,
            train=train,
        )
