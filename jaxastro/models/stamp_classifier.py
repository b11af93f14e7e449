"""Stamp classifier of ALeRCE: stamps and metadata of the first alert."""

import flax.linen as nn
import jax.numpy as jnp

from jaxastro.errors import InputError
from jaxastro.layers.alerts import STAMPS, Metadata, select_stamps, single_alert
from jaxastro.layers.quarter_turns import cyclic_mean, quarter_turns
from jaxastro.layers.stamp_cnn import StampCnn
from jaxastro.models.requirements import Requirements, check_columns
from jaxastro.types import Alerts, ModelOutput, Task


class StampClassifier(Requirements, nn.Module):
    """Classifies one alert, invariant to rotation of its stamps by 90 degrees.

        x = mean over four rotations of relu(dense(cnn(rotated stamps)))
        logits = dense(relu(dense(relu(dense([x, metadata])))))
    It has 441,098 parameters for stamps of 21 pixels, 23 metadata columns and five
    classes: 441,075 of the published network, and 23 that replace unknown metadata.

    Source: Carrasco-Davis et al. 2021, AJ 162, 231, Sect. 3.2; sizes: public code.
    Differs: unknown metadata (`Metadata`). The momentum of the batch norm is 0.9, not
        0.99, with which short runs would be evaluated with initial statistics.
    """

    num_classes: int  # 0: encoder without classifier, for methods with own heads
    widths: tuple[int, int] = (32, 64)  # channels of the convolutions
    kernel: int = 5  # pixels on a side
    hidden: int = 64  # units of the dense layers
    dropout: float = 0.5
    stamps: tuple[str, ...] = STAMPS  # stamps to use; () for metadata only
    features: bool = True  # whether to use the metadata of the packet

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
            value = single_alert(inputs.metadata)
            known = single_alert(inputs.metadata_mask)
            parts.append(Metadata(name="metadata")(value, known, train))
        if not parts:
            raise InputError(
                "config.model.args.stamps is empty and features is False, so the "
                "model has no input. Set one of them."
            )
        x = dense(jnp.concatenate(parts, -1), "hidden_0")
        x = dense(x, "hidden_1")
        if self.num_classes == 0:
            return ModelOutput(x[:, :0], x, {})
        return ModelOutput(nn.Dense(self.num_classes, name="logits")(x), x, {})
