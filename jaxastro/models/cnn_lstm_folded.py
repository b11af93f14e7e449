"""CNN-LSTM for folded light curves."""

import flax.linen as nn
import jax.numpy as jnp

from jaxastro.errors import InputError
from jaxastro.layers.dense_head import dense_head
from jaxastro.layers.pooled_convs import pooled_convs
from jaxastro.layers.recurrent import Recurrent
from jaxastro.models.requirements import Requirements, check_columns
from jaxastro.types import Image, ModelOutput, Task


class CnnLstmFolded(Requirements, nn.Module):
    """Classifies a folded light curve by convolutions, LSTMs and dense layers.

        3, 3, pool, 5, 5, pool; 90 steps; LSTM, LSTM, last state; two hidden layers
    It has 1,358,213 parameters for 360 phases, one band and five classes.

    Source: Carraro, thesis on variable stars of ZTF, Sect. 3.2, after Bassi et al.
        2021, Front. Astron. Space Sci. 8, 718139.
    Differs: relu between the convolutions and dropout are ours; the source specifies
        neither. Catalogue features are optional input.
    """

    num_classes: int  # 0: encoder without classifier, for methods with own heads
    widths: tuple[int, ...] = (64, 128, 256, 256)  # channels of the convolutions
    states: tuple[int, ...] = (64, 128)  # units of the LSTMs, which are unidirectional
    hidden: tuple[int, ...] = (1024, 512)  # units of the dense layers
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
        if inputs.image.shape[2] != 1:
            raise InputError(
                f"cnn_lstm_folded got an image of shape {inputs.image.shape[1:]}. It "
                "expects folded light curves, [phases, 1, bands]. Set "
                "config.representation.name='folded'."
            )
        x = pooled_convs(inputs.image[:, :, 0], self.widths, (3, 3, 5, 5))
        mask = jnp.ones(x.shape[:2], bool)
        for i, width in enumerate(self.states):
            lstm = Recurrent("lstm", width, bidirectional=False, name=f"lstm_{i}")
            x, last = lstm(x, mask)
        return dense_head(
            last,
            inputs,
            num_classes=self.num_classes,
            hidden=self.hidden,
            dropout=self.dropout,
            features=self.features,
            train=train,
        )
