import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxastro.layers.masked_norm import NORMS, SeriesNorm

SHAPE = (2, 5, 3, 4, 6)  # b t y x d
AXES = {"joint": (1, 2, 3, 4), "per_epoch": (2, 3, 4)}


def make(over, seed=0, dtype=np.float32):
    generator = np.random.default_rng(seed)
    layer = SeriesNorm(over)
    x = jnp.array(generator.normal(3, 2, SHAPE), dtype)
    shape = tuple(SHAPE[i] for i in AXES[over])
    scale, bias = (jnp.array(generator.normal(size=shape), dtype) for _ in range(2))
    return layer, {"scale": scale, "bias": bias}, x


def mask_of(*lengths):
    return jnp.arange(SHAPE[1]) < jnp.array(lengths)[:, None]


@pytest.mark.parametrize("over", NORMS)
def test_without_padding_it_is_flax_layer_norm(over):
    layer, params, x = make(over)
    ours = layer.apply({"params": params}, x, mask_of(5, 5))
    reference = nn.LayerNorm(
        epsilon=1e-5, reduction_axes=AXES[over], feature_axes=AXES[over]
    )
    theirs = reference.apply({"params": params}, x)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("over", NORMS)
def test_masked_equals_sliced(over):
    layer, params, x = make(over)
    masked = layer.apply({"params": params}, x, mask_of(3, 3))[:, :3]
    sliced = layer.apply({"params": params}, x[:, :3], mask_of(3, 3)[:, :3])
    np.testing.assert_allclose(masked, sliced, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("over", NORMS)
@pytest.mark.parametrize("content", [0.0, 1e30, np.nan, np.inf])
def test_padded_epochs_cannot_change_a_bit_of_observed_ones(over, content):
    layer, params, x = make(over)
    mask = mask_of(3, 5)
    dirty = jnp.where(mask[..., None, None, None], x, content)
    clean = layer.apply({"params": params}, x, mask)
    dirty = layer.apply({"params": params}, dirty, mask)
    mask = np.array(mask)
    np.testing.assert_array_equal(np.array(clean)[mask], np.array(dirty)[mask])


@pytest.mark.parametrize("over", NORMS)
def test_the_output_of_padded_epochs_is_the_bias(over):
    # Otherwise, with a variance of 0, padded epochs grow with every block.
    layer, params, x = make(over)
    out = layer.apply({"params": params}, x, mask_of(3, 5))
    bias = np.broadcast_to(params["bias"], x.shape)
    np.testing.assert_array_equal(out[0, 3:], bias[0, 3:])


@pytest.mark.parametrize("over", NORMS)
def test_observed_epochs_have_mean_0_and_variance_1(over):
    layer, _, x = make(over)
    params = layer.init(jax.random.key(0), x, mask_of(5, 2))
    out = np.array(layer.apply(params, x, mask_of(5, 2)))[1, :2]
    axes = (0, 1, 2, 3) if over == "joint" else (1, 2, 3)
    np.testing.assert_allclose(out.mean(axes), 0, atol=1e-5)
    np.testing.assert_allclose(out.std(axes), 1, atol=1e-4)


def test_epochs_depend_on_each_other_with_joint_but_not_with_per_epoch():
    for over, is_alone in (("per_epoch", True), ("joint", False)):
        layer, params, x = make(over)
        later = x.at[:, 3:].multiply(7)
        before = layer.apply({"params": params}, x, mask_of(5, 5))[:, :3]
        after = layer.apply({"params": params}, later, mask_of(5, 5))[:, :3]
        assert np.array_equal(before, after) == is_alone


@pytest.mark.parametrize("over", NORMS)
def test_float64_stays_float64(over):
    with jax.enable_x64(True):
        layer, params, x = make(over, dtype=np.float64)
        out = layer.apply({"params": params}, x, mask_of(5, 5))
        mean = np.mean(x, AXES[over], keepdims=True)
        variance = np.var(x, AXES[over], keepdims=True)
        by_hand = (x - mean) / np.sqrt(variance + 1e-5)
        by_hand = by_hand * params["scale"] + params["bias"]
        np.testing.assert_allclose(out, by_hand, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("over", NORMS)
def test_an_object_without_observed_epochs_has_finite_output(over):
    layer, params, x = make(over)

    def loss(params, x):
        return jnp.sum(layer.apply({"params": params}, x, mask_of(0, 5)) ** 2)

    value, grads = jax.value_and_grad(loss, (0, 1))(params, x)
    assert np.isfinite(value)
    chex.assert_tree_all_finite(grads)


def test_scales_have_the_shape_of_the_normalised_axes():
    x, mask = jnp.zeros((1, 33, 9, 9, 8)), jnp.ones((1, 33), bool)
    count = {}
    for over in NORMS:
        variables = jax.eval_shape(SeriesNorm(over).init, jax.random.key(0), x, mask)
        count[over] = sum(p.size for p in jax.tree.leaves(variables))
    assert count == {"joint": 42_768, "per_epoch": 1_296}


def test_joint_weights_refuse_series_longer_than_in_training():
    layer, params, x = make("joint")
    longer, mask = jnp.concatenate([x, x], 1), jnp.ones((2, 10), bool)
    words = "A series of 10 maps. The joint norm was trained on series of 5"
    with pytest.raises(ValueError, match=words):
        layer.apply({"params": params}, longer, mask)


def test_an_unknown_name_is_refused_with_the_known_names():
    x, mask = jnp.zeros((1, 2, 3, 3, 1)), jnp.ones((1, 2), bool)
    with pytest.raises(ValueError, match=r"'batch'\. Known: joint, per_epoch"):
        SeriesNorm("batch").init(jax.random.key(0), x, mask)
