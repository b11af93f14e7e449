"""Frame transformer: flux, bands, padding and invariances."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.series import make_series

from jaxastro.layers.change import change_of
from jaxastro.models.frame_transformer import FrameTransformer
from jaxastro.types import Series

SMALL = {"widths": (4, 4), "width": 8, "num_heads": 2, "hidden": 6, "core": 8}


def make_example(*lengths, epochs=6, size=12, seed=0):
    generator = np.random.default_rng(seed)
    shape = (len(lengths), epochs)
    return make_series(
        image=generator.normal(size=(*shape, size, size)).astype(np.float32),
        time=np.sort(generator.uniform(0, 90, shape), 1).astype(np.float32),
        band=generator.integers(0, 3, shape).astype(np.int32),
        epoch_mask=np.arange(epochs) < np.array(lengths)[:, None],
    )


@functools.cache
def make(**args):
    model = FrameTransformer(3, **(SMALL | args))
    variables = jax.jit(functools.partial(model.init, train=False))(
        jax.random.key(0), make_example(6)
    )
    return jax.jit(functools.partial(model.apply, variables, train=False))


def test_content_of_padded_frames_changes_no_bit():
    inputs = make_example(6, 4, 1)
    padded = ~inputs.epoch_mask
    noise = make_example(6, 6, 6, seed=1)
    other = inputs._replace(
        image=np.where(padded[..., None, None], 99 + noise.image, inputs.image),
        time=np.where(padded, 1e6, inputs.time).astype(np.float32),
        band=np.where(padded, 7, inputs.band).astype(np.int32),
    )
    chex.assert_trees_all_equal(make()(inputs), make()(other))


def test_padding_and_the_order_of_objects_or_frames_have_no_effect():
    inputs = make_example(6, 4, 1)
    here = make()(inputs)

    def longer(a):
        return np.concatenate([a, np.zeros_like(a[:, :3])], axis=1)

    for other in (
        make()(Series(*map(longer, inputs))).logits,
        make()(Series(*(a[::-1] for a in inputs))).logits[::-1],
        # The date is a feature of each frame, so the order in the arrays has no effect.
        make()(Series(*(a[:, ::-1] for a in inputs))).logits,
    ):
        np.testing.assert_allclose(other, here.logits, atol=1e-5)


def test_an_object_without_observed_epochs_has_finite_output():
    assert np.isfinite(make()(make_example(6, 0)).logits).all()


def test_an_unknown_band_gives_nan():
    inputs = make_example(6, 4)
    inputs.band[1, 2] = 9
    logits = make()(inputs).logits
    assert np.isfinite(logits[0]).all()
    assert np.isnan(logits[1]).all()


def test_flux_is_measured_by_gaussian_apertures_with_unit_noise():
    apertures = (1.0, 3.0)
    generator = np.random.default_rng(0)
    frames = generator.normal(size=(1, 4000, 24, 24, 2)).astype(np.float32)
    model = FrameTransformer(3, change="linear", apertures=apertures)
    light = jax.jit(model._measure_flux)(jnp.array(frames))
    np.testing.assert_allclose(np.std(light[0], axis=0), 1, atol=0.05)
    y, x = np.mgrid[:24, :24] - 11.5
    for place, width in enumerate(apertures):
        star = np.exp(-(x**2 + y**2) / (2 * width**2)).astype(np.float32)
        star = np.stack([star, 0 * star], -1)[None, None]  # the change is 0
        found = model._measure_flux(jnp.array(star))[0, 0].reshape(
            2, 2
        )  # apertures x views
        whole = np.sqrt((star**2).sum())
        assert found[place, 0] == pytest.approx(whole, rel=1e-5)
        assert found[1 - place, 0] < 0.9 * whole
        np.testing.assert_array_equal(found[:, 1], 0)
        of_flux = FrameTransformer(3, apertures=apertures)._measure_flux(
            jnp.arcsinh(star)
        )
        assert np.sinh(of_flux[0, 0, 2 * place]) == pytest.approx(whole, rel=1e-4)


def test_the_embedding_ends_with_the_mean_flux_of_each_band():
    inputs = make_example(6, 4, 0)
    model = FrameTransformer(3, **SMALL)
    frames = np.stack([inputs.image, 0 * inputs.image], -1)
    light = np.asarray(model._measure_flux(jnp.array(frames)))[
        ..., ::2
    ]  # without those of the change
    found = np.asarray(make()(inputs).embedding)[:, 2 * SMALL["width"] :]
    found = found.reshape(3, 6, 10)[:, ::2]
    for i in range(3):
        for band in range(3):
            seen = inputs.epoch_mask[i] & (inputs.band[i] == band)
            mean = light[i, seen].sum(0) / max(seen.sum(), 1)
            np.testing.assert_allclose(found[i, :, band + 1], mean, atol=1e-5)
    assert not found[..., 4:].any()  # bands without frames
    assert not found[..., 0].any()  # and padding


def test_transient_and_constant_sources_change_the_output():
    inputs = make_example(6, 6)
    here = make()(inputs).logits
    flash = inputs._replace(image=inputs.image.copy())
    flash.image[0, 3, 5:7, 5:7] += 3
    there = make()(flash).logits
    assert np.abs(there[0] - here[0]).max() > 1e-3
    np.testing.assert_array_equal(there[1], here[1])
    steady = inputs._replace(image=inputs.image + np.float32(0.5))
    row = jnp.array(np.eye(10)[inputs.band + 1], jnp.float32)
    np.testing.assert_allclose(
        *(change_of(jnp.array(s.image), row) for s in (inputs, steady)), atol=1e-5
    )
    assert (
        np.abs(
            make(change="linear")(steady).logits - make(change="linear")(inputs).logits
        ).max()
        > 1e-3
    )
