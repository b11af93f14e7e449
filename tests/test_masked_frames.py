import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.series import make_series
from support.small_method import (
    ADAM,
    SmallModel,
    add_noise,
    assert_close,
    assert_same_bits,
    differs,
    make,
    make_batch,
)

from jaxastro.methods.masked_frames import mask_frames

MASK_FRAMES = jax.jit(mask_frames, static_argnames=("share", "pixels", "pool"))


def series_of(counts, length, *, seed=0, size=6):
    """Objects with the given numbers of epochs; the value of each frame is its time."""
    generator = np.random.default_rng(seed)
    shape = (len(counts), length)
    time = np.sort(generator.uniform(0, 90, shape), 1).astype(np.float32)
    image = np.broadcast_to(time[..., None, None], (*shape, size, size)).copy()
    mask = np.arange(length) < np.array(counts)[:, None]
    band = generator.integers(0, 5, shape).astype(np.int32)
    return jax.tree.map(jnp.asarray, make_series(image, time, band, mask))


@settings(deadline=None, max_examples=20)
@given(
    counts=st.lists(st.integers(0, 7), min_size=4, max_size=4),
    share=st.sampled_from([0.01, 0.3, 0.99]),
    seed=st.integers(0, 9),
)
def test_every_epoch_is_either_kept_or_masked(counts, share, seed):
    series = series_of(counts, 7)
    left, hidden = MASK_FRAMES(
        jax.random.key(seed), series, share=share, pixels=2, pool=2
    )
    for i, count in enumerate(counts):
        seen, gone = np.array(left.epoch_mask[i]), np.array(hidden.mask[i])
        assert seen.sum() + gone.sum() == count
        expected = np.clip(np.round(np.float32(share) * count), 1, max(count - 1, 0))
        assert gone.sum() == min(expected, max(count - 1, 0))
        assert (~seen[: seen.sum()]).sum() == 0  # remaining epochs are first
        if not count:
            continue
        # The value of a frame is its time: images, times and bands stay together.
        when = np.array(left.image[i, seen, 0, 0])
        assert (np.diff(when) >= 0).all()
        np.testing.assert_allclose(left.time[i, seen], when - when[0], atol=1e-4)
        taken = np.array(hidden.frame[i, gone, 0, 0])
        np.testing.assert_allclose(hidden.time[i, gone], taken - when[0], atol=1e-4)
        together = np.sort(np.concatenate([when, taken]))
        np.testing.assert_allclose(together, series.time[i, :count], atol=1e-4)
        bands = np.concatenate([left.band[i, seen], hidden.band[i, gone]])
        assert sorted(bands) == sorted(np.array(series.band[i, :count]))


def test_a_predicted_frame_has_means_around_its_centre():
    image = jnp.arange(36.0).reshape(1, 1, 6, 6).repeat(2, 1)
    two = make_series(
        image, jnp.zeros((1, 2)), jnp.zeros((1, 2), int), jnp.ones((1, 2), bool)
    )
    _, hidden = mask_frames(jax.random.key(0), two, share=0.5, pixels=2, pool=2)
    centre = np.arange(36.0).reshape(6, 6)[1:5, 1:5]
    expected = [
        [centre[:2, :2].mean(), centre[:2, 2:].mean()],
        [centre[2:, :2].mean(), centre[2:, 2:].mean()],
    ]
    np.testing.assert_allclose(hidden.frame[0, 0], expected)


def test_masked_frames_do_not_affect_the_encoder():
    _, state, step = make("masked_frames", model=SmallModel(3, False), share=0.5)
    batch = make_batch()
    lone = batch.inputs.epoch_mask.at[:, 1:].set(False)  # one epoch: none to mask
    alone = batch._replace(inputs=batch.inputs._replace(epoch_mask=lone))
    after, scalars = step(state, alone)
    assert scalars["error"] == 0
    assert_same_bits(after.params["encoder"], state.params["encoder"])
    after, scalars = step(state, batch)
    assert scalars["error"] > 0
    assert differs(after.params["encoder"], state.params["encoder"])


def test_frames_are_predicted_from_the_remaining_series():
    def flat(key, inputs):
        """Objects of constant brightness, which the remaining frames determine."""
        key = jax.random.split(key)[0]
        level = jax.random.normal(key, (len(inputs.image), 1, 1, 1))
        return inputs._replace(image=jnp.broadcast_to(level, inputs.image.shape))

    args = {"model": SmallModel(3, False), "optimizer": ADAM, "hidden": 16}
    _, state, step = make("masked_frames", augment=flat, **args)
    errors = []
    for _ in range(150):
        state, scalars = step(state, make_batch(24))
        errors.append(float(scalars["error"]))
    # New brightness in each step, with variance 1, so it cannot be memorised.
    assert np.mean(errors[-10:]) < 0.2


def test_parts_of_a_batch_sum_to_the_complete_batch():
    args = {"model": SmallModel(3, False), "augment": add_noise}
    _, state, step = make("masked_frames", **args)
    _, _, in_parts = make("masked_frames", gradient_accumulation=4, **args)
    batch = make_batch()._replace(label_mask=jnp.arange(8) % 3 > 0)
    assert_close(in_parts(state, batch), step(state, batch))


def step_of(name, **args):
    _, state, step = make(name, **args)
    return step(state, make_batch())


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"share": 1.0}, r"share 1.0 of the frames is not in \(0, 1\)"),
        ({"share": 0.0}, r"share 0.0 of the frames"),
        ({"pixels": 4}, r"4x4 means of 2x2 pixels are 8x8 pixels, and frames have 4x4"),
    ],
)
def test_invalid_arguments_are_refused(args, message):
    with pytest.raises(ValueError, match=message):
        step_of("masked_frames", **args)
