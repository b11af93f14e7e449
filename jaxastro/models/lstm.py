"""LSTM: a recurrent network on the light curve of all bands."""

import flax.linen as nn
import jax.numpy as jnp

from jaxastro.layers.gaps import append_gaps
from jaxastro.layers.merge_nights import merge_nights
from jaxastro.layers.recurrent import Recurrent
from jaxastro.models.requirements import Requirements, check_columns, check_merged_bands
from jaxastro.types import LightCurve, ModelOutput, Task


class Lstm(Requirements, nn.Module):
    """Classifies a light curve by the last states of an LSTM.

    The epochs of a night become one, with a flux for each band, 0 where there is none.
    Three layers read them in both directions of time; the last states are classified.

    After, not a reproduction: of the published network only its name, its input and
    its size are known, "60K". With five bands and four classes this one has 60,420
    parameters.

    Source: Bairouk et al. 2023, A&A 673, A141, Table 4, for its score and size;
        Hochreiter & Schmidhuber 1997, Neural Computation 9, 1735.
    Differs: all sizes are ours, and so is the mask of padded epochs.
    """

    num_classes: int  # 0 builds the encoder alone, for methods with heads of their own
    hidden: int = 32  # units of a layer in each direction
    num_layers: int = 3
    bands: int = 5  # of the survey
    longest: float = 0.33  # days from a night's first epoch to its last
    errors: bool = False  # True: the network is told the errors as well
    encoding: str = "none"  # "gaps": and the days between nights
    features: bool = False  # True: and the numbers of the catalogue, at the end
    dtype: str = "float32"  # of the products; parameters and states: float32

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
        told = (nights.flux, nights.flux_error)[: 1 + self.errors]
        x = jnp.concatenate(told, -1).astype(self.dtype)
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
