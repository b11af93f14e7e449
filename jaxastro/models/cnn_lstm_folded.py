"""CNN-LSTM on folded light curves."""

import flax.linen as nn
import jax.numpy as jnp

from jaxastro.errors import InputError
from jaxastro.layers.dense_head import dense_head
from jaxastro.layers.pooled_convs import pooled_convs
from jaxastro.layers.recurrent import Recurrent
from jaxastro.models.requirements import Requirements, check_columns
from jaxastro.types import Image, ModelOutput, Task


class CnnLstmFolded(Requirements, nn.Module):
    """Classifies a curve by four convolutions, two LSTMs and three dense layers.

        3, 3, pool, 5, 5, pool; 90 steps; LSTM, LSTM, its last state; two hidden layers
    Of 360 phases in one band, five classes, 1,358,213 parameters.

    Source: Carraro, thesis on variable stars of ZTF, Sect. 3.2, after Bassi et al.
        2021, Front. Astron. Space Sci. 8, 718139.
    Differs: rectifiers between the convolutions and dropout are ours, for none is
        given; the catalogue's numbers may join.
    """

    num_classes: int  # 0 builds the encoder alone, for methods with heads of their own
    widths: tuple[int, ...] = (64, 128, 256, 256)  # channels of the convolutions
    states: tuple[int, ...] = (64, 128)  # units of the LSTMs, which read forward
    hidden: tuple[int, ...] = (1024, 512)  # units of the dense layers
    dropout: float = 0.0  # before each dense layer
    features: bool = False  # True: the catalogue's numbers join the dense layers

    inputs = Image

    @property
    def reads_catalogue(self) -> bool:
        return self.features

    def check(self, task: Task) -> None:
        super().check(task)
        check_columns(task, self.features)

    @nn.compact
    def __call__(self, inputs: Image, *, train: bool) -> ModelOutput:
        if inputs.image.shape[2] != 1:
            raise InputError(
                f"cnn_lstm_folded got a drawing of shape {inputs.image.shape[1:]}. It "
                "reads curves, [phases, 1, bands]. Set "
                "config.representation.name='folded'."
            )
        x = pooled_convs(inputs.image[:, :, 0], self.widths, (3, 3, 5, 5))
        every = jnp.ones(x.shape[:2], bool)
        for i, width in enumerate(self.states):
            lstm = Recurrent("lstm", width, bidirectional=False, name=f"lstm_{i}")
            x, last = lstm(x, every)
        return dense_head(
            *(last, inputs),
            num_classes=self.num_classes,
            hidden=self.hidden,
            dropout=self.dropout,
            features=self.features,
            train=train,
        )
