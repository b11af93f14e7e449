"""Stamp encoder for auto-encoders."""

import flax.linen as nn

from jaxastro.layers.alerts import STAMPS, select_stamps, single_alert
from jaxastro.layers.stamp_cnn import StampCnn
from jaxastro.models.requirements import Requirements
from jaxastro.types import Alerts, ModelOutput


class StampEncoder(Requirements, nn.Module):
    """Classifies one alert by its stamps in one orientation, for reconstruction.

        logits = dense(relu(dense(cnn(stamps))))

    Source: Cabrera-Vives et al. 2017, ApJ 836, 97, for the convolutions.
    Differs: one orientation; the size of the dense layer is ours.
    """

    num_classes: int  # 0: encoder without classifier, for methods with own heads
    widths: tuple[int, int] = (32, 64)  # channels of the convolutions
    kernel: int = 3  # pixels on a side
    hidden: int = 128  # units of the dense layer
    stamps: tuple[str, ...] = STAMPS  # stamps to use

    inputs = Alerts

    @nn.compact
    def __call__(self, inputs: Alerts, *, train: bool) -> ModelOutput:
        del train  # there is no dropout
        image = single_alert(select_stamps(inputs, self.stamps))
        x = StampCnn(self.widths, self.kernel, name="cnn")(image)
        x = nn.relu(nn.Dense(self.hidden, name="hidden")(x))
        if self.num_classes == 0:
            return ModelOutput(x[:, :0], x, {})
        return ModelOutput(nn.Dense(self.num_classes, name="logits")(x), x, {})
