"""Merged nights equal those of a simple loop and do not depend on padding."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.light_curve import make_curves, of_epochs, of_objects

from jaxastro.layers.merge_nights import merge_nights
from jaxastro.layers.night_features import night_features
from jaxastro.types import LightCurve

merge = jax.jit(merge_nights, static_argnums=(1, 2))


def obvious(curves, row, num_bands, longest):
    """Flux, error and start of each night of one object, by a loop over epochs."""
    nights = []
    for t in np.flatnonzero(curves.epoch_mask[row]):
        now, band = curves.time[row, t], curves.band[row, t]
        if not nights or now - nights[-1][0] > longest:
            nights.append((now, {}))
        found = nights[-1][1]
        value = (curves.flux_error[row, t], curves.flux[row, t])
        if band not in found or value[0] < found[band][0]:
            found[band] = value
    return nights


@pytest.mark.parametrize("longest", [0.0, 0.33, 7.0])
def test_nights_equal_those_of_a_loop_over_epochs(longest):
    curves = make_curves(12, 7, 1, 0)
    curves = curves._replace(
        flux_error=np.round(curves.flux_error, 1)
    )  # some are equal
    nights = merge(curves, 3, longest)
    for row in range(4):
        expected = obvious(curves, row, 3, longest)
        assert nights.mask[row].sum() == len(expected)
        assert not nights.mask[row, len(expected) :].any()
        for place, (time, found) in enumerate(expected):
            assert nights.time[row, place] == time
            for band in range(3):
                error, flux = found.get(band, (0, 0))
                assert nights.is_observed[row, place, band] == (band in found)
                np.testing.assert_allclose(nights.flux[row, place, band], flux, 1e-6)
                np.testing.assert_allclose(
                    nights.flux_error[row, place, band], error, 1e-6
                )


def test_padding_at_any_place_has_no_effect():
    curves = make_curves(12, 7)
    spoiled = {
        name: np.where(curves.epoch_mask, getattr(curves, name), fill)
        for name, fill in (("flux", np.nan), ("time", np.inf), ("flux_error", -1))
    }
    spoiled["band"] = np.where(curves.epoch_mask, curves.band, 99).astype(np.int32)
    nights = merge(curves, 3, 0.33)
    for a, b in zip(nights, merge(curves._replace(**spoiled), 3, 0.33), strict=True):
        np.testing.assert_array_equal(a, b)
    seen = of_epochs(of_objects(curves, [0]), np.flatnonzero(curves.epoch_mask[0]))
    for a, b in zip(nights, merge(seen, 3, 0.33), strict=True):
        np.testing.assert_array_equal(a[:1, : b.shape[1]], b)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_every_epoch_is_in_exactly_one_night(data):
    days = data.draw(st.lists(st.floats(0, 9, width=32), min_size=6, max_size=6))
    mask = np.array([data.draw(st.lists(st.booleans(), min_size=6, max_size=6))])
    time = np.sort(np.float32(days))[None]
    ones = np.ones((1, 6), np.float32)
    # A separate band for each epoch, so that none is dropped.
    band = np.arange(6, dtype=np.int32)[None]
    empty = np.zeros((1, 0), np.float32), np.zeros((1, 0), bool)
    curves = LightCurve(ones, ones, time, band, mask, *empty)
    nights = merge(curves, 6, 0.33)
    assert nights.is_observed.sum() == mask.sum() == nights.flux.sum()
    starts = np.asarray(nights.time)[np.asarray(nights.mask)]
    assert (np.diff(starts) > 0.33).all()


def test_a_band_beyond_the_survey_makes_only_its_object_nan():
    curves = make_curves(12, 12)
    curves.band[0, 3] = 3
    nights = merge(curves, 3, 0.33)
    assert np.isnan(nights.flux[0]).any()
    assert np.isfinite(nights.flux[1]).all()


def test_memory_grows_linearly_with_epochs():
    curves = make_curves(*[4000] * 2, epochs=4000)
    needed = merge.lower(curves, 3, 0.33).compile().memory_analysis()
    assert needed.temp_size_in_bytes < 2 * 4000 * 4000 / 10


def test_invalid_arguments_are_refused():
    with pytest.raises(ValueError, match="num_bands 0"):
        merge_nights(make_curves(3), 0)
    with pytest.raises(ValueError, match="longest -1"):
        merge_nights(make_curves(3), 3, -1.0)


def test_night_features_are_fluxes_errors_bands_and_days():
    time = np.float32([[0, 0.1, 4]])
    curves = LightCurve(
        flux=np.float32([[2, 3, 5]]),
        flux_error=np.float32([[0.2, 0.3, 0.5]]),
        time=time,
        band=np.int32([[0, 1, 1]]),
        epoch_mask=np.ones((1, 3), bool),
        feature=np.zeros((1, 0), np.float32),
        feature_mask=np.zeros((1, 0), bool),
    )
    rows, mask = jax.jit(night_features, static_argnums=1)(curves, 2)
    np.testing.assert_allclose(
        rows[0],
        [
            [2, 3, 0.2, 0.3, 0, 0, 1, 0],  # both bands: the third of three columns
            [0, 5, 0, 0.5, 0, 1, 0, np.log1p(4)],
            np.zeros(8),
        ],
        rtol=1e-6,
    )
    assert mask.tolist() == [[True, True, False]]
