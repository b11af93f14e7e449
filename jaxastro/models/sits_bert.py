"""SITS-BERT: a transformer over the nights of a light curve."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxastro.errors import InputError
from jaxastro.layers.encoding import sinusoidal
from jaxastro.layers.merge_nights import merge_nights
from jaxastro.layers.pooling import max_over_time
from jaxastro.models.requirements import Requirements, check_merged_bands
from jaxastro.types import LightCurve, ModelOutput, Task

EPSILON = 1e-6  # of the layer norms


class SitsBert(Requirements, nn.Module):
    """Classifies a light curve by attention over its nights and a maximum over time.

    The input of a night is a flux for each band, 0 if not observed, and a code of the
    day:
        x = [W flux, sinusoidal(day)]
        x = x + attention(norm(x));  x = x + W gelu(W norm(x)), num_blocks times
    It has 595,716 parameters for five bands and four classes, 0.596 million as
    published. With num_classes=0, aux has "nights" [b t d], the encoded nights.

    Source: Yuan & Lin 2021, IEEE JSTARS 14, 474; sizes: Bairouk et al. 2023, A&A 673,
        A141, Table 4, and the published code.
    Differs: day since the first epoch, not of the year; the standard layer norm; no
        dropout of the output of blocks; dropout in attention is the same for all heads
        and objects; padding is also masked in the pooling.
    """

    num_classes: int  # 0: encoder without classifier, for methods with own heads
    width: int = 128  # channels; half for fluxes, half for the day
    num_blocks: int = 3
    num_heads: int = 8
    bands: int = 5  # number of bands of the survey
    longest: float = 0.33  # days from the first epoch of a night to its last
    dropout: float = 0.1

    inputs = LightCurve
    any_length = True

    def check(self, task: Task) -> None:
        super().check(task)
        check_merged_bands(task, self.bands)

    @nn.compact
    def __call__(self, inputs: LightCurve, *, train: bool) -> ModelOutput:
        if self.width % (2 * self.num_heads):
            raise InputError(
                f"width {self.width} is not a multiple of 2 x {self.num_heads} heads. "
                "Change one of them."
            )
        nights = merge_nights(inputs, self.bands, self.longest)
        mask = nights.mask
        fluxes = nn.Dense(self.width // 2, name="flux")(nights.flux)
        x = jnp.concatenate([fluxes, sinusoidal(nights.time, self.width // 2)], -1)
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        for i in range(self.num_blocks):
            x = _Block(self.num_heads, self.dropout, name=f"block_{i}")(x, mask, train)
        embedding = max_over_time(x, mask)
        if self.num_classes == 0:
            return ModelOutput(embedding[:, :0], embedding, {"nights": x})
        logits = nn.Dense(self.num_classes, name="logits")(embedding)
        return ModelOutput(logits, embedding, {})


class _Block(nn.Module):
    num_heads: int
    dropout: float

    @nn.compact
    def __call__(
        self, x: Float[Array, "b t d"], mask: Bool[Array, "b t"], train: bool
    ) -> Float[Array, "b t d"]:
        def dropped(x):
            return nn.Dropout(self.dropout, deterministic=not train)(x)

        width = x.shape[-1]
        attend = nn.MultiHeadDotProductAttention(
            self.num_heads,
            dropout_rate=self.dropout,
            deterministic=not train,
            name="attention",
        )
        y = nn.LayerNorm(EPSILON, name="norm_0")(x)
        x = x + dropped(attend(y, mask=mask[:, None, None]))
        y = nn.Dense(4 * width, name="dense_0")(nn.LayerNorm(EPSILON, name="norm_1")(x))
        return x + dropped(nn.Dense(width, name="dense_1")(dropped(nn.gelu(y))))
