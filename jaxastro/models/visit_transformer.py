"""Visit transformer: attention between nights, of fluxes measured in the network."""

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxastro.layers.attention_block import AttentionBlock
from jaxastro.layers.change import CHANGES
from jaxastro.layers.encoding import date_features
from jaxastro.layers.gaps import append_gaps
from jaxastro.layers.head import Head
from jaxastro.layers.point_flux import point_fluxes
from jaxastro.layers.pooling import max_over_time, mean_over_time
from jaxastro.layers.visits import (
    Visits,
    find_visits,
    knots_of_epochs,
    merge_visits,
    other_mean,
    summarise_visits,
)
from jaxastro.models.requirements import Requirements, check_change
from jaxastro.types import LightCurve, ModelOutput, Series, Task

UNKNOWN_FWHM = 4.0  # pixels, assumed where the width of the PSF is unknown
TYPICAL_ERROR = 3.0  # of a flux on the scale of images, whose pixel noise is 1 / 3


class VisitEncoder(nn.Module):
    """Encodes light curves by attention between visits; all bands of one in a token.

        token = dense([values of the visit at each wavelength, cover, date, gap])
        x = AttentionBlock(x), num_blocks times
        embedding = [max and mean over the visits of norm(x), summary of the values]
    Values are brightness, signal to noise, error, and the change since the other visits
    (if `causal` the earlier ones) in units of its error. The summary is that of
    `summarise_visits`. With `causal` the state of a visit depends on earlier ones only.

    Source: ours; compare transformers of light curves: Pimentel et al. 2022, AJ 165,
        18; fluxes of a night together: Moller & de Boissiere 2020, MNRAS 491, 4277.
    Differs: fluxes of one night are one token, on a grid of wavelengths.
    """

    wavelengths: tuple[float, ...]
    width: int
    num_blocks: int
    num_heads: int
    causal: bool
    longest: float
    num_visits: int

    @nn.compact
    def __call__(
        self,
        flux: Float[Array, "b t m"],
        error: Float[Array, "b t m"],
        scale: float,
        more: Float[Array, "b t f"],
        inputs: Series | LightCurve,
    ) -> tuple[Float[Array, "b d"], Visits]:
        visits = find_visits(inputs, self.longest, self.num_visits)
        knots = knots_of_epochs(inputs, self.wavelengths).astype(flux.dtype)
        mean, mean_error = other_mean(
            flux, error, inputs, visits.night, causal=self.causal
        )
        change = (flux - mean) / jnp.hypot(error, mean_error)
        columns = flux / scale, flux / error, change
        columns = *map(jnp.arcsinh, columns), jnp.log(error / scale), more
        values = jnp.concatenate(columns, axis=-1)
        merged, cover = merge_visits(values, knots, visits)
        b, v = visits.mask.shape
        x = jnp.concatenate([merged.reshape(b, v, -1), cover], -1)
        x = jnp.concatenate([x, date_features(visits.time).astype(x.dtype)], -1)
        x = append_gaps(x, visits.time, visits.mask, "gaps")
        x = nn.Dense(self.width, name="token")(x)
        for i in range(self.num_blocks):
            block = AttentionBlock(self.num_heads, self.causal, name=f"block_{i}")
            x = block(x, visits.mask)
        x = nn.LayerNorm(name="norm")(x)
        pooled = max_over_time(x, visits.mask), mean_over_time(x, visits.mask)
        summary = summarise_visits(merged, cover)
        return jnp.concatenate([*pooled, summary], -1), visits


class VisitTransformer(Requirements, nn.Module):
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

    def check(self, task: Task) -> None:
        super().check(task)
        check_change(task, self.change)

    def for_task(self, task: Task) -> "Requirements":
        """Returns the model with the wavelengths of the survey's bands."""
        return self.clone(wavelengths=wavelengths_of(task))

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
        night = jnp.where(inputs.epoch_mask, visits.night, -1)
        same = night[:, :, None] == night[:, None]
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


class VisitTransformerOfLightCurves(Requirements, nn.Module):
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

    def check(self, task: Task) -> None:
        super().check(task)
        check_change(task, self.change)

    def for_task(self, task: Task) -> "Requirements":
        """Returns the model with the wavelengths of the survey's bands."""
        return self.clone(wavelengths=wavelengths_of(task))

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


def wavelengths_of(task: Task) -> tuple[float, ...]:
    """Returns the wavelengths of the bands, Angstrom.

    Bands of unknown wavelength are spread from 4000 to 9000 in the survey's order.
    """
    known = task.survey.wavelength
    if len(known) == len(task.survey.bands) and np.isfinite(known).all():
        return tuple(known)
    return tuple(np.linspace(4000, 9000, len(task.survey.bands)))
