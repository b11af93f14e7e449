"""Corrupted light curves: added noise, and predicted nights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.light_curve import make_curves
from support.small_method import (
    ADAM,
    SGD,
    SmallModel,
    assert_close,
    batch_of,
    make,
    no_augmentation,
)

from jaxastro.layers.merge_nights import merge_nights
from jaxastro.methods import make_method
from jaxastro.methods.corrupted_light_curve import corrupt
from jaxastro.models.lstm import Lstm


def test_all_epochs_of_a_night_are_corrupted_with_the_given_probability():
    curves = jax.tree.map(jnp.asarray, make_curves(*[60] * 99, 7, 0, epochs=60))
    noisy, clean = jax.jit(
        lambda key: corrupt(key, curves, 3, 0.33, share=0.15, noise=0.5)
    )(jax.random.key(0))
    before, after = (merge_nights(c, 3, 0.33) for c in (curves, noisy))
    np.testing.assert_array_equal(clean.flux, before.flux)
    added, seen = np.asarray(after.flux - before.flux), np.asarray(before.is_observed)
    hit = np.asarray(clean.mask).any(-1)
    np.testing.assert_array_equal(np.asarray(clean.mask), hit[..., None] & seen)
    assert (added[~np.asarray(clean.mask)] == 0).all()
    some = added[np.asarray(clean.mask)]
    assert (abs(some) <= 0.5 + 1e-5).all()
    assert abs(abs(some).mean() - 0.25) < 0.02
    nights = np.asarray(before.mask)
    assert abs(hit[nights].mean() - 0.15) < 4 * np.sqrt(0.15 * 0.85 / nights.sum())
    # One sign per night, a separate amount per band.
    two = hit & (seen.sum(-1) > 1)
    sign = np.sign(added[two]) * seen[two]
    assert (abs(sign.sum(-1)) == seen[two].sum(-1)).all()
    assert 0.3 < (sign.sum(-1) > 0).mean() < 0.7
    assert (np.ptp(np.where(seen[two], abs(added[two]), np.nan), axis=-1) != 0).any()
    padded = ~np.asarray(curves.epoch_mask)
    np.testing.assert_array_equal(noisy.flux[padded], curves.flux[padded])


def test_only_observed_bands_of_corrupted_nights_are_predicted():
    batch = batch_of("corrupted_light_curve")
    _, state, step = make("corrupted_light_curve", augment=no_augmentation, share=1e-6)
    assert step(state, batch)[1]["error"] == 0
    _, state, step = make("corrupted_light_curve", augment=no_augmentation, share=1.0)
    params = jax.tree.map(jnp.copy, state.params)
    params["decoder"]["bias"] = params["decoder"]["bias"].at[1].set(1e3)
    _, scalars = step(state._replace(params=params), batch)
    assert scalars["error"] < 1e3  # the band that no night has does not count


def test_the_error_falls_below_that_of_the_corrupted_flux():
    # Constant light curves: the other nights determine the noise of one.
    level = jax.random.normal(jax.random.key(3), (64, 1))
    batch = batch_of("corrupted_light_curve", 64, epochs=8)
    flat = jnp.broadcast_to(level, batch.inputs.flux.shape)
    curves = batch.inputs._replace(flux=flat)
    args = {"augment": no_augmentation, "optimizer": ADAM, "share": 0.15}
    _, state, step = make("corrupted_light_curve", model=SmallModel(3, False), **args)
    errors = []
    for _ in range(150):
        state, scalars = step(state, batch._replace(inputs=curves))
        errors.append(float(scalars["error"]))
    assert np.mean(errors[-20:]) < 0.3 * errors[0]


def test_parts_of_a_batch_sum_to_the_complete_batch():
    batch, changes = batch_of("corrupted_light_curve"), []
    for parts in (1, 2):
        method = make_method(
            "corrupted_light_curve",
            SmallModel(3, False),
            SGD,
            no_augmentation,
            seed=0,
            share=1.0,
            gradient_accumulation=parts,
        )
        state = method.init(jax.random.key(0), batch.inputs)
        after, _ = jax.jit(method.step)(state, batch)
        changes.append(after.params)
    assert_close(*changes)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"share": 0.0}, "share 0.0 of the nights"),
        ({"noise": 0.0}, "noise 0.0 changes"),
    ],
)
def test_invalid_arguments_are_refused(args, message):
    with pytest.raises(ValueError, match=message):
        make_method(
            "corrupted_light_curve", SmallModel(3), SGD, no_augmentation, seed=0, **args
        )


def test_a_model_without_encoded_nights_is_refused():
    method = make_method(
        "corrupted_light_curve", Lstm(3, bands=3), SGD, no_augmentation, seed=0
    )
    with pytest.raises(
        ValueError, match="Model Lstm does not return the encoded nights"
    ):
        method.init(jax.random.key(0), make_curves(12))
