import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxastro.layers.conv_attention import ConvAttention

SHAPE = (3, 5, 4, 3, 6)  # b t y x d
HEADS = 3
ACTIVATION = {"linear": lambda x: x, "additive": jax.nn.relu}


def naive(params, x, mask, act):
    """The equation, computed for all pairs of epochs."""
    b, t, y, x_, d = x.shape
    qkv = x @ params["qkv"]["kernel"] + params["qkv"]["bias"]
    q, k, v = qkv[..., :d], qkv[..., d : 2 * d], qkv[..., 2 * d :]
    pairs = act(q[:, :, None] + k[:, None, :])  # b i j y x d
    score = conv(params["score"], pairs.reshape(-1, y, x_, d))
    score = score.reshape(b, t, t, y, x_, HEADS)
    score = jnp.where(mask[:, None, :, None, None, None], score, -jnp.inf)
    weight = jnp.exp(score - score.max(axis=2, keepdims=True))
    weight /= weight.sum(axis=2, keepdims=True)
    v = v.reshape(b, 1, t, y, x_, HEADS, d // HEADS)
    out = (weight[..., None] * v).sum(axis=2).reshape(b * t, y, x_, d)
    return conv(params["merge"], out).reshape(x.shape)


def conv(params, x):
    layout = ("NHWC", "HWIO", "NHWC")
    kernel = params["kernel"]
    out = jax.lax.conv_general_dilated(
        x, kernel, (1, 1), "SAME", dimension_numbers=layout
    )
    return out + params["bias"]


def random(shape, seed):
    return jnp.array(np.random.default_rng(seed).normal(size=shape))


def make(score, seed=0):
    """A layer, its weights without zeros, an input and a mask with gaps."""
    layer = ConvAttention(HEADS, score)
    x, mask = random(SHAPE, seed), np.random.default_rng(seed).random(SHAPE[:2]) < 0.6
    mask[0], mask[1] = True, [False, False, True, False, False]
    mask[:, 3 - seed] |= ~mask.any(1)
    mask = jnp.array(mask)
    shapes = jax.eval_shape(layer.init, jax.random.key(0), x, mask)["params"]
    leaves, tree = jax.tree.flatten(shapes)
    leaves = [random(leaf.shape, seed + i) for i, leaf in enumerate(leaves)]
    return layer, jax.tree.unflatten(tree, leaves), x, mask


def value_and_gradients(function):
    def loss(params, x, mask):
        out = function(params, x, mask)
        return jnp.sum(out * random(out.shape, 9)), out

    return jax.jit(jax.grad(loss, (0, 1), has_aux=True))


def assert_equal_to_rounding(a, b):
    """Compares to 1e-12 of the largest element, or of 1 where terms cancel."""
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * max(1, np.abs(b).max()))


@pytest.mark.parametrize("score", ["linear", "additive"])
def test_attention_equals_the_sum_over_all_pairs_in_values_and_gradients(score):
    act = ACTIVATION[score]
    layer = ConvAttention(HEADS, score)
    ours = value_and_gradients(lambda p, x, mask: layer.apply({"params": p}, x, mask))
    theirs = value_and_gradients(lambda p, x, mask: naive(p, x, mask, act))
    with jax.enable_x64(True):
        for seed in range(3):
            _, params, x, mask = make(score, seed)
            (grads, gradient_x), out = ours(params, x, mask)
            expected, expected_out = theirs(params, x, mask)
            assert_equal_to_rounding(out, expected_out)
            # The softmax cancels the bias of the score, so its gradient is rounding.
            scale = np.abs(grads["score"]["kernel"]).max()
            assert np.abs(grads["score"]["bias"]).max() < 1e-13 * scale
            jax.tree.map(assert_equal_to_rounding, (grads, gradient_x), expected)

            queries = jax.tree.map(lambda a: a[..., : SHAPE[-1]], grads["qkv"])
            for query in jax.tree.leaves(queries):
                if score == "linear":
                    assert not np.any(query)  # exactly, as queries are not used
                else:
                    assert np.abs(query).min() > 1e-6


def test_linear_gives_every_epoch_the_same_map_and_additive_does_not():
    layer, params, x, mask = make("linear")
    out = jax.jit(layer.apply)({"params": params}, x, mask)
    np.testing.assert_array_equal(out, np.broadcast_to(out[:, :1], out.shape))
    out = jax.jit(ConvAttention(HEADS, "additive").apply)({"params": params}, x, mask)
    assert np.abs(out[0] - out[0, :1]).max() > 0.1


@pytest.mark.parametrize("score", ["linear", "additive"])
def test_padded_epochs_cannot_change_a_bit_of_observed_ones(score):
    layer, params, x, mask = make(score)
    seen, apply = mask[..., None, None, None], jax.jit(layer.apply)
    clean = np.array(apply({"params": params}, x, mask))
    for content in (0.0, 1e6, -1e30):
        dirty = apply({"params": params}, jnp.where(seen, x, content), mask)
        np.testing.assert_array_equal(np.array(dirty)[mask], clean[mask])
    # without observed epochs the output is not NaN
    assert np.isfinite(apply({"params": params}, x, jnp.zeros_like(mask))).all()


@pytest.mark.parametrize("score", ["linear", "additive"])
def test_permuted_epochs_give_permuted_outputs(score):
    layer, order = ConvAttention(HEADS, score), jnp.array([3, 0, 4, 1, 2])
    apply = jax.jit(layer.apply)
    with jax.enable_x64(True):
        _, params, x, mask = make(score)
        out = apply({"params": params}, x, mask)[:, order]
        permuted = apply({"params": params}, x[:, order], mask[:, order])
        np.testing.assert_allclose(out, permuted, rtol=1e-11, atol=1e-11)


def test_parameter_count_is_the_published_one():
    x, mask = jnp.zeros((1, 2, 9, 9, 8)), jnp.ones((1, 2), bool)
    for score in ("linear", "additive"):
        init = ConvAttention(4, score).init
        shapes = jax.eval_shape(init, jax.random.key(0), x, mask)["params"]
        count = {k: sum(p.size for p in v.values()) for k, v in shapes.items()}
        assert count == {"qkv": 216, "score": 804, "merge": 584}


def test_invalid_arguments_are_refused():
    x, mask = jnp.zeros((1, 2, 3, 3, 4)), jnp.ones((1, 2), bool)
    with pytest.raises(ValueError, match=r"named 'dot'\. Known: linear, additive"):
        ConvAttention(2, "dot").init(jax.random.key(0), x, mask)
    with pytest.raises(ValueError, match="4 channels cannot be divided by 3 heads"):
        ConvAttention(3).init(jax.random.key(0), x, mask)
