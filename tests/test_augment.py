import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.series import make_series

from jaxastro.augment import _rotate, make_augment


def make_example(*lengths, epochs=12, size=8, seed=0):
    """Objects with the given numbers of epochs; each frame has its index as value."""
    generator = np.random.default_rng(seed)
    shape = (len(lengths), epochs)
    number = np.broadcast_to(np.arange(1.0, epochs + 1), shape)
    return make_series(
        image=np.float32(number[..., None, None] * np.ones((size, size))),
        time=np.sort(generator.uniform(5, 100, shape), 1).astype(np.float32),
        band=generator.integers(0, 5, shape).astype(np.int32),
        epoch_mask=np.arange(epochs) < np.array(lengths)[:, None],
    )


@functools.cache
def views(**args):
    return jax.jit(make_augment(**args))


def view_of(series, seed=0, **args):
    return jax.tree.map(np.array, views(**args)(jax.random.key(seed), series))


def numbers(view):
    """Indices of the epochs of each view, from the values of its frames."""
    return [
        row[mask].round().astype(int).tolist()
        for row, mask in zip(view.image[:, :, 0, 0], view.epoch_mask, strict=True)
    ]


# -- frames ----------------------------------------------------------------------------


def turn(image, degrees, mirror=False):
    return np.array(jax.jit(_rotate)(jnp.array(image), jnp.deg2rad(degrees), mirror))


def frames(size=9, count=3):
    image = np.random.default_rng(0).normal(size=(count, size, size))
    return image.astype(np.float32)


@pytest.mark.parametrize("size", [8, 9, 21, 32])
def test_quarter_turns_are_those_of_numpy(size):
    image = frames(size)
    for quarters in range(-2, 5):
        turned = np.rot90(image, quarters, axes=(1, 2))
        for mirror, expected in ((False, turned), (True, turned[:, :, ::-1])):
            ours = turn(image, 90.0 * quarters, mirror)
            np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-4)


def test_rotation_by_0_is_the_identity_and_a_mirror_swaps_left_and_right():
    image = frames()
    np.testing.assert_array_equal(turn(image, 0.0), image)
    np.testing.assert_array_equal(turn(image, 0.0, mirror=True), image[:, :, ::-1])


@pytest.mark.parametrize("degrees", [15.0, 77.7, -133.0])
def test_any_rotation_equals_that_of_scipy(degrees):
    ndimage = pytest.importorskip("scipy.ndimage")
    image = frames(21)
    expected = [
        ndimage.rotate(f, degrees, reshape=False, order=1, mode="nearest")
        for f in image
    ]
    np.testing.assert_allclose(turn(image, degrees), expected, rtol=0, atol=1e-4)


def test_rectangular_frames_can_be_rotated():
    image = np.random.default_rng(0).normal(size=(2, 7, 10)).astype(np.float32)
    half = turn(image, 180.0)
    np.testing.assert_allclose(half, image[:, ::-1, ::-1], rtol=0, atol=1e-4)


def test_all_frames_of_a_view_have_the_same_rotation():
    series = make_example(12, 12)
    image = np.broadcast_to(frames(8, 1)[0], series.image.shape)
    view = view_of(series._replace(image=image), max_epochs=12)
    for row, mask in zip(view.image, view.epoch_mask, strict=True):
        np.testing.assert_array_equal(row[mask], row[mask][:1].repeat(mask.sum(), 0))
    assert np.abs(view.image[0, 0] - view.image[1, 0]).max() > 0.1  # objects differ
    assert np.abs(view.image[0, 0] - image[0, 0]).max() > 0.1


def test_half_of_the_views_are_mirrored_and_none_without_flip():
    gradient = np.arange(8.0, dtype=np.float32) * np.ones((8, 1), np.float32)
    series = make_example(*[2] * 400, epochs=2)
    series = series._replace(image=series.image * 0 + gradient)
    for flip, share in ((True, 0.5), (False, 0.0)):
        view = view_of(series, max_epochs=2, drop=0.0, rotation=0.0, flip=flip)
        mirrored = (view.image[:, 0, 0, 0] > view.image[:, 0, 0, -1]).mean()
        assert mirrored == pytest.approx(share, abs=0.125)  # five standard errors


def test_angles_are_uniform_in_the_requested_range():
    # The slopes of a plane that rises to the right give the angle.
    x = np.arange(21.0) - 10
    plane = np.broadcast_to(x, (21, 21)).astype(np.float32)
    series = make_example(*[1] * 400, epochs=1, size=21)
    series = series._replace(image=series.image * 0 + plane)
    view = view_of(series, max_epochs=1, drop=0.0, rotation=30.0, flip=False)
    frame = view.image[:, 0]
    along_x = (frame[:, 10, 12] - frame[:, 10, 8]) / 4
    along_y = (frame[:, 12, 10] - frame[:, 8, 10]) / 4
    angle = np.rad2deg(np.arctan2(along_y, along_x))
    assert np.abs(angle).max() == pytest.approx(30, abs=1)
    assert angle.mean() == pytest.approx(0, abs=4.5)
    assert angle.std() == pytest.approx(30 / 3**0.5, rel=0.1)


# -- epochs ----------------------------------------------------------------------------


@pytest.mark.parametrize("args", [{}, {"drop": 0.99}, {"drop": 0.0}])
def test_a_view_is_some_of_the_observed_epochs_in_order(args):
    lengths = [12, 7, 3, 1] * 25
    series = make_example(*lengths)
    view = view_of(series, max_epochs=5, rotation=0.0, **args)
    assert view.image.shape == (100, 5, 8, 8)
    for i, (length, kept) in enumerate(zip(lengths, numbers(view), strict=True)):
        assert kept  # never empty
        assert kept == sorted(set(kept))
        assert kept[-1] <= length
        assert view.epoch_mask[i].tolist() == [True] * len(kept) + [False] * (
            5 - len(kept)
        )
        rows = np.array(kept) - 1
        time = series.time[i, rows] - series.time[i, rows[0]]
        np.testing.assert_array_equal(view.time[i, : len(kept)], time)
        assert not np.any(view.time[i, len(kept) :])
        np.testing.assert_array_equal(view.band[i, : len(kept)], series.band[i, rows])


def test_gaps_in_the_mask_are_closed():
    series = make_example(12)
    series.epoch_mask[0, ::2] = False
    view = view_of(series, max_epochs=12, drop=0.0, rotation=0.0)
    assert numbers(view) == [[2, 4, 6, 8, 10, 12]]
    assert view.epoch_mask[0].tolist() == [True] * 6 + [False] * 6


def test_without_augmentation_a_view_equals_its_object():
    series = make_example(12, 7, 1)
    view = view_of(series, max_epochs=12, drop=0.0, rotation=0.0, flip=False)
    seen = series.epoch_mask
    np.testing.assert_array_equal(view.epoch_mask, seen)
    np.testing.assert_array_equal(view.image[seen], series.image[seen])
    np.testing.assert_array_equal(view.band[seen], series.band[seen])


@pytest.mark.parametrize(("drop", "share"), [(0.0, 1.0), (0.5, 0.75), (0.9, 0.55)])
def test_the_mean_fraction_of_kept_epochs_is_one_minus_half_of_drop(drop, share):
    series = make_example(*[12] * 500, size=2)
    view = view_of(series, max_epochs=12, drop=drop, rotation=0.0)
    # The standard deviation of one view, drop and 12 epochs together, is below 0.3.
    kept = view.epoch_mask.mean()
    assert kept == pytest.approx(share, abs=5 * 0.3 / 500**0.5 + 0.005)


def test_starts_of_windows_are_uniform():
    series = make_example(*[10] * 700, size=2)
    view = view_of(series, max_epochs=4, drop=0.0, rotation=0.0)
    starts = [kept[0] for kept in numbers(view)]
    assert all(
        kept == list(range(start, start + 4))
        for kept, start in zip(numbers(view), starts, strict=True)
    )
    count = np.bincount(starts)[1:]
    assert len(count) == 7
    assert np.abs(count - 100).max() < 50  # five standard errors


# -- bands and gaps --------------------------------------------------------------------


@pytest.mark.parametrize("size", [8, 21])
def test_rotations_by_90_degrees_permute_pixels(size):
    image = np.random.default_rng(0).normal(size=(200, 1, size, size))
    series = make_example(*[1] * 200, epochs=1, size=size)
    series = series._replace(image=np.float32(image))
    turned = {"rotation": 180.0, "rotation_step": 90.0, "flip": False}
    view = view_of(series, max_epochs=1, drop=0.0, **turned)
    found = [
        [bool(abs(np.rot90(one[0], k) - seen[0]).max() < 1e-4) for k in range(4)]
        for one, seen in zip(image, view.image, strict=True)
    ]
    assert (np.sum(found, 1) == 1).all()
    assert (np.sum(found, 0) > 30).all()  # of 50 each
    with pytest.raises(ValueError, match="rotation_step -1"):
        make_augment(max_epochs=1, rotation_step=-1.0)


PLAIN = {"max_epochs": 12, "drop": 0.0, "rotation": 0.0, "flip": False}


def test_all_epochs_of_a_band_are_dropped_and_one_band_is_kept():
    series = make_example(*[12, 7, 3, 1] * 100, size=2)
    for chance in (0.3, 0.99):
        view = view_of(series, drop_bands=chance, **PLAIN)
        dropped = requested = 0
        for i, kept in enumerate(numbers(view)):
            band = series.band[i][series.epoch_mask[i]]
            left = set(band[np.array(kept) - 1])
            assert left
            expected = [n + 1 for n, b in enumerate(band) if b in left]
            assert kept == expected
            dropped += len(set(band)) - len(left)
            requested += len(set(band))
        most = 1 - len(series.band) / requested  # largest fraction that can be dropped
        assert dropped / requested == pytest.approx(min(chance, most), abs=0.08)


def test_a_gap_is_one_interval_of_at_most_the_requested_length():
    series = make_example(*[60, 30, 3, 1] * 50, epochs=60, size=2)
    for longest in (0.3, 0.99):
        view = view_of(series, gap=longest, **(PLAIN | {"max_epochs": 60}))
        shares = []
        for i, kept in enumerate(numbers(view)):
            time = series.time[i][series.epoch_mask[i]]
            assert (kept[0], kept[-1]) == (1, len(time))
            lost = sorted(set(range(1, len(time))) - set(kept))
            assert not lost or lost == list(range(lost[0], lost[-1] + 1))
            inside = time[lost[-1] - 1] - time[lost[0] - 1] if lost else 0.0
            shares.append(inside / (time[-1] - time[0] + 1e-9))
        assert max(shares) <= longest
        # Every fourth object has epochs dense enough to measure the length of the gap.
        assert max(shares[::4]) > 0.8 * longest
        assert np.mean(shares[::4]) == pytest.approx(longest / 2, abs=0.2 * longest)


def test_views_of_bands_gaps_and_drops_together_are_never_empty_and_in_order():
    series = make_example(*[12, 7, 3, 1, 0] * 60, size=2)
    series.time[:, 3] = series.time[:, 2]  # the same night
    args = {"drop": 0.9, "drop_bands": 0.9, "gap": 0.9, "max_epochs": 5}
    view = view_of(series, **(PLAIN | args))
    for i, kept in enumerate(numbers(view)):
        assert kept == sorted(set(kept))
        assert bool(kept) == series.epoch_mask[i].any()
        assert set(kept) <= set(range(1, 13))


def test_options_that_are_off_change_no_bit_of_a_view():
    # results of this seed before bands and gaps could be dropped
    series = make_example(12, 7, 1)
    view = view_of(series, seed=5, max_epochs=4)
    assert numbers(view) == [[5, 7, 8, 10], [3, 4, 5, 6], [1]]
    untouched = series._replace(band=series.band * 0, time=series.time * 3)
    other = view_of(untouched, seed=5, max_epochs=4)
    np.testing.assert_array_equal(other.image, view.image)


# -- independence ----------------------------------------------------------------------


@pytest.mark.parametrize("content", [np.nan, np.inf, 1e30])
def test_content_of_padded_frames_has_no_effect(content):
    clean = make_example(12, 7, 1)
    mask = clean.epoch_mask
    dirty = make_series(
        image=np.where(mask[..., None, None], clean.image, np.float32(content)),
        time=np.where(mask, clean.time, np.float32(content)),
        band=np.where(mask, clean.band, 99),
        epoch_mask=mask,
    )
    expected, view = (view_of(s, max_epochs=9) for s in (clean, dirty))
    seen = expected.epoch_mask
    np.testing.assert_array_equal(view.epoch_mask, seen)
    np.testing.assert_array_equal(view.time, expected.time)
    for a, b in zip(view, expected, strict=True):
        np.testing.assert_array_equal(a[seen], b[seen])


def test_a_view_depends_only_on_its_object_and_key():
    series = make_example(12, 12, 12)
    view = view_of(series, max_epochs=6)
    other = view_of(series._replace(image=series.image[[0, 2, 1]] * 3), max_epochs=6)
    np.testing.assert_allclose(other.image[0], 3 * view.image[0], rtol=1e-5)
    np.testing.assert_array_equal(view.image, view_of(series, max_epochs=6).image)
    assert not np.array_equal(view.image, view_of(series, 1, max_epochs=6).image)
    assert not np.array_equal(view.time[0], view.time[1])  # objects are independent


def test_an_object_without_observed_epochs_keeps_an_empty_mask():
    view = view_of(make_example(0, 3), max_epochs=6)
    assert not view.epoch_mask[0].any()
    assert not np.any(view.time[0])


def test_invalid_arguments_are_refused():
    for name in ("drop", "drop_bands", "gap"):
        with pytest.raises(
            ValueError, match=rf"{name} 1.0 is not a fraction in \[0, 1\)"
        ):
            make_augment(max_epochs=3, **{name: 1.0})
    message = "views of 13 epochs need series of at least as many; these have 12"
    with pytest.raises(ValueError, match=message):
        view_of(make_example(5), max_epochs=13)
