import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.series import make_series

from jaxastro.layers.merge_bands import merge_bands

EPOCHS, BANDS = 7, 3
SHAPE = (2, EPOCHS)


@functools.cache
def jitted(num_bands=BANDS, gap=0.5):
    return jax.jit(functools.partial(merge_bands, num_bands=num_bands, gap=gap))


def make_example(mask, steps, seed=0):
    generator = np.random.default_rng(seed)
    return make_series(
        image=generator.normal(size=(*SHAPE, 2, 3)).astype(np.float32),
        time=np.cumsum(steps, 1).astype(np.float32),
        band=generator.integers(0, BANDS, SHAPE).astype(np.int32),
        epoch_mask=np.array(mask, bool),
    )


def arrays(element):
    rows = st.lists(element, min_size=EPOCHS, max_size=EPOCHS)
    return st.lists(rows, min_size=2, max_size=2).map(np.array)


# Steps between epochs: within a night, at its limit, to another night.
SERIES = st.builds(
    make_example,
    arrays(st.booleans()),
    arrays(st.sampled_from([0.0, 0.125, 0.375, 0.5, 1.0, 30.0])),
    st.integers(0, 99),
)


def night_by_night(series, gap=0.5):
    """The same, by a loop over objects, epochs and bands."""
    image = np.zeros((*series.image.shape, BANDS), np.float32)
    time, mask = np.zeros(SHAPE, np.float32), np.zeros(SHAPE, bool)
    for i, seen in enumerate(series.epoch_mask):
        nights, before = [], None
        for t in np.flatnonzero(seen):
            if before is None or series.time[i, t] - before >= gap:
                nights.append([])
            nights[-1].append(t)
            before = series.time[i, t]
        for n, night in enumerate(nights):
            mask[i, n], time[i, n] = True, np.mean(series.time[i, night])
            for band in range(BANDS):
                frames = [
                    series.image[i, t] for t in night if series.band[i, t] == band
                ]
                if frames:
                    image[i, n, :, :, band] = np.mean(frames, 0)
    return image, time, mask


def assert_close(a, b):
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), a, b
    )


@settings(deadline=None, max_examples=50)
@given(series=SERIES)
def test_merging_equals_a_loop_over_nights_and_bands(series):
    assert_close(jitted()(series), night_by_night(series))


@settings(deadline=None, max_examples=20)
@given(series=SERIES, content=st.sampled_from([np.nan, np.inf, 1e30]))
def test_content_of_padded_epochs_changes_no_bit(series, content):
    mask = series.epoch_mask
    dirty = make_series(
        image=np.where(mask[..., None, None], series.image, np.float32(content)),
        time=np.where(mask, series.time, np.float32(content)),
        band=np.where(mask, series.band, 99),
        epoch_mask=mask,
    )
    chex.assert_trees_all_equal(jitted()(dirty), jitted()(series))


@pytest.mark.parametrize(("gap", "step"), [(0.5, 1.0), (0.5, 0.5), (0.0, 0.0)])
def test_single_epoch_nights_do_not_change(gap, step):
    mask = np.arange(EPOCHS) < np.array([[EPOCHS], [4]])
    series = make_example(mask, np.full(SHAPE, step))
    image, time, merged_mask = jitted(gap=gap)(series)
    np.testing.assert_array_equal(merged_mask, mask)
    np.testing.assert_array_equal(time[mask], series.time[mask])
    shown = np.take_along_axis(image, series.band[..., None, None, None], -1)[..., 0]
    np.testing.assert_array_equal(shown[mask], series.image[mask])
    assert np.count_nonzero(image) == mask.sum() * 6  # all others are 0


def test_a_night_by_hand():
    # g at 0.0 and 0.25, r at 0.5; g in the next night, then padding
    series = make_example(np.arange(EPOCHS) < 4 * np.ones((2, 1)), np.zeros(SHAPE))
    series.time[:] = [0, 0.25, 0.5, 1.25, 0, 0, 0]
    series.band[:] = [0, 0, 1, 0, 0, 0, 0]
    image, time, mask = jitted()(series)
    first, second = image[0, 0], image[0, 1]
    a, b, c, d = series.image[0, :4]
    np.testing.assert_array_equal(first[..., 0], (a + b) / 2)
    np.testing.assert_array_equal(first[..., 1], c)
    np.testing.assert_array_equal(second[..., 0], d)
    assert not np.any(first[..., 2])
    assert not np.any(second[..., 1:])
    assert time[0].tolist() == [0.25, 1.25, 0, 0, 0, 0, 0]
    assert mask[0].tolist() == [True, True] + [False] * 5


def test_a_band_beyond_the_channels_gives_nan():
    for band in (-1, BANDS, 1000):
        series = make_example(np.ones(SHAPE), np.ones(SHAPE))
        series.band[1, 2] = band
        image, _, _ = jitted()(series)
        assert np.isnan(image[1]).all()
        assert np.isfinite(image[0]).all()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"num_bands": 0}, "num_bands 0. A frame needs at least one band"),
        ({"num_bands": 1, "gap": -1.0}, "gap -1.0 is not a number of days"),
    ],
)
def test_invalid_arguments_are_refused(args, message):
    series = jax.tree.map(jnp.array, make_example(np.ones(SHAPE), np.ones(SHAPE)))
    with pytest.raises(ValueError, match=message):
        merge_bands(series, **args)
