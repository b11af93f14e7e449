"""Visit transformer: attention between nights, of fluxes measured in the network."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxastro.layers.change import CHANGES
from jaxastro.layers.head import Head
from jaxastro.layers.point_flux import point_fluxes
from jaxastro.layers.visit_encoder import VisitEncoder
from jaxastro.layers.visits import Visits, knots_of_epochs
from jaxastro.models.requirements import OfVisits
from jaxastro.types import ModelOutput, Series

UNKNOWN_FWHM = 4.0  # pixels, assumed where the width of the PSF is unknown
TYPICAL_ERROR = 3.0  # of a flux on the scale of images, whose pixel noise is 1 / 3


class VisitTransformer(OfVisits, nn.Module):
    """Classifies an image time series by fluxes that it measures, and by a small CNN.

    Fluxes are those of `point_fluxes`: by the PSF, and in apertures that are matched to
    the seeing. A VisitEncoder reads them. The CNN reads what photometry cannot see: the
    mean image at each wavelength, and what the brightest visit has in addition.

    Source: ours.
    Differs: none.
    """

    num_classes: int  # 0: encoder without classifier, for methods with own heads
    wavelengths: tuple[float, ...] = ()  # Angstrom, of the bands; those of the task
    apertures: tuple[float, ...] = (3.5, 5.0)  # pixels, seeing and aperture together
    width: int = 64  # channels of a token
    num_blocks: int = 2
    num_heads: int = 4
    cnn_widths: tuple[int, ...] = (16, 32, 32)  # each halves the size; (): no CNN
    core: int = 24  # pixels on a side of the images of the CNN
    hidden: int = 128  # units of the classifier's hidden layer
    dropout: float = 0.3  # before and after the hidden layer
    change: str = "asinh"  # scale of the images; "linear" for other normalisations
    causal: bool = False  # True: no visit is compared with later ones
    longest: float = 0.33  # days from the first epoch of a visit to its last
    num_visits: int = 32  # of an object; of more, evenly spaced ones are used

    inputs = Series
    any_length = True

    @nn.compact
    def __call__(self, inputs: Series, *, train: bool) -> ModelOutput:
        mask = inputs.epoch_mask
        # The content of padded frames must not affect the result.
        image = jnp.where(mask[:, :, None, None], inputs.image, 0)
        image = CHANGES[self.change][0](image)  # linear in flux
        fwhm, noise = (
            jnp.where(mask & (value > 0), value, otherwise)
            for value, otherwise in (
                (inputs.psf_fwhm, UNKNOWN_FWHM),
                (inputs.noise, 1 / 3),
            )
        )
        inputs = inputs._replace(time=jnp.where(mask, inputs.time, 0))
        flux, error = point_fluxes(image, fwhm, noise, self.apertures)
        seeing = jnp.log(fwhm / UNKNOWN_FWHM)[..., None]
        embedding, visits = VisitEncoder(
            self.wavelengths,
            self.width,
            self.num_blocks,
            self.num_heads,
            self.causal,
            self.longest,
            self.num_visits,
            name="visits",
        )(flux, error, TYPICAL_ERROR, seeing, inputs)
        if self.cnn_widths:
            ratio = flux[..., 0] / error[..., 0]
            seen = self._encode_images(image, ratio, inputs, visits)
            embedding = jnp.concatenate([embedding, seen], -1)
        if self.num_classes == 0:
            return ModelOutput(embedding[:, :0], embedding, {})
        head = Head(self.hidden, self.num_classes, self.dropout, name="head")
        return ModelOutput(head(embedding, train), embedding, {})

    def _encode_images(
        self,
        image: Float[Array, "b t y x"],
        ratio: Float[Array, "b t"],
        inputs: Series,
        visits: Visits,
    ) -> Float[Array, "b d"]:
        """Encodes the mean image at each wavelength, and the change in one visit."""
        side = min(self.core, *image.shape[2:])
        low, left = ((length - side) // 2 for length in image.shape[2:])
        image = image[:, :, low : low + side, left : left + side]
        knots = knots_of_epochs(inputs, self.wavelengths).astype(image.dtype)
        same = visits.night[:, :, None] == visits.night[:, None]
        # The visit whose signals to noise have the largest sum.
        seen = jnp.where(inputs.epoch_mask, ratio, 0)
        light = jnp.where(same, seen[:, None], 0).sum(-1)
        brightest = jnp.argmax(jnp.where(inputs.epoch_mask, light, -jnp.inf), axis=1)
        is_brightest = jnp.take_along_axis(same, brightest[:, None, None], 1)[:, 0]

        def mean_of(which):
            weight = jnp.where(which[..., None], knots, 0)
            weight = weight / jnp.maximum(weight.sum(1, keepdims=True), 1e-6)
            return jnp.einsum("btk,btyx->byxk", weight, image, precision="highest")

        mean, bright = mean_of(inputs.epoch_mask), mean_of(is_brightest)
        has_light = jnp.where(is_brightest[..., None], knots, 0).sum(1) > 0
        change = jnp.where(has_light[:, None, None], bright - mean, 0)
        x = jnp.arcsinh(jnp.concatenate([mean, change], -1))
        for i, width in enumerate(self.cnn_widths):
            x = nn.relu(nn.Conv(width, (3, 3), strides=2, name=f"conv_{i}")(x))
        return nn.Dense(self.width, name="images")(x.reshape(x.shape[0], -1))
