"""Corrupted light curves: self-supervised prediction of nights without added noise."""

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Integer, Key

from jaxastro import losses
from jaxastro.errors import InputError
from jaxastro.layers.merge_nights import merge_nights, night_of
from jaxastro.training.self_supervised import self_supervised
from jaxastro.types import LightCurve, Method, ModelOutput


class CleanNights(NamedTuple):
    """The fluxes of all nights before noise was added to some.

    Source: ours.
    Differs: nothing to differ from.
    """

    flux: Float[Array, "b t n"]  # of each band
    mask: Bool[Array, "b t n"]  # True where noise was added


class Network(nn.Module):
    """The encoder of a model, a linear decoder of fluxes and a linear probe.

        s_t = encoder(inputs) of night t;  flux_t = W s_t
        logits = probe(sg(y)),  one layer, without a gradient for the encoder

    Source: Yuan & Lin 2021, IEEE JSTARS 14, 474, and their published code.
    Differs: the probe is ours.
    """

    encoder: nn.Module  # a model with num_classes = 0 and aux["nights"]
    num_classes: int

    @nn.compact
    def __call__(self, inputs: LightCurve, *, train: bool) -> ModelOutput:
        _, y, aux = self.encoder(inputs, train=train)
        if "nights" not in aux:
            raise InputError(
                f"Model {type(self.encoder).__name__} does not return the encoded "
                "nights that method corrupted_light_curve needs. Use a model that "
                "does, such as sits_bert."
            )
        flux = nn.Dense(self.encoder.bands, name="decoder")(aux["nights"])
        rest = {name: value for name, value in aux.items() if name != "nights"}
        logits = nn.Dense(self.num_classes, name="probe")(jax.lax.stop_gradient(y))
        return ModelOutput(logits, y, {**rest, "flux": flux})


def corrupted_light_curve(
    model,
    optimizer: optax.GradientTransformation,
    augment,
    *,
    seed: int | Integer[Array, ""],
    share: float = 0.15,
    noise: float = 0.5,
    gradient_accumulation: int = 1,
) -> Method:
    """Returns the method that predicts nights without noise from corrupted ones.

        flux' = flux + U(0, noise)  or  flux + U(-noise, 0),  of some nights
        loss = mean over objects of the mean over corrupted nights and observed bands
            of (W s_t - flux)^2

    Which nights are corrupted and the sign of their noise are random per night, the
    amount is random per night and band. The labels train the probe, with a separate
    optimizer (`separate_probe`).

    Args:
        model: has the fields `bands` and `longest`, and returns aux["nights"] without
            classifier, as SitsBert does.
        share: probability of a night to be corrupted, in (0, 1].
        noise: largest noise, in units of normalised flux.
        gradient_accumulation: number of parts in which a batch is computed.
    Raises:
        InputError: if an argument is out of range.
    Source: Yuan & Lin 2021, IEEE JSTARS 14, 474, Sect. 3; share, noise: published code.
    Differs: every object has the same weight, not every night. Bands that were not
        observed are neither corrupted nor predicted. The probe is ours.
    """
    if not 0 < share <= 1:
        raise InputError(f"share {share} of the nights is not in (0, 1].")
    if noise <= 0:
        raise InputError(f"noise {noise} changes nothing. Use more than 0.")
    network = Network(model.clone(num_classes=0), model.num_classes)

    def prepare(key: Key[Array, ""], view: LightCurve):
        noisy, clean = corrupt(
            key, view, model.bands, model.longest, share=share, noise=noise
        )
        return (noisy,), clean

    def error(
        output: ModelOutput, clean: CleanNights, step
    ) -> dict[str, Float[Array, " b"]]:
        del step
        shape = (*clean.mask.shape[:1], -1, 1, 1)  # each flux as a frame of one pixel
        predicted = output.aux["flux"].reshape(shape)
        flux, mask = clean.flux.reshape(shape), clean.mask.reshape(shape[:2])
        return {"error": losses.frame_error(predicted, flux, mask)}

    method = self_supervised(
        network,
        optimizer,
        augment,
        seed=seed,
        prepare=prepare,
        error=error,
        gradient_accumulation=gradient_accumulation,
    )
    return method._replace(inputs=(LightCurve,))


def corrupt(
    key: Key[Array, ""],
    inputs: LightCurve,
    num_bands: int,
    longest: float,
    *,
    share: float,
    noise: float,
) -> tuple[LightCurve, CleanNights]:
    """Adds noise to some nights of each light curve; returns it with the clean nights.

    All epochs of a night and band get the same noise, and so does their merged flux.

    Source: as corrupted_light_curve.
    Differs: as corrupted_light_curve.
    """
    nights = merge_nights(inputs, num_bands, longest)
    select_key, sign_key, amount_key = jax.random.split(key, 3)
    selected = jax.random.bernoulli(select_key, share, nights.mask.shape)[..., None]
    sign = jax.random.rademacher(sign_key, nights.mask.shape)[..., None]
    added = sign * jax.random.uniform(amount_key, nights.flux.shape, maxval=noise)
    added = jnp.where(selected, added, 0)
    place = night_of(inputs, longest) * num_bands + inputs.band
    flat = added.reshape(place.shape[0], -1)
    of_epoch = jnp.take_along_axis(flat, place, axis=1, mode="clip")
    flux = jnp.where(inputs.epoch_mask, inputs.flux + of_epoch, inputs.flux)
    clean = CleanNights(nights.flux, nights.is_observed & selected)
    return inputs._replace(flux=flux), clean
