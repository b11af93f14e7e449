"""Options of ConvEntion that were not published: 2D-CNN, codes, change, pooling."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.series import make_series
from test_convention import (
    assert_close,
    assert_same_bits,
    batch_norm,
    count,
    longer,
    make,
    make_example,
    training_loss,
)

from jaxastro.layers.change import change_of
from jaxastro.layers.encoding import PERIODS
from jaxastro.models.convention import DOWNSIZE, ConvEntion

ALL = {
    "downsize": "2d",
    "change": "asinh",
    "band_token": True,
    "encoding": "date",
    "pool": "mean_max",
    "norm": "per_epoch",
}
ALL_3D = ALL | {"downsize": "3d"}

# -- parameters ------------------------------------------------------------------------


def test_every_option_has_its_pinned_parameter_count():
    published = 1_253_108
    kernels = 121 * 2 * 64 + 25 * 64 * 128 + 9 * 128 * 64 + 9 * 64 * 8
    # one tap instead of three; four norms of 99 maps of 9 x 9 x 8 instead of 33
    flat = published - 2 * kernels + 4 * 2 * (99 - 33) * 648
    assert flat == 998_004
    assert count(ConvEntion(4, downsize="2d")) == flat
    short = published - 2 * kernels - 4 * 2 * (33 - 1) * 648
    assert count(ConvEntion(4, downsize="2d", norm="per_epoch")) == short == 489_972
    for args, more in (
        ({"change": "linear"}, 3 * 11 * 11 * 64),
        ({"band_token": True}, 10 * 8),
        ({"encoding": "date"}, 2 * len(PERIODS) * 8),
        ({"pool": "mean_max"}, 648 * 256),
    ):
        assert count(ConvEntion(4, **args)) == published + more


# -- the 2D-CNN, without optimisations -------------------------------------------------


def test_the_2d_cnn_is_four_convolutions_of_each_frame_with_its_band():
    _, variables, predict = make(downsize="2d", encoding="none", num_blocks=0)
    inputs = make_example(6, 6)._replace(epoch_mask=np.ones((2, 6), bool))
    params, stats = variables["params"], variables["batch_stats"]
    x = jnp.stack([inputs.image, params["band_table"][inputs.band + 1]], axis=-1)
    x = x.reshape(12, 15, 15, 2)
    for i, (_, stride, pad) in enumerate(DOWNSIZE):
        kernel = params[f"conv_{i}"]["kernel"][0]
        layout, pads = ("NHWC", "HWIO", "NHWC"), ((pad, pad),) * 2
        x = jax.lax.conv_general_dilated(
            x, kernel, (stride, stride), pads, dimension_numbers=layout
        )
        x = x + params[f"conv_{i}"]["bias"]
        x = jax.nn.relu(batch_norm(params[f"norm_{i}"], stats[f"norm_{i}"], x))
    expected = x.reshape(2, 6, *x.shape[1:]).max(1).reshape(2, -1)
    assert_close(predict(inputs).embedding, expected)


def test_the_2d_cnn_without_an_encoding_ignores_the_order_of_frames():
    model, _, predict = make(downsize="2d", encoding="none", norm="per_epoch")
    assert model.any_length
    inputs = make_example(6, 5, 1, 3)
    order = np.array([5, 2, 0, 4, 1, 3])
    shuffled = jax.tree.map(lambda a: a[:, order], inputs)
    assert_close(predict(shuffled), predict(inputs))


# -- padding ---------------------------------------------------------------------------


@pytest.mark.parametrize("args", [ALL, ALL_3D], ids=["2d", "3d"])
def test_content_of_padded_frames_changes_no_bit(args):
    _, _, predict = make(**args)
    clean = make_example(6, 5, 1, 3)
    mask, expected = clean.epoch_mask, predict(clean)
    assert np.isfinite(expected.logits).all()
    for content in (np.nan, np.inf, 1e30):
        dirty = make_series(
            image=np.where(mask[..., None, None], clean.image, np.float32(content)),
            time=np.where(mask, clean.time, np.float32(content)),
            band=np.where(mask, clean.band, 99),
            epoch_mask=mask,
        )
        assert_same_bits(predict(dirty), expected)


@pytest.mark.parametrize("args", [ALL, ALL_3D], ids=["2d", "3d"])
def test_more_or_less_padding_changes_nothing(args):
    _, _, predict = make(**args)
    inputs = make_example(3, 2, 1, 3)
    expected = predict(inputs)
    assert_close(predict(longer(inputs, 4)), expected)
    assert_close(predict(jax.tree.map(lambda a: a[:, :3], inputs)), expected)


@pytest.mark.slow
@pytest.mark.parametrize("args", [ALL, ALL_3D], ids=["2d", "3d"])
def test_more_padding_does_not_change_gradients(args):
    step, inputs = training_loss(**args), make_example(6, 5, 1, 3)
    assert_close(step(longer(inputs, 4)), step(inputs), 1e-3)
    again = training_loss(**args, remat=True)
    assert_close(again(inputs), step(inputs), 1e-3)


@pytest.mark.parametrize("args", [ALL, ALL_3D], ids=["2d", "3d"])
def test_an_object_without_observed_epochs_has_finite_output(args):
    _, _, predict = make(**args)
    output = predict(make_example(0, 5, 1, 3))
    assert not np.any(output.embedding[0])
    assert np.isfinite(output.logits).all()


# -- change ----------------------------------------------------------------------------


def change(inputs):
    row = np.eye(5)[inputs.band] * inputs.epoch_mask[..., None]
    image = np.where(inputs.epoch_mask[..., None, None], inputs.image, 0)
    return image, jax.jit(change_of)(image, np.float32(row))


def test_change_is_the_frame_minus_the_mean_of_its_band():
    inputs = make_example(30, 17, 1, 3, epochs=30)
    image, ours = change(inputs)
    assert np.shape(ours) == image.shape
    for frames, band, seen, found in zip(
        image, inputs.band, inputs.epoch_mask, ours, strict=True
    ):
        expected = frames.copy()
        for b in range(5):
            of_band = seen & (band == b)
            if of_band.any():
                expected[of_band] -= frames[of_band].mean(0)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_change_is_0_for_a_single_epoch_of_a_band_and_for_a_host():
    inputs = make_example(5, 5, epochs=5)
    inputs.epoch_mask[:] = True
    inputs.band[:] = np.arange(5)
    assert not np.any(change(inputs)[1])
    inputs.band[:] = [0, 1, 0, 1, 0]
    host = np.array([3.0, 700.0], np.float32)[inputs.band][..., None, None]
    without = change(inputs)[1]
    assert_close(change(inputs._replace(image=inputs.image + host))[1], without)


def test_change_is_used_only_with_the_option():
    model, variables, predict = make(**ALL)
    kernel = variables["params"]["conv_0"]["kernel"]
    assert kernel.shape[-2] == 3
    blind = jax.tree.map(jnp.copy, variables)
    blind["params"]["conv_0"]["kernel"] = kernel.at[..., 1, :].set(0)
    run = jax.jit(functools.partial(model.apply, train=False))
    inputs = make_example(6, 5, 4, 3)
    assert np.abs(run(blind, inputs).logits - predict(inputs).logits).max() > 1e-3


def test_the_change_of_asinh_images_is_computed_in_flux():
    inputs = make_example(6, 5, 4, 3)
    flux = inputs._replace(image=np.sinh(inputs.image))
    _, of_flux = change(flux)
    variables = make(change="linear", encoding="none", num_blocks=0)[1]
    seen = []  # input of the first convolution

    def record(next_one, args, kwargs, context):
        if context.module.name == "conv_0":
            seen.append(args[0])
        return next_one(*args, **kwargs)

    model = make(change="asinh", encoding="none", num_blocks=0)[0]
    with nn.intercept_methods(record):
        model.apply(variables, jax.tree.map(jnp.asarray, inputs), train=False)
    frames = np.moveaxis(np.asarray(seen[0]), 3, 0)[..., 1]  # n t y x: chunks of 3
    frames = frames.reshape(len(inputs.band), -1, *frames.shape[2:])
    np.testing.assert_allclose(
        frames[:, : inputs.band.shape[1]], np.arcsinh(of_flux), atol=1e-5
    )


# -- codes -----------------------------------------------------------------------------


def coded(**args):
    """A model without blocks, its maps before the codes, and its output."""
    model, variables, _ = make(num_blocks=0, norm="per_epoch", pool="mean_max", **args)
    weights = variables["params"]
    if "date" in weights:
        generator = np.random.default_rng(3)
        kernel = generator.normal(size=weights["date"]["kernel"].shape)
        weights = weights | {"date": {"kernel": jnp.float32(kernel)}}
    plain, _, _ = make(num_blocks=0, norm="per_epoch", pool="mean_max", encoding="none")

    @functools.partial(jax.jit, static_argnums=0)
    def means(model, inputs):
        output = model.apply(variables | {"params": weights}, inputs, train=False)
        return output.embedding[:, :4]

    return weights, lambda inputs: means(model, inputs) - means(plain, inputs)


def test_the_date_code_is_the_mean_of_a_linear_map_over_observed_frames():
    weights, code = coded(encoding="date")
    inputs = make_example(6, 5, 1, 3)
    found = code(inputs)
    for i, seen in enumerate(inputs.epoch_mask):
        maps = []
        for chunk in (slice(0, 3), slice(3, 6)):
            time = inputs.time[i, chunk][seen[chunk]]
            angle = 2 * np.pi * time[:, None] / PERIODS
            waves = np.concatenate([np.sin(angle), np.cos(angle)], 1)
            if len(time):
                maps.append(waves.mean(0) @ weights["date"]["kernel"])
        np.testing.assert_allclose(found[i], np.mean(maps, 0), atol=1e-3)


def test_the_band_token_is_the_mean_over_observed_frames():
    weights, code = coded(encoding="none", band_token=True)
    table = np.array(weights["band_token"]["kernel"])
    inputs = make_example(6, 5, 1, 3)
    found = code(inputs)
    for i, seen in enumerate(inputs.epoch_mask):
        bands = [inputs.band[i, c][seen[c]] for c in (slice(0, 3), slice(3, 6))]
        maps = [table[band + 1].mean(0) for band in bands if len(band)]
        np.testing.assert_allclose(found[i], np.mean(maps, 0), atol=1e-4)


def test_learned_codes_have_no_initial_effect():
    model, _, _ = make(band_token=True, encoding="date")

    @jax.jit
    def start(key, inputs):
        params = model.init(key, inputs, train=False)["params"]
        return params["date"], params["band_token"]

    date, token = start(jax.random.key(0), make_example(6))
    assert date["kernel"].shape == (2 * len(PERIODS), 4)
    assert token["kernel"].shape == (10, 4)
    assert not np.any(date["kernel"])
    assert not np.any(token["kernel"])


def test_the_band_token_depends_on_the_band_without_band_map():
    inputs = make_example(6, 5, 4, 3)
    swapped = inputs._replace(band=4 - inputs.band)
    _, _, predict = make(band_embedding="none", band_token=True)
    assert np.abs(predict(swapped).logits - predict(inputs).logits).max() > 1e-3
    inputs.band[1, 2] = 9  # observed, and beyond the table
    logits = predict(inputs).logits
    assert np.isnan(logits[1]).all()
    assert np.isfinite(np.delete(logits, 1, 0)).all()


# -- pooling ---------------------------------------------------------------------------


def test_mean_max_is_the_mean_over_observed_maps_and_the_maximum():
    alone = {"num_blocks": 0, "num_classes": 0}
    args = {"downsize": "2d", "encoding": "none", "norm": "per_epoch"}
    model, variables, _ = make(**args)
    params = {k: v for k, v in variables["params"].items() if "_" in k}
    variables = {"params": params, "batch_stats": variables["batch_stats"]}
    both = model.clone(pool="mean_max", **alone)
    inputs = make_example(6, 5, 1, 3)

    @functools.partial(jax.jit, static_argnums=0)
    def run(model, inputs):
        return model.apply(variables, inputs, train=False).embedding

    # every frame as a separate object
    frames = jax.tree.map(lambda a: a.reshape(-1, 1, *a.shape[2:]), inputs)
    maps = np.array(run(model.clone(**alone), frames)).reshape(4, 6, -1)
    seen = inputs.epoch_mask[..., None]
    mean = maps.sum(1) / seen.sum(1)  # unobserved frames give zeros
    best = np.where(seen, maps, -np.inf).max(1)
    assert_close(run(both, inputs), np.concatenate([mean, best], -1))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"downsize": "1d"}, "No downsize named '1d'. Known: 3d, 2d"),
        ({"pool": "sum"}, "No pool named 'sum'. Known: max, mean_max"),
        ({"encoding": "day"}, "'day'. Known: positional, mjd, date, none"),
        ({"widths": (4, 4)}, r"widths \(4, 4\) are 2 numbers. The CNN has 4 layers"),
    ],
)
def test_invalid_arguments_are_refused(args, message):
    with pytest.raises(ValueError, match=message):
        count(ConvEntion(4, **args), epochs=3, size=15)
