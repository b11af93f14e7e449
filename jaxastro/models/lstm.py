"""LSTM for multi-band light curves."""

import flax.linen as nn
import jax.numpy as jnp

from jaxastro.layers.gaps import append_gaps
from jaxastro.layers.merge_nights import merge_nights
from jaxastro.layers.recurrent import Recurrent
from jaxastro.models.requirements import Requirements, check_columns, check_merged_bands
from jaxastro.types import LightCurve, ModelOutput, Task


class Lstm(Requirements, nn.Module):
    """Classifies a light curve by the last states of an LSTM.

    The epochs of a night are merged: a flux for each band, 0 if not observed. Three
    bidirectional layers read the nights, and the last states are classified.

    This is not a reproduction: of the published network only its name, its input and
    its size, "60K", are known. Ours has 60,420 parameters for five bands and four
    classes.

    Source: Bairouk et al. 2023, A&A 673, A141, Table 4, for its score and size;
        Hochreiter & Schmidhuber 1997, Neural Computation 9, 1735.
    Differs: all sizes and the masking of padded epochs are ours.
    """

    num_classes: int  # 0: encoder without classifier, for methods with own heads
    hidden: int = 32  # units of each layer in each direction
    num_layers: int = 3
    bands: int = 5  # number of bands of the survey
    longest: float = 0.33  # days from the first epoch of a night to its last
    errors: bool = False  # True: flux errors are input too
    encoding: str = "none"  # "gaps": days between nights are input too
    features: bool = False  # True: catalogue features are input of the logits layer
    dtype: str = "float32"  # of products; parameters and states are float32

    inputs = LightCurve
    any_length = True

    @property
    def reads_catalogue(self) -> bool:
        return self.features

    def check(self, task: Task) -> None:
        super().check(task)
        check_columns(task, self.features)
        check_merged_bands(task, self.bands)

    @nn.compact
    def __call__(self, inputs: LightCurve, *, train: bool) -> ModelOutput:
        del train  # there is no dropout
        nights = merge_nights(inputs, self.bands, self.longest)
        columns = [nights.flux, nights.flux_error] if self.errors else [nights.flux]
        x = jnp.concatenate(columns, -1).astype(self.dtype)
        x = append_gaps(x, nights.time, nights.mask, self.encoding)
        lstm = Recurrent("lstm", self.hidden, self.num_layers, name="lstm")
        _, embedding = lstm(x, nights.mask)
        if self.features:
            known = jnp.where(inputs.feature_mask, inputs.feature, 0)
            embedding = jnp.concatenate([embedding, known, inputs.feature_mask], -1)
        if self.num_classes == 0:
            return ModelOutput(embedding[:, :0], embedding, {})
        return ModelOutput(
            nn.Dense(self.num_classes, name="logits")(embedding), embedding, {}
        )
