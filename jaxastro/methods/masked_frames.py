"""Masked frames: self-supervised prediction of frames taken out of a series."""

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
from jaxastro.types import Method, ModelOutput, Series


class MaskedFrames(NamedTuple):
    """The frames that were taken out of each series.

    Source: ours.
    Differs: nothing to differ from.
    """

    time: Float[Array, "b k"]  # days since the first remaining epoch
    band: Int[Array, "b k"]
    frame: Float[Array, "b k y x"]  # centre, averaged over pool x pool pixels
    mask: Bool[Array, "b k"]  # True where a frame was taken out


class Network(nn.Module):
    """The encoder of a model, a decoder of single frames and a linear probe.

        y = encoder(inputs);  frame(t, b) = decoder(y, sinusoidal(t), sinusoidal(b))
        logits = probe(sg(y)),  one layer, without a gradient for the encoder

    Source: He et al. 2022, arXiv 2111.06377, Sect. 3: an encoder of the visible part
        and a much smaller decoder.
    Differs: the decoder gets one embedding of the series, so that any model can be the
        encoder, and the time and band of the frame to predict.
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
        # A sinusoidal code distinguishes any number of bands without a table.
        query = [sinusoidal(time, 32), sinusoidal(band.astype(time.dtype), 8)]
        embedding = jnp.broadcast_to(y[:, None], (*time.shape, y.shape[-1]))
        x = jnp.concatenate([embedding, *query], axis=-1)
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
    """Returns the method that predicts masked frames, without labels.

        loss = mean over objects of the mean over masked frames and pixels of
            (decoder(encoder(remaining frames), time, band) - frame)^2

    Of n epochs of a view, round(share n) are masked, at least one and at most n - 1.
    They are removed, so that the input of the encoder is a shorter series, as in later
    use. The prediction of a frame has means of pool x pool pixels of its centre. The
    labels train the probe, with a separate optimizer (`separate_probe`).

    Args:
        share: fraction of the epochs to mask, in (0, 1).
        pixels: size of a predicted frame along each side.
        pool: image pixels per predicted pixel, along each side.
        hidden: units of the two hidden layers of the decoder.
        gradient_accumulation: number of parts in which a batch is computed. Each part
            is normalised by its own statistics and updates the running statistics.
    Raises:
        InputError: if an argument is out of range.
    Source: He et al. 2022, arXiv 2111.06377; complete frames: Tong et al. 2022, arXiv
        2203.12602, Sect. 3.2 (frames of a video are so similar that masked patches
        could be copied).
    Differs: the decoder gets one embedding of the series, not tokens. Frames are
        normalised by survey, as the input is, not by patch.
    """
    if not 0 < share < 1:
        raise InputError(f"share {share} of the frames is not in (0, 1).")
    encoder, num_classes = model.clone(num_classes=0), model.num_classes

    def prepare(key: Key[Array, ""], view: Series):
        rest, masked = mask_frames(key, view, share=share, pixels=pixels, pool=pool)
        return (rest, masked.time, masked.band), masked

    def error(output: ModelOutput, masked: MaskedFrames, step):
        del step
        frame = output.aux["frame"]
        return {"error": losses.frame_error(frame, masked.frame, masked.mask)}

    method = self_supervised(
        Network(encoder, num_classes, hidden, pixels),
        optimizer,
        augment,
        seed=seed,
        prepare=prepare,
        error=error,
        empty_query=_no_frames,
        gradient_accumulation=gradient_accumulation,
    )
    return method._replace(inputs=(Series,))


def mask_frames(
    key: Key[Array, ""], series: Series, *, share: float, pixels: int, pool: int
) -> tuple[Series, MaskedFrames]:
    """Takes random frames out of each series; returns the rest and these frames.

    The remaining epochs move to the front, and time restarts at the first of them.

    Raises:
        InputError: if the predicted pixels do not fit into the frames.
    Source: ours, as the views of jaxastro/augment.py.
    Differs: nothing to differ from.
    """
    side, size = pixels * pool, min(series.image.shape[-2:])
    if not 0 < side <= size:
        raise InputError(
            f"{pixels}x{pixels} means of {pool}x{pool} pixels are {side}x{side} "
            f"pixels, and frames have {size}x{size}. Set pixels times pool to "
            f"{size // pool * pool} or less."
        )
    most = math.ceil(share * series.image.shape[1])

    def mask_one(key, series):
        observed = series.epoch_mask
        count = observed.sum()
        number = jnp.clip(jnp.round(share * count), 1, count - 1)
        draw = jnp.where(observed, jax.random.uniform(key, observed.shape), jnp.inf)
        shuffled = jnp.argsort(draw)  # observed epochs first
        is_masked = jnp.argsort(shuffled) < number
        keep = observed & ~is_masked
        # Stable sort: epochs stay in time order, masked ones move to the end.
        order = jnp.argsort(~keep, stable=True)
        rest = jax.tree.map(lambda a: a[order], series)
        start, mask = rest.time[0], keep[order]
        time = jnp.where(mask, rest.time - start, 0)
        rest = rest._replace(time=time, epoch_mask=mask)

        taken = jax.tree.map(lambda a: a[shuffled[:most]], series)
        mask = jnp.arange(most) < number
        time = jnp.where(mask, taken.time - start, 0)
        frame = _average_pool(taken.image, pixels, pool)
        return rest, MaskedFrames(time, taken.band, frame, mask)

    keys = jax.random.split(key, series.image.shape[0])
    return jax.vmap(mask_one)(keys, series)


def _average_pool(
    image: Float[Array, "k y x"], pixels: int, pool: int
) -> Float[Array, "k p p"]:
    """Returns the means of pool x pool pixels around the centre of each frame."""
    side = pixels * pool
    top, left = ((length - side) // 2 for length in image.shape[1:])
    centre = image[:, top : top + side, left : left + side]
    return centre.reshape(-1, pixels, pool, pixels, pool).mean((2, 4))


def _no_frames(inputs: Series) -> tuple[Array, Array]:
    """Returns empty times and bands, for which the decoder predicts no frame."""
    return inputs.time[:, :0], inputs.band[:, :0]
