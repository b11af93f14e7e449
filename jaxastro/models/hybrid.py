"""Hybrid of the CNN-LSTM for folded light curves and the 2D-CNN for dm-dt maps."""

import flax.linen as nn
import jax.numpy as jnp

from jaxastro.layers.dense_head import dense_head
from jaxastro.models.cnn_dmdt import CnnDmdt
from jaxastro.models.cnn_lstm_folded import CnnLstmFolded
from jaxastro.models.requirements import Requirements, check_columns
from jaxastro.types import FoldedAndMap, Image, ModelOutput, Task


class Hybrid(Requirements, nn.Module):
    """Classifies a light curve by its folded curve and its dm-dt map.

    The last state of the LSTM and the flattened output of the 2-D convolutions are
    concatenated; two hidden layers and the logits follow.

    Source: Carraro, thesis on variable stars of ZTF, Sect. 3.2, for the two networks.
    Differs: the thesis trains them separately; the combination is ours.
    """

    num_classes: int  # 0: encoder without classifier, for methods with own heads
    folded_widths: tuple[int, ...] = (64, 128, 256, 256)  # of the CNN-LSTM
    states: tuple[int, ...] = (64, 128)  # units of its LSTMs
    map_widths: tuple[int, ...] = (64, 128, 256, 256)  # of the 2D-CNN
    absolute: bool = False  # True: adds the halves of positive and negative dm
    hidden: tuple[int, ...] = (1024, 512)  # units of the dense layers
    dropout: float = 0.0  # before each dense layer
    features: bool = False  # True: catalogue features are input of the dense layers

    inputs = FoldedAndMap

    @property
    def reads_catalogue(self) -> bool:
        return self.features

    def check(self, task: Task) -> None:
        super().check(task)
        check_columns(task, self.features)

    @nn.compact
    def __call__(self, inputs: FoldedAndMap, *, train: bool) -> ModelOutput:
        features = inputs.feature, inputs.feature_mask
        folded = CnnLstmFolded(0, self.folded_widths, self.states, (), name="folded")
        pairs = CnnDmdt(0, self.map_widths, (), self.absolute, name="map")
        parts = [
            folded(Image(inputs.folded, *features), train=train),
            pairs(Image(inputs.map, *features), train=train),
        ]
        return dense_head(
            jnp.concatenate([part.embedding for part in parts], -1),
            inputs,
            num_classes=self.num_classes,
            hidden=self.hidden,
            dropout=self.dropout,
            features=self.features,
            train=train,
        )
