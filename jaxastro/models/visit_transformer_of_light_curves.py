"""Visit transformer on light curves, without images."""

import flax.linen as nn
import jax.numpy as jnp

from jaxastro.layers.head import Head
from jaxastro.layers.visit_encoder import VisitEncoder
from jaxastro.models.requirements import OfVisits
from jaxastro.types import LightCurve, ModelOutput


class VisitTransformerOfLightCurves(OfVisits, nn.Module):
    """Classifies light curves as VisitTransformer does, without images.

    Source: ours.
    Differs: none.
    """

    num_classes: int  # 0: encoder without classifier, for methods with own heads
    wavelengths: tuple[float, ...] = ()  # Angstrom, of the bands; those of the task
    width: int = 64  # channels of a token
    num_blocks: int = 2
    num_heads: int = 4
    hidden: int = 128  # units of the classifier's hidden layer
    dropout: float = 0.3  # before and after the hidden layer
    change: str = "asinh"  # scale of the fluxes; "linear" for other normalisations
    causal: bool = False  # True: no visit is compared with later ones
    longest: float = 0.33  # days from the first epoch of a visit to its last
    num_visits: int = 32  # of an object; of more, evenly spaced ones are used

    inputs = LightCurve
    any_length = True

    @nn.compact
    def __call__(self, inputs: LightCurve, *, train: bool) -> ModelOutput:
        mask = inputs.epoch_mask
        # The content of padded epochs must not affect the result.
        flux, time = (jnp.where(mask, a, 0) for a in (inputs.flux, inputs.time))
        error = jnp.where(mask & (inputs.flux_error > 0), inputs.flux_error, 1)
        if self.change == "asinh":  # whose errors are scaled by its slope
            flux, error = jnp.sinh(flux), error * jnp.cosh(flux)
        embedding, _ = VisitEncoder(
            self.wavelengths,
            self.width,
            self.num_blocks,
            self.num_heads,
            self.causal,
            self.longest,
            self.num_visits,
            name="visits",
        )(
            flux[..., None],
            error[..., None],
            1.0,
            jnp.zeros((*mask.shape, 0), flux.dtype),
            inputs._replace(time=time),
        )
        if self.num_classes == 0:
            return ModelOutput(embedding[:, :0], embedding, {})
        head = Head(self.hidden, self.num_classes, self.dropout, name="head")
        return ModelOutput(head(embedding, train), embedding, {})
