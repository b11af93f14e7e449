"""Temporal stamp classifier: stamps and metadata of the alert sequence of an object."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxastro.errors import InputError
from jaxastro.layers.alerts import STAMPS, Metadata, select_stamps
from jaxastro.layers.attention_block import AttentionBlock
from jaxastro.layers.band_rows import band_rows
from jaxastro.layers.encoding import date_features
from jaxastro.layers.gaps import append_gaps
from jaxastro.layers.pooling import max_over_time
from jaxastro.layers.quarter_turns import cyclic_mean, quarter_turns
from jaxastro.layers.recurrent import CELLS, Recurrent
from jaxastro.layers.stamp_cnn import StampCnn
from jaxastro.models.requirements import Requirements, check_band_rows, check_columns
from jaxastro.types import Alerts, ModelOutput, Task

OVER_TIME = (*CELLS, "conv", "attention")


class TemporalStamps(Requirements, nn.Module):
    """Classifies an object by its alerts so far, one or more.

    Layers with the names of those in `StampClassifier` encode each alert, so that a run
    can start from one of that model. The code of the stamps is concatenated with band,
    metadata and days since the previous alert. Then follows, by `over_time`:
        gru, lstm    the last state
        conv         two causal convolutions over three alerts, maximum over time
        attention    two blocks with the date as input, maximum over time
    and one hidden layer and the logits.

    Source: Neira et al. 2024, arXiv 2405.15073: an encoder of each detection, then a
        recurrent network; simple ones were as good as others.
    Differs: the layers are not published, so sizes are ours. Three stamps, not two; one
        to 20 alerts, not two to five; no catalogues of other surveys.
    """

    num_classes: int  # 0: encoder without classifier, for methods with own heads
    widths: tuple[int, int] = (32, 64)  # channels of the convolutions
    kernel: int = 5  # pixels on a side
    code: int = 64  # units that encode the stamps of an alert
    over_time: str = "gru"
    hidden: int = 64  # units over time, and of the hidden layer
    dropout: float = 0.5
    stamps: tuple[str, ...] = STAMPS  # stamps to use; () for metadata only
    features: bool = True  # whether to use the metadata of the packet
    band_rows: int = 10  # number of bands + 1 or more; row 0 is for padding

    inputs = Alerts
    any_length = True
    starts_from = ("stamp_classifier",)

    def check(self, task: Task) -> None:
        super().check(task)
        check_columns(task, self.features)
        check_band_rows(task, self.band_rows)

    @nn.compact
    def __call__(self, inputs: Alerts, *, train: bool) -> ModelOutput:
        mask, shape = inputs.epoch_mask, inputs.epoch_mask.shape

        def drop(x):
            return nn.Dropout(self.dropout, deterministic=not train)(x)

        parts = [band_rows(inputs.band, mask, self.band_rows)]
        if self.stamps:
            image = select_stamps(inputs, self.stamps)
            turned = quarter_turns(image.reshape(-1, *image.shape[2:]))
            x = StampCnn(self.widths, self.kernel, name="cnn")(turned)
            x = nn.relu(nn.Dense(self.code, name="of_a_turn")(x))
            parts.append(drop(cyclic_mean(x).reshape(*shape, self.code)))
        if self.features:
            # Already scaled. Batch statistics would include padded alerts.
            metadata = Metadata(norm=False, name="numbers")
            parts.append(metadata(inputs.metadata, inputs.metadata_mask, train))
        if len(parts) == 1:
            raise InputError(
                "config.model.args.stamps is empty and features is False, so the "
                "model has no input. Set one of them."
            )
        x = append_gaps(jnp.concatenate(parts, -1), inputs.time, mask, "gaps")
        x = self._encode_sequence(jnp.where(mask[..., None], x, 0), inputs.time, mask)
        x = drop(nn.relu(nn.Dense(self.hidden, name="hidden")(drop(x))))
        if self.num_classes == 0:
            return ModelOutput(x[:, :0], x, {})
        return ModelOutput(nn.Dense(self.num_classes, name="logits")(x), x, {})

    def _encode_sequence(
        self,
        x: Float[Array, "b t d"],
        time: Float[Array, "b t"],
        mask: Bool[Array, "b t"],
    ) -> Float[Array, "b h"]:
        if self.over_time in CELLS:
            cell = Recurrent(
                self.over_time, self.hidden, bidirectional=False, name=self.over_time
            )
            return cell(x, mask)[1]
        if self.over_time == "conv":
            for i in range(2):
                x = nn.Conv(self.hidden, (3,), padding="CAUSAL", name=f"conv_{i}")(x)
                x = jnp.where(mask[..., None], nn.relu(x), 0)
            return max_over_time(x, mask)
        if self.over_time == "attention":
            date = date_features(jnp.where(mask, time, 0)).astype(x.dtype)
            x = nn.Dense(self.hidden, name="token")(jnp.concatenate([x, date], -1))
            for i in range(2):
                x = AttentionBlock(4, name=f"block_{i}")(x, mask)
            return max_over_time(nn.LayerNorm(name="norm")(x), mask)
        raise InputError(
            f"over_time {self.over_time!r}. Known: {', '.join(OVER_TIME)}."
        )
