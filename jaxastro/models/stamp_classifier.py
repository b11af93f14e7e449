"""ALeRCE's classifier of the first alert: stamps and the numbers beside them."""

import flax.linen as nn
import jax.numpy as jnp

from jaxastro.errors import InputError
from jaxastro.layers.alerts import STAMPS, Metadata, select_stamps, single_alert
from jaxastro.layers.quarter_turns import cyclic_mean, quarter_turns
from jaxastro.layers.stamp_cnn import StampCnn
from jaxastro.models.requirements import Requirements, check_columns
from jaxastro.types import Alerts, ModelOutput, Task


class StampClassifier(Requirements, nn.Module):
    """Classifies one alert; turning its stamps by 90 degrees changes nothing.

        x = mean over four turns of relu(dense(cnn(turn(stamps))))
        logits = dense(relu(dense(relu(dense([x, metadata])))))
    With stamps of 21 pixels, 23 numbers and five classes 441,098 parameters: the
    441,075 of the published network, and 23 that stand for unknown numbers.

    Source: Carrasco-Davis et al. 2021, AJ 162, 231, Sect. 3.2; sizes: public code.
    Differs: unknown numbers (`Metadata`); batch statistics keep 0.9 of the old ones,
        not 0.99: short runs would be tested on those of the start.
    """

    num_classes: int  # 0 builds the encoder alone, for methods with heads of their own
    widths: tuple[int, int] = (32, 64)  # of the convolutions
    kernel: int = 5  # pixels on a side
    hidden: int = 64  # units of the dense layers
    dropout: float = 0.5
    stamps: tuple[str, ...] = STAMPS  # those looked at; () for numbers alone
    features: bool = True  # whether the numbers are told

    inputs = Alerts

    def check(self, task: Task) -> None:
        super().check(task)
        check_columns(task, self.features)

    @nn.compact
    def __call__(self, inputs: Alerts, *, train: bool) -> ModelOutput:
        def dense(x, name):
            x = nn.relu(nn.Dense(self.hidden, name=name)(x))
            return nn.Dropout(self.dropout, deterministic=not train)(x)

        parts = []
        if self.stamps:
            image = quarter_turns(single_alert(select_stamps(inputs, self.stamps)))
            x = StampCnn(self.widths, self.kernel, name="cnn")(image)
            parts.append(cyclic_mean(dense(x, "of_a_turn")))
        if self.features:
            told = (single_alert(x) for x in (inputs.metadata, inputs.metadata_mask))
            parts.append(Metadata(name="metadata")(*told, train))
        if not parts:
            raise InputError(
                "config.model.args.stamps is empty and features False: nothing is "
                "looked at. Set one of them."
            )
        x = dense(jnp.concatenate(parts, -1), "hidden_0")
        x = dense(x, "hidden_1")
        if self.num_classes == 0:
            return ModelOutput(x[:, :0], x, {})
        return ModelOutput(nn.Dense(self.num_classes, name="logits")(x), x, {})
