import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jaxastro.layers.batched_dot import batched_dot
from jaxastro.layers.fourier_conv import fourier_conv
from jaxastro.layers.temporal_conv import TemporalConv
from jaxastro.layers.toom_cook import MOST, toom_cook

# kernel, stride, padding, input frames, input channels of the layers of ConvEntion
CONVENTION = ((11, 2, 2, 3, 2), (5, 1, 2, 3, 4), (3, 1, 0, 5, 4), (3, 1, 0, 3, 4))


def conv_3d(params, x, stride, pad):
    """3-D convolution of XLA of x [t y x n d], with the weights of the layer."""
    out = jax.lax.conv_general_dilated(
        x,
        params["kernel"],
        window_strides=(stride,) * 3,
        padding=((pad, pad),) * 3,
        dimension_numbers=("DHWNC", "DHWIO", "DHWNC"),
    )
    return out + params["bias"]


def with_gradients(function):
    """Values, and gradients of a loss with a different weight for every output."""

    def loss(*arguments):
        out = function(*arguments)
        return jnp.sum(jnp.sin(jnp.arange(out.size).reshape(out.shape)) * out**2), out

    def both(*arguments):
        argnums = tuple(range(len(arguments)))
        grads, out = jax.grad(loss, argnums, has_aux=True)(*arguments)
        return out, grads

    return jax.jit(both)


def random(shape, seed=0):
    return jnp.array(np.random.default_rng(seed).normal(size=shape))


def random_params(layer, *inputs):
    shapes = jax.eval_shape(layer.init, jax.random.key(0), *inputs)["params"]
    return {
        name: random(leaf.shape, i) for i, (name, leaf) in enumerate(shapes.items())
    }


def assert_close(a, b, tolerance=1e-11):
    for left, right in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        scale = np.abs(right).max()
        np.testing.assert_allclose(left, right, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize(("kernel", "stride", "pad", "frames", "depth"), CONVENTION)
def test_each_layer_equals_the_3d_convolution(kernel, stride, pad, frames, depth):
    with jax.enable_x64(True):
        layer = TemporalConv(3, kernel, stride, pad)
        x = random((frames, 15, 14, 5, depth))
        params = random_params(layer, x)
        ours = with_gradients(lambda p, x: layer.apply({"params": p}, x))
        theirs = with_gradients(lambda p, x: conv_3d(p, x, stride, pad))
        assert_close(ours(params, x), theirs(params, x))


@settings(max_examples=6, deadline=None, derandomize=True)
@given(st.data())
def test_any_shape_equals_the_3d_convolution(data):
    def draw(low, high):
        return data.draw(st.integers(low, high))

    taps, kernel, stride = draw(1, 4), draw(1, 4), draw(1, 3)
    count, frames, depth, features = draw(1, 5), draw(1, 7), draw(1, 3), 2
    pad = draw(0, taps - 1)
    assume(frames + 2 * pad >= taps)
    height, width = draw(kernel, 7), draw(kernel, 7)
    with jax.enable_x64(True):
        layer = TemporalConv(features, kernel, stride, pad, taps)
        x = random((frames, height, width, count, depth))
        params = random_params(layer, x)
        assert_close(
            layer.apply({"params": params}, x), conv_3d(params, x, stride, pad)
        )


def test_a_table_of_maps_equals_the_channel_appended():
    with jax.enable_x64(True):
        layer = TemporalConv(3, kernel=11, stride=2, pad=2)
        x = random((3, 15, 14, 5, 1))
        table, weight = random((4, 15, 14), 1), random((3, 5, 4), 2)
        params = random_params(layer, x, table, weight)
        assert params["kernel"].shape == (3, 11, 11, 2, 3)

        def appended(params, x, table, weight):
            maps = jnp.einsum("tnm,myx->tyxn", weight, table)
            return conv_3d(params, jnp.concatenate([x, maps[..., None]], -1), 2, 2)

        ours = with_gradients(lambda p, *inputs: layer.apply({"params": p}, *inputs))
        arguments = (params, x, table, weight)
        assert_close(ours(*arguments), with_gradients(appended)(*arguments))


@pytest.mark.parametrize(("kernel", "stride", "pad"), [(11, 2, 2), (5, 1, 2)])
def test_one_tap_equals_the_2d_convolution_of_each_frame(kernel, stride, pad):
    with jax.enable_x64(True):
        layer = TemporalConv(3, kernel, stride, pad, taps=1)
        x = random((1, 15, 14, 5, 2))
        params = random_params(layer, x)
        expected = conv_2d(x, params["kernel"], stride=stride, pad=pad)
        assert_close(layer.apply({"params": params}, x), expected + params["bias"])


def test_initial_weights_match_torch():
    params = TemporalConv(64, 11).init(jax.random.key(0), jnp.zeros((3, 11, 11, 1, 2)))
    kernel, bias = params["params"]["kernel"], params["params"]["bias"]
    bound = (3 * 11 * 11 * 2) ** -0.5
    assert np.abs(kernel).max() == pytest.approx(bound, rel=1e-3)
    assert kernel.std() == pytest.approx(bound / 3**0.5, rel=0.01)
    assert kernel.size + bias.size == 46_528


def test_too_few_frames_are_refused():
    x = jnp.zeros((2, 9, 9, 1, 1))
    message = "2 frames padded by 0 are fewer than the kernel's 3 taps"
    with pytest.raises(ValueError, match=message):
        TemporalConv(2, 3).init(jax.random.key(0), x)
    with pytest.raises(ValueError, match="Padding by 3 frames makes outputs that dep"):
        TemporalConv(2, 3, pad=3).init(jax.random.key(0), x)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.integers(1, 4), st.integers(1, 6), st.data())
def test_toom_cook_equals_the_short_convolution(taps, frames, data):
    pad = data.draw(st.integers(0, taps - 1))
    assume(frames + 2 * pad >= taps)
    of_frames, of_taps, back = toom_cook(frames, taps, pad)
    x, w = np.random.default_rng(0).normal(size=(2, 6))[:, : max(frames, taps)]
    x, w = x[:frames], w[:taps]
    plain = np.correlate(np.pad(x, pad), w, mode="valid")
    np.testing.assert_allclose(back @ ((of_frames @ x) * (of_taps @ w)), plain)


def test_the_layers_of_convention_need_five_products_instead_of_nine():
    assert [len(toom_cook(*layer)[0]) for layer in ((3, 3, 2), (5, 3, 0))] == [5, 5]


def test_too_many_products_are_refused():
    message = rf"7 frames and 3 taps need 9 products.*points for {MOST}"
    with pytest.raises(ValueError, match=message):
        toom_cook(7, 3, 2)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.data())
def test_fourier_conv_equals_the_2d_convolution(data):
    def draw(low, high):
        return data.draw(st.integers(low, high))

    length = draw(1, 5)
    height, width, pad = draw(length, 9), draw(length, 9), draw(0, length - 1)
    with jax.enable_x64(True):
        x = random((2, height, width, draw(1, 3), 2))
        kernel = random((2, length, length, 2, 3), 1)
        ours = with_gradients(lambda *both: fourier_of_each(*both, pad=pad))
        theirs = with_gradients(lambda *both: conv_2d(*both, pad=pad))
        assert_close(ours(x, kernel), theirs(x, kernel))


def test_in_float32_the_fourier_form_is_as_accurate_as_the_direct_one():
    x, kernel = random((2, 13, 13, 4, 64)), random((2, 5, 5, 64, 8), 1)
    with jax.enable_x64(True):
        exact = conv_2d(x.astype(float), kernel.astype(float), pad=2)
    x, kernel = jnp.float32(x), jnp.float32(kernel)
    assert_close(fourier_of_each(x, kernel, pad=2), exact, 2e-6)
    assert_close(conv_2d(x, kernel, pad=2), exact, 2e-6)


@pytest.mark.parametrize("layer", CONVENTION)
def test_the_forms_for_cpu_and_accelerators_agree(layer, monkeypatch):
    kernel, stride, pad, frames, depth = layer
    with jax.enable_x64(True):
        conv, x = (
            TemporalConv(3, kernel, stride, pad),
            random((frames, 15, 14, 2, depth)),
        )
        params = random_params(conv, x)
        here = conv.apply({"params": params}, x)
        monkeypatch.setattr(jax, "default_backend", lambda: "tpu")
        assert_close(conv.apply({"params": params}, x), here)


def test_bfloat16_is_rounded_once_at_the_end():
    conv, x = TemporalConv(3, 3, 1, 0), random((5, 6, 6, 2, 4))
    params = random_params(conv, x)
    exact = conv.apply({"params": params}, x.astype(jnp.bfloat16).astype(float))
    rounded = conv.apply({"params": params}, x.astype(jnp.bfloat16))
    assert rounded.dtype == jnp.bfloat16
    assert_close(rounded.astype(float), exact, 2e-2)


def fourier_of_each(x, kernel, *, pad):
    """Our 2-D convolution of x [g y x n d], each group with its kernel."""
    pairs = zip(x, kernel, strict=True)
    return jnp.stack([fourier_conv(*both, pad=pad) for both in pairs])


def conv_2d(x, kernel, *, stride=1, pad=0):
    """2-D convolution of XLA of x [g y x n d], each group with its kernel."""
    return jnp.stack(
        [
            jax.lax.conv_general_dilated(
                frame,
                weights,
                window_strides=(stride, stride),
                padding=((pad, pad), (pad, pad)),
                dimension_numbers=("HWNC", "HWIO", "HWNC"),
            )
            for frame, weights in zip(x, kernel, strict=True)
        ]
    )


def test_batched_dot_equals_the_matrix_product_and_its_gradients():
    with jax.enable_x64(True):
        x, kernel = random((2, 3, 4, 5)), random((2, 3, 5, 6), 1)
        assert_close(
            with_gradients(batched_dot)(x, kernel),
            with_gradients(jnp.matmul)(x, kernel),
        )
