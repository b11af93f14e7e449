"""Contaminated nights: what was added to some is told from the rest, without labels."""

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
from jaxastro.types import LightCurve, Method, ModelOutput, TrainState


class Clean(NamedTuple):
    """What the contaminated nights of each light curve were before.

    Source: ours.
    Differs: nothing to differ from.
    """

    flux: Float[Array, "b t n"]  # of each band
    mask: Bool[Array, "b t n"]  # True where noise was added


class Network(nn.Module):
    """A model's encoder, one layer that tells a night's fluxes, and a probe.

        s_t = encoder(inputs) of night t;  flux_t = W s_t
        logits = probe(sg(y)),  one layer, whose gradient ends before the encoder

    Source: Yuan & Lin 2021, IEEE JSTARS 14, 474, and their published code.
    Differs: the probe is ours.
    """

    encoder: nn.Module  # a model with num_classes = 0, that tells states of nights
    num_classes: int

    @nn.compact
    def __call__(self, inputs: LightCurve, *, train: bool) -> ModelOutput:
        _, y, aux = self.encoder(inputs, train=train)
        if "nights" not in aux:
            raise InputError(
                f"A {type(self.encoder).__name__} tells no states of nights, of which "
                "method contaminated learns. Use a model that does, such as sits_bert."
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
    """Returns the method that tells nights as they were from what noise made of them.

        flux' = flux + U(0, noise)  or  flux + U(-noise, 0),  of some nights
        loss = mean over objects of the mean over those nights and the bands they have
            of (W s_t - flux)^2

    Each night is contaminated by its own luck, up or down by another, each of its bands
    by another amount. The probe learns its logits from the labels there are, with an
    optimizer of its own: clipped together, the norm of its gradient would scale that of
    the encoder.

    Args:
        model: of nights, as `bands` and `longest` say; without a head it tells their
            states, as SitsBert does.
        share: chance of a night to be contaminated.
        noise: the most that is added, in the unit of fluxes as they are normalised.
        gradient_accumulation: parts that a batch is computed in, one after the other.
    Source: Yuan & Lin 2021, IEEE JSTARS 14, 474, Sect. 3; share, noise: published code.
    Differs: every object counts alike, not every night; a band that a night has not is
        neither contaminated nor told; the probe is ours.
    """
    if not 0 < share <= 1:
        raise InputError(f"share {share} of the nights is not in (0, 1].")
    if noise <= 0:
        raise InputError(f"noise {noise} contaminates nothing. Use more than 0.")
    network = Network(model.clone(num_classes=0), model.num_classes)

    def corrupt_some(key: Key[Array, ""], view: LightCurve):
        noisy, clean = corrupt(
            *(key, view, model.bands, model.longest), share=share, noise=noise
        )
        return (noisy,), clean

    def error(output: ModelOutput, clean: Clean, step) -> dict[str, Float[Array, " b"]]:
        del step
        each = (*clean.mask.shape[:1], -1, 1, 1)  # a flux is a frame of one pixel
        told, flux = output.aux["flux"].reshape(each), clean.flux.reshape(each)
        return {"error": losses.frame_error(told, flux, clean.mask.reshape(each[:2]))}

    def init(key: jax.Array, inputs: LightCurve) -> TrainState:
        return method.init(key, inputs)

    method = self_supervised(
        network,
        optimizer,
        augment,
        seed=seed,
        ask=corrupt_some,
        error=error,
        gradient_accumulation=gradient_accumulation,
    )
    return method._replace(init=init)


def corrupt(
    key: Key[Array, ""],
    inputs: LightCurve,
    num_bands: int,
    longest: float,
    *,
    share: float,
    noise: float,
) -> tuple[LightCurve, Clean]:
    """Adds noise to some nights of each light curve, and returns what they were.

    All epochs of a night and band get the same, so that the night does.

    Source: as contaminated.
    Differs: the same.
    """
    nights = merge_nights(inputs, num_bands, longest)
    is_hit, is_up, amount = jax.random.split(key, 3)
    is_hit = jax.random.bernoulli(is_hit, share, nights.mask.shape)[..., None]
    sign = jax.random.rademacher(is_up, nights.mask.shape)[..., None]
    added = sign * jax.random.uniform(amount, nights.flux.shape, maxval=noise)
    added = jnp.where(is_hit, added, 0)
    place = night_of(inputs, longest) * num_bands + inputs.band
    flat = added.reshape(len(place), -1)
    of_epoch = jnp.take_along_axis(flat, place, axis=1, mode="clip")
    flux = jnp.where(inputs.epoch_mask, inputs.flux + of_epoch, inputs.flux)
    return inputs._replace(flux=flux), Clean(nights.flux, nights.is_seen & is_hit)
