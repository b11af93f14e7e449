"""CNN-LSTM on folded light curves and 2D-CNN on dm-dt maps, in one model."""

import flax.linen as nn
import jax.numpy as jnp

from jaxastro.layers.dense_head import dense_head
from jaxastro.models.cnn_dmdt import CnnDmdt
from jaxastro.models.cnn_lstm_folded import CnnLstmFolded
from jaxastro.models.requirements import Requirements, check_columns
from jaxastro.types import FoldedAndMap, Image, ModelOutput, Task


class Hybrid(Requirements, nn.Module):
    """Classifies a light curve by both of its drawings.

    The last state of the one network's LSTM and the flat maps of the other's
    convolutions stand beside each other before two hidden layers and the logits.

    Source: Carraro, thesis on variable stars of ZTF, Sect. 3.2, for the two networks.
    Differs: the thesis trains them apart; joining them is ours.
    """

    num_classes: int  # 0 builds the encoder alone, for methods with heads of their own
    folded_widths: tuple[int, ...] = (64, 128, 256, 256)  # of the CNN-LSTM
    states: tuple[int, ...] = (64, 128)  # units of its LSTMs
    map_widths: tuple[int, ...] = (64, 128, 256, 256)  # of the 2D-CNN
    absolute: bool = False  # True: maps of brighter and fainter are added
    hidden: tuple[int, ...] = (1024, 512)  # units of the dense layers
    dropout: float = 0.0  # before each dense layer
    features: bool = False  # True: the catalogue's numbers join the dense layers

    inputs = FoldedAndMap

    @property
    def reads_catalogue(self) -> bool:
        return self.features

    def check(self, task: Task) -> None:
        super().check(task)
        check_columns(task, self.features)

    @nn.compact
    def __call__(self, inputs: FoldedAndMap, *, train: bool) -> ModelOutput:
        told = inputs.feature, inputs.feature_mask
        folded = CnnLstmFolded(0, self.folded_widths, self.states, (), name="folded")
        pairs = CnnDmdt(0, self.map_widths, (), self.absolute, name="map")
        parts = [
            folded(Image(inputs.folded, *told), train=train),
            pairs(Image(inputs.map, *told), train=train),
        ]
        return dense_head(
            *(jnp.concatenate([part.embedding for part in parts], -1), inputs),
            num_classes=self.num_classes,
            hidden=self.hidden,
            dropout=self.dropout,
            features=self.features,
            train=train,
        )
