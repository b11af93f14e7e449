"""Augmentation of light curves: dropped epochs, truncation and jitter."""

import jax
import numpy as np
import pytest
from support.light_curve import make_curves

from jaxastro.augment import make_augment


def view_of(curves, seed=0, **settings):
    quiet = {"max_epochs": curves.flux.shape[1], "drop": 0.0}
    augment = jax.jit(make_augment(**quiet | settings))
    return augment(jax.random.key(seed), jax.device_put(curves))


def test_a_view_of_a_light_curve_keeps_epochs_together_and_features_unchanged():
    curves = make_curves(*[12] * 6)
    view = view_of(curves, max_epochs=8, drop=0.5)
    assert view.flux.shape == (6, 8)
    np.testing.assert_array_equal(view.feature, curves.feature)
    for row in range(6):
        for flux, error, band in zip(
            *(np.asarray(a[row])[np.asarray(view.epoch_mask[row])] for a in view[:2]),
            np.asarray(view.band[row])[np.asarray(view.epoch_mask[row])],
            strict=True,
        ):
            (place,) = np.flatnonzero(curves.flux[row] == flux)
            assert curves.flux_error[row, place] == error
            assert curves.band[row, place] == band


def test_jitter_is_normal_with_the_errors_as_standard_deviations():
    curves = make_curves(*[40] * 500, epochs=40)
    view = view_of(curves, jitter=1.0)
    seen = np.asarray(view.epoch_mask)
    # The gap in the mask of the first object is closed: later epochs move to the front.
    moved = (view.flux[1:] - curves.flux[1:]) / curves.flux_error[1:]
    assert abs(float(moved.std()) - 1) < 0.02
    assert abs(float(moved.mean())) < 0.03
    np.testing.assert_array_equal(view.flux_error[1:], curves.flux_error[1:])
    assert seen.sum() == curves.epoch_mask.sum()


def test_truncation_keeps_the_first_n_epochs_with_n_uniform_from_three():
    curves = make_curves(*[12] * 4000, epochs=12)
    count = np.asarray(view_of(curves, truncate=1.0).epoch_mask.sum(1))[1:]
    share = np.bincount(count, minlength=13)[3:] / len(count)
    assert count.min() == 3
    assert abs(share - 0.1).max() < 0.03
    view = view_of(curves, truncate=1.0)
    for row in range(1, 20):
        n = int(view.epoch_mask[row].sum())
        np.testing.assert_array_equal(view.flux[row, :n], curves.flux[row, :n])
    whole = np.asarray(view_of(curves, truncate=0.25).epoch_mask.sum(1))[1:] == 12
    assert abs(whole.mean() - (0.75 + 0.25 * 0.1)) < 0.03


def test_truncation_does_not_change_the_shortest_series():
    curves = make_curves(12, 3, 2, 1, 0)
    count = view_of(curves, truncate=1.0).epoch_mask.sum(1)
    assert count.tolist()[1:] == [3, 2, 1, 0]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"truncate": 1.5}, "truncate 1.5"), ({"jitter": -1.0}, "jitter")],
)
def test_invalid_arguments_for_light_curves_are_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        make_augment(max_epochs=3, **wrong)
