import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jaxastro.layers.frame_conv import BLOCK, frame_conv
from jaxastro.layers.temporal_conv import TemporalConv

# kernel, stride, padding, frames in, channels in: ConvEntion's four layers
CONVENTION = ((11, 2, 2, 3, 2), (5, 1, 2, 3, 4), (3, 1, 0, 5, 4), (3, 1, 0, 3, 4))


def conv_3d(params, x, stride, pad):
    """XLA's own 3-D convolution, with the layer's weights."""
    out = jax.lax.conv_general_dilated(
        x,
        params["kernel"],
        window_strides=(stride,) * 3,
        padding=((pad, pad),) * 3,
        dimension_numbers=("NDHWC", "DHWIO", "NDHWC"),
    )
    return out + params["bias"]


def with_gradients(function):
    """Values, and the gradients of a loss that weights every output differently."""

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
def test_it_is_the_3d_convolution_of_each_layer(kernel, stride, pad, frames, depth):
    with jax.enable_x64(True):
        layer = TemporalConv(3, kernel, stride, pad)
        x = random((5, frames, 15, 14, depth))
        params = random_params(layer, x)
        ours = with_gradients(lambda p, x: layer.apply({"params": p}, x))
        theirs = with_gradients(lambda p, x: conv_3d(p, x, stride, pad))
        assert_close(ours(params, x), theirs(params, x))


@settings(max_examples=6, deadline=None, derandomize=True)
@given(st.data())
def test_it_is_the_3d_convolution_of_any_shape(data):
    def draw(low, high):
        return data.draw(st.integers(low, high))

    taps, kernel, stride = draw(1, 4), draw(1, 4), draw(1, 3)
    count, frames, depth, features = draw(1, 2 * BLOCK), draw(1, 6), draw(1, 3), 2
    pad = draw(0, taps - 1)
    assume(frames + 2 * pad >= taps)
    height, width = draw(kernel, 7), draw(kernel, 7)
    with jax.enable_x64(True):
        layer = TemporalConv(features, kernel, stride, pad, taps)
        x = random((count, frames, height, width, depth))
        params = random_params(layer, x)
        assert_close(
            layer.apply({"params": params}, x), conv_3d(params, x, stride, pad)
        )


def test_a_table_of_maps_equals_the_channel_appended():
    with jax.enable_x64(True):
        layer = TemporalConv(3, kernel=11, stride=2, pad=2)
        x = random((5, 3, 15, 14, 1))
        table, weight = random((4, 15, 14), 1), random((5, 3, 4), 2)
        params = random_params(layer, x, table, weight)
        assert params["kernel"].shape == (3, 11, 11, 2, 3)

        def appended(params, x, table, weight):
            maps = jnp.einsum("ntm,myx->ntyx", weight, table)
            return conv_3d(params, jnp.concatenate([x, maps[..., None]], -1), 2, 2)

        ours = with_gradients(lambda p, *inputs: layer.apply({"params": p}, *inputs))
        arguments = (params, x, table, weight)
        assert_close(ours(*arguments), with_gradients(appended)(*arguments))


def test_weights_start_as_torch_starts_them():
    params = TemporalConv(64, 11).init(jax.random.key(0), jnp.zeros((1, 3, 11, 11, 2)))
    kernel, bias = params["params"]["kernel"], params["params"]["bias"]
    bound = (3 * 11 * 11 * 2) ** -0.5
    assert np.abs(kernel).max() == pytest.approx(bound, rel=1e-3)
    assert kernel.std() == pytest.approx(bound / 3**0.5, rel=0.01)
    assert kernel.size + bias.size == 46_528


def test_too_few_frames_are_refused():
    x = jnp.zeros((1, 2, 9, 9, 1))
    message = "2 frames padded by 0 are fewer than the kernel's 3 taps"
    with pytest.raises(ValueError, match=message):
        TemporalConv(2, 3).init(jax.random.key(0), x)
    with pytest.raises(ValueError, match="Padding by 3 frames makes outputs that see"):
        TemporalConv(2, 3, pad=3).init(jax.random.key(0), x)


@pytest.mark.parametrize(
    ("count", "size", "stride", "pad"),
    [
        (1, 1, 1, 0),
        (BLOCK - 1, 3, 1, 1),
        (BLOCK, 3, 2, 0),
        (BLOCK + 1, 5, 3, 2),
        (2 * BLOCK + 3, 2, 2, 1),
        (3, 7, 2, 3),  # a kernel as large as this is XLA's own
    ],
)
def test_frame_conv_is_the_2d_convolution(count, size, stride, pad):
    def plain(x, kernel):
        return jax.lax.conv_general_dilated(
            x,
            kernel,
            window_strides=(stride, stride),
            padding=((pad, pad), (pad, pad)),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )

    with jax.enable_x64(True):
        x, kernel = random((count, 9, 8, 2)), random((size, size, 2, 3), 1)
        assert_close(frame_conv(x, kernel, stride=stride, pad=pad), plain(x, kernel))
        if count == BLOCK + 1:  # the rows that fill the last block get no gradient
            ours = with_gradients(
                lambda x, kernel: frame_conv(x, kernel, stride=stride, pad=pad)
            )
            assert_close(ours(x, kernel), with_gradients(plain)(x, kernel))
