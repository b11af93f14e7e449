"""Masked frames: what is hidden of a series is told from the rest, without labels."""

import math
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, Integer, Key

from jaxastro import losses
from jaxastro.errors import InputError
from jaxastro.layers.encoding import sinusoidal
from jaxastro.training.self_supervised import self_supervised
from jaxastro.types import Method, ModelOutput, Series, TrainState


class Hidden(NamedTuple):
    """The frames that were taken out of each series.

    Source: ours.
    Differs: nothing to differ from.
    """

    time: Float[Array, "b k"]  # days since the first epoch that is left
    band: Int[Array, "b k"]
    frame: Float[Array, "b k y x"]  # their centre, in coarse pixels
    mask: Bool[Array, "b k"]  # True where a frame was taken out


class Network(nn.Module):
    """A model's encoder, a decoder of single frames, and a probe of what it knows.

        y = encoder(inputs);  frame(t, b) = decoder(y, sines(t), sines(b))
        logits = probe(sg(y)),  one layer, whose gradient ends before the encoder

    Source: He et al. 2022, arXiv 2111.06377, Sect. 3: an encoder that sees what is
        left, and a decoder much smaller than it.
    Differs: one embedding stands for the series, so that any model can be the
        encoder; a frame is asked for by its time and band.
    """

    encoder: nn.Module  # a model with num_classes = 0
    num_classes: int
    hidden: int
    pixels: int

    @nn.compact
    def __call__(
        self,
        inputs: Series,
        time: Float[Array, "b k"],
        band: Int[Array, "b k"],
        *,
        train: bool,
    ) -> ModelOutput:
        output = self.encoder(inputs, train=train)
        y = output.embedding
        # A band's sines tell any number of bands apart, without a table of them.
        asked = (sinusoidal(time, 32), sinusoidal(band.astype(time.dtype), 8))
        wide = jnp.broadcast_to(y[:, None], (*time.shape, y.shape[-1]))
        x = jnp.concatenate([wide, *asked], axis=-1)
        for i in range(2):
            x = nn.relu(nn.Dense(self.hidden, name=f"decoder_{i}")(x))
        frame = nn.Dense(self.pixels**2, name="decoder_out")(x)
        frame = frame.reshape(*time.shape, self.pixels, self.pixels)
        logits = nn.Dense(self.num_classes, name="probe")(jax.lax.stop_gradient(y))
        return ModelOutput(logits, y, {**output.aux, "frame": frame})


def masked_frames(
    model,
    optimizer: optax.GradientTransformation,
    augment,
    *,
    seed: int | Integer[Array, ""],
    share: float = 0.25,
    pixels: int = 8,
    pool: int = 2,
    hidden: int = 256,
    gradient_accumulation: int = 1,
) -> Method:
    """Returns the method that predicts hidden frames from those left, and no label.

        loss = mean over objects of the mean over its hidden frames and their pixels of
            (decoder(encoder(what is left), time, band) - frame)^2

    Of n epochs of a view round(share n) are hidden, at least one, and one is left.
    They are taken out: what the encoder sees is a series of fewer epochs, as it will
    see others when it is used. A frame is told as the means of pool x pool pixels of
    its centre. The probe learns its logits from the labels there are, with an
    optimizer of its own: clipped together, the norm of its gradient would scale that
    of the encoder.

    Args:
        share: of the epochs, hidden.
        pixels: of a frame as it is told, along each side.
        pool: pixels of the image in one of those, along each side.
        hidden: units of the decoder's two layers.
        gradient_accumulation: parts that a batch is computed in, one after the other.
            Each is normalised by its own batch statistics, and updates the running.
    Source: He et al. 2022, arXiv 2111.06377; whole frames: Tong et al. 2022, arXiv
        2203.12602, Sect. 3.2 (frames of a film resemble each other, so that hidden
        patches could be copied).
    Differs: the decoder sees one embedding of the series, no tokens; frames are as
        the model sees them, normalised by survey and not by patch.
    """
    if not 0 < share < 1:
        raise InputError(f"share {share} of the frames is not in (0, 1).")
    encoder, num_classes = model.clone(num_classes=0), model.num_classes

    def hide_some(key: Key[Array, ""], view: Series):
        left, asked = hide(key, view, share=share, pixels=pixels, pool=pool)
        return (left, asked.time, asked.band), asked

    def error(output: ModelOutput, asked: Hidden, step):
        del step
        told = losses.frame_error(output.aux["frame"], asked.frame, asked.mask)
        return {"error": told}

    def init(key: jax.Array, inputs: Series) -> TrainState:
        return method.init(key, inputs)

    method = self_supervised(
        Network(encoder, num_classes, hidden, pixels),
        optimizer,
        augment,
        seed=seed,
        ask=hide_some,
        error=error,
        nothing=_no_frames,
        gradient_accumulation=gradient_accumulation,
    )
    return method._replace(init=init)


def hide(
    key: Key[Array, ""], series: Series, *, share: float, pixels: int, pool: int
) -> tuple[Series, Hidden]:
    """Takes random frames out of each series, and returns what is left, and them.

    What is left moves to the front, and its time restarts at its first epoch.

    Source: ours, as the views of jaxastro/augment.py.
    Differs: nothing to differ from.
    """
    side, size = pixels * pool, min(series.image.shape[-2:])
    if not 0 < side <= size:
        raise InputError(
            f"{pixels}x{pixels} means of {pool}x{pool} pixels are {side}x{side} "
            f"pixels, frames have {size}x{size}. Set pixels times pool to "
            f"{size // pool * pool} or less."
        )
    most = math.ceil(share * series.image.shape[1])

    def hide_one(key, series):
        observed = series.epoch_mask
        count = observed.sum()
        number = jnp.clip(jnp.round(share * count), 1, count - 1)
        luck = jnp.where(observed, jax.random.uniform(key, observed.shape), jnp.inf)
        lucky = jnp.argsort(luck)  # observed ones first
        is_hidden = jnp.argsort(lucky) < number
        keep = observed & ~is_hidden
        # stable: epochs stay in time order, those taken out go to the end
        order = jnp.argsort(~keep, stable=True)
        left = jax.tree.map(lambda a: a[order], series)
        start, mask = left.time[0], keep[order]
        time = jnp.where(mask, left.time - start, 0)
        left = left._replace(time=time, epoch_mask=mask)

        taken = jax.tree.map(lambda a: a[lucky[:most]], series)
        mask = jnp.arange(most) < number
        time = jnp.where(mask, taken.time - start, 0)
        frame = _coarse(taken.image, pixels, pool)
        return left, Hidden(time, taken.band, frame, mask)

    return jax.vmap(hide_one)(jax.random.split(key, len(series.image)), series)


def _coarse(
    image: Float[Array, "k y x"], pixels: int, pool: int
) -> Float[Array, "k p p"]:
    """Returns the means of squares of pixels around the centre of each frame."""
    side = pixels * pool
    top, left = ((length - side) // 2 for length in image.shape[1:])
    centre = image[:, top : top + side, left : left + side]
    return centre.reshape(-1, pixels, pool, pixels, pool).mean((2, 4))


def _no_frames(inputs: Series) -> tuple[Array, Array]:
    """Returns times and bands that ask the decoder for nothing."""
    return inputs.time[:, :0], inputs.band[:, :0]
