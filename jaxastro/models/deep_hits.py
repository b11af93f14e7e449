"""Deep-HiTS: classifies the stamps of one alert in four orientations."""

from functools import partial

import flax.linen as nn

from jaxastro.layers.alerts import STAMPS, select_stamps, single_alert
from jaxastro.layers.quarter_turns import quarter_turns, split_turns
from jaxastro.layers.stamp_cnn import StampCnn
from jaxastro.models.requirements import Requirements
from jaxastro.types import Alerts, ModelOutput


class DeepHits(Requirements, nn.Module):
    """Classifies one alert by the features of its stamps in four orientations.

        x = concatenation of cnn(rotated stamps) over the four rotations
        logits = dense(dense(dense(x)))
    The rotations are concatenated in order, so the output is not exactly invariant to
    rotation. That of `StampClassifier`, which averages over them, is.

    Source: Cabrera-Vives et al. 2017, ApJ 836, 97, Sect. 3, and the public code.
    Differs: three stamps; alert packets of ZTF do not have the fourth, the difference
        in units of its noise. Trained with Adam instead of gradient descent.
    """

    num_classes: int  # 0: encoder without classifier, for methods with own heads
    widths: tuple[int, int] = (32, 64)  # of the convolutions
    hidden: int = 64  # units of the dense layers
    dropout: float = 0.5
    stamps: tuple[str, ...] = STAMPS  # stamps to use

    inputs = Alerts

    @nn.compact
    def __call__(self, inputs: Alerts, *, train: bool) -> ModelOutput:
        leaky = partial(nn.leaky_relu, negative_slope=0.01)
        image = quarter_turns(single_alert(select_stamps(inputs, self.stamps)))
        x = StampCnn(self.widths, 3, leaky, name="cnn")(image)
        x = split_turns(x).reshape(inputs.stamp.shape[0], -1)
        for i in range(2):
            x = leaky(nn.Dense(self.hidden, name=f"hidden_{i}")(x))
            x = nn.Dropout(self.dropout, deterministic=not train)(x)
        if self.num_classes == 0:
            return ModelOutput(x[:, :0], x, {})
        return ModelOutput(nn.Dense(self.num_classes, name="logits")(x), x, {})
