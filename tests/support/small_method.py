"""A model that compiles fast, and separable data, for tests of the methods."""

import functools

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxastro.layers.merge_nights import merge_nights
from jaxastro.layers.pooling import mean_over_time
from jaxastro.methods import make_method
from jaxastro.types import Alerts, Batch, LightCurve, ModelOutput, Series
from support.series import make_series


class SmallModel(nn.Module):
    """A dense layer on the mean frame or night, which compiles fast."""

    num_classes: int
    has_batch_norm: bool = True
    bands: int = 2  # of nights
    longest: float = 0.33

    @nn.compact
    def __call__(self, inputs, *, train):
        aux, layer = {}, nn.Dense(5)
        if isinstance(inputs, LightCurve):
            nights = merge_nights(inputs, self.bands, self.longest)
            aux["nights"] = layer(nights.flux)
            x = mean_over_time(aux["nights"], nights.mask)
        else:
            seen = inputs.epoch_mask[..., None, None]
            is_alerts = isinstance(inputs, Alerts)
            image = inputs.stamp[..., 0] if is_alerts else inputs.image
            x = jnp.where(seen, image, 0).sum(1) / jnp.maximum(seen.sum(1), 1)
            x = layer(x.reshape(len(x), -1))
        if self.has_batch_norm:
            x = nn.BatchNorm(use_running_average=not train, momentum=0.9)(x)
        x = nn.tanh(x)
        logits = nn.Dense(self.num_classes)(x) if self.num_classes else x[:, :0]
        return ModelOutput(logits, x, aux | {"mean": x.mean(-1)})


def make_batch(count=8, *, seed=0, epochs=3, size=4, classes=3):
    """Random series whose brightness depends on their class."""
    generator = np.random.default_rng(seed)
    label = np.arange(count) % classes
    image = generator.normal(size=(count, epochs, size, size))
    image += 2 * label[:, None, None, None] * np.linspace(-1, 1, size)
    inputs = make_series(
        image=jnp.array(image, jnp.float32),
        time=jnp.broadcast_to(jnp.arange(epochs, dtype=jnp.float32), (count, epochs)),
        band=jnp.array(generator.integers(0, 2, (count, epochs)), jnp.int32),
        epoch_mask=jnp.ones((count, epochs), bool),
    )
    yes = jnp.ones(count, bool)
    return Batch(inputs, jnp.array(label, jnp.int32), yes, yes)


def batch_of(name, *args, **kwargs):
    """The same objects in the form that a method trains on: series, curves, alerts."""
    batch = make_batch(*args, **kwargs)
    if name == "autoencoder":
        first = Series(*(a[:, :1] for a in batch.inputs))
        metadata = jnp.zeros((*first.time.shape, 0))
        alerts = Alerts(
            jnp.stack([first.image] * 3, -1),
            first.time,
            first.band,
            metadata,
            metadata.astype(bool),
            first.epoch_mask,
        )
        return batch._replace(inputs=alerts)
    if name != "corrupted_light_curve":
        return batch
    series, rows = batch.inputs, len(batch.label)
    flux = 3 * series.image[..., -1].mean(-1)
    nothing = jnp.zeros((rows, 0))
    curves = LightCurve(
        flux,
        jnp.ones_like(flux),
        series.time,
        jnp.zeros_like(series.band),
        series.epoch_mask,
        nothing,
        nothing.astype(bool),
    )
    return batch._replace(inputs=curves)


def no_augmentation(key, inputs):
    del key
    return inputs


def add_noise(key, inputs):
    name = {LightCurve: "flux", Alerts: "stamp"}.get(type(inputs), "image")
    values = getattr(inputs, name)
    return inputs._replace(**{name: values + jax.random.normal(key, values.shape)})


ARGUMENTS = {
    "supervised": {},
    "semiconformer": {"hidden": 6, "project": 4, "dropout": 0.0},
    "byol": {"hidden": 6, "project": 4},
    "masked_frames": {"hidden": 6, "pixels": 2, "pool": 2},
    "corrupted_light_curve": {"share": 0.5},
    "autoencoder": {"latent": 8, "widths": (2, 2)},
}
SGD, ADAM, REST = optax.sgd(0.1), optax.adam(0.03), optax.sgd(0.0)


MODEL = SmallModel(3)


@functools.cache
def make(name, *, model=MODEL, optimizer=SGD, augment=add_noise, seed=0, **args):
    """A method with the small model, its initial state and its jitted step."""
    args = ARGUMENTS[name] | args
    method = make_method(name, model, optimizer, augment, seed=seed, **args)
    state = jax.jit(method.init)(jax.random.key(1), batch_of(name).inputs)
    return method, state, jax.jit(method.step)


def assert_same_bits(a, b):
    chex.assert_trees_all_equal(a, b, strict=True)


def assert_close(a, b, tolerance=1e-5):
    chex.assert_trees_all_close(a, b, rtol=tolerance, atol=tolerance)


def differs(a, b):
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return any(np.abs(np.array(x) - np.array(y)).max() > 1e-4 for x, y in pairs)
