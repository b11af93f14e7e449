"""Deep-HiTS: real or bogus, by the stamps of one alert in four orientations."""

from functools import partial

import flax.linen as nn

from jaxastro.layers.alerts import STAMPS, select_stamps, single_alert
from jaxastro.layers.quarter_turns import quarter_turns, split_turns
from jaxastro.layers.stamp_cnn import StampCnn
from jaxastro.models.requirements import Requirements
from jaxastro.types import Alerts, ModelOutput


class DeepHits(Requirements, nn.Module):
    """Classifies one alert by what is seen of it in each of four orientations.

        x = [cnn(turn(stamps)) for the four turns], one after the other
        logits = dense(dense(dense(x)))
    The order of the turns is kept, so a turned stamp need not be classified alike:
    that is learned. `StampClassifier` takes their mean and cannot tell.

    Source: Cabrera-Vives et al. 2017, ApJ 836, 97, Sect. 3, and the public code.
    Differs: three stamps; the fourth, the difference in units of its noise, is in no
        alert packet of ZTF. Trained by Adam, not by plain gradient steps.
    """

    num_classes: int  # 0 builds the encoder alone, for methods with heads of their own
    widths: tuple[int, int] = (32, 64)  # of the convolutions
    hidden: int = 64  # units of the dense layers
    dropout: float = 0.5
    stamps: tuple[str, ...] = STAMPS  # those looked at

    inputs = Alerts

    @nn.compact
    def __call__(self, inputs: Alerts, *, train: bool) -> ModelOutput:
        leaky = partial(nn.leaky_relu, negative_slope=0.01)
        image = quarter_turns(single_alert(select_stamps(inputs, self.stamps)))
        x = StampCnn(self.widths, 3, leaky, name="cnn")(image)
        x = split_turns(x).reshape(len(inputs.stamp), -1)
        for i in range(2):
            x = leaky(nn.Dense(self.hidden, name=f"hidden_{i}")(x))
            x = nn.Dropout(self.dropout, deterministic=not train)(x)
        if self.num_classes == 0:
            return ModelOutput(x[:, :0], x, {})
        return ModelOutput(nn.Dense(self.num_classes, name="logits")(x), x, {})
