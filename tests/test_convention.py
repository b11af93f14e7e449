import functools
from typing import get_type_hints

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.series import make_series

from jaxastro.models import MODELS, make_model
from jaxastro.models.convention import BAND_EMBEDDINGS, DOWNSIZE, ConvEntion, Head
from jaxastro.types import Series

# Parameters of every model with four classes, 99 epochs and 32x32 pixels.
PARAMETERS = {
    "convention": 1_253_108,
    "cnn_gru": 1_992_868,
    "cnn_lstm": 2_190_068,
    "frame_transformer": 137_716,
    "visit_transformer": 188_820,
}


def make_example(*lengths, epochs=6, size=15, seed=0):
    """Objects with the given numbers of epochs, the first with a gap."""
    generator = np.random.default_rng(seed)
    shape = (len(lengths), epochs)
    mask = np.arange(epochs) < np.array(lengths)[:, None]
    mask[0, epochs // 2] = False
    return make_series(
        image=generator.normal(size=(*shape, size, size)).astype(np.float32),
        time=np.sort(generator.uniform(0, 100, shape), 1).astype(np.float32),
        band=generator.integers(0, 5, shape).astype(np.int32),
        epoch_mask=mask,
    )


@functools.cache
def make(**args):
    """A small model, variables without values of 0 or 1, and its jitted predict."""
    small = {"widths": (4, 4, 4, 4), "num_blocks": 1, "num_heads": 2, "hidden": 8}
    model = ConvEntion(3, **(small | args))
    init = functools.partial(model.init, train=False)
    shapes = jax.eval_shape(init, jax.random.key(0), make_example(6))
    generator = np.random.default_rng(1)

    def fill(path, leaf):
        is_kernel = path[-1].key in ("kernel", "band_table")
        low, high = (-0.5, 0.5) if is_kernel else (0.5, 1.5)
        return jnp.array(generator.uniform(low, high, leaf.shape), leaf.dtype)

    variables = jax.tree.map_with_path(fill, shapes)
    predict = jax.jit(functools.partial(model.apply, train=False))
    return model, variables, functools.partial(predict, variables)


@functools.cache
def training_loss(**args):
    """Jitted: loss and gradients of a training step, with dropout."""
    model, variables, _ = make(**args)

    def loss(params, inputs):
        output, updated = model.apply(
            variables | {"params": params},
            inputs,
            train=True,
            rngs={"dropout": jax.random.key(2)},
            mutable=["batch_stats"],
        )
        return jnp.sum(jnp.sin(output.logits)), updated

    step = jax.jit(jax.value_and_grad(loss, has_aux=True))
    return functools.partial(step, variables["params"])


def assert_same_bits(a, b):
    chex.assert_trees_all_equal(a, b)


def assert_close(a, b, tolerance=1e-4):
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance),
        a,
        b,
    )


# -- parameters ------------------------------------------------------------------------


def count(model, epochs=99, size=32):
    inputs = make_example(epochs, epochs=epochs, size=size)
    init = functools.partial(model.init, train=False)
    params = jax.eval_shape(init, jax.random.key(0), inputs)["params"]
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def test_every_model_has_its_pinned_parameter_count():
    of_images = {
        name
        for name, model in MODELS.items()
        if get_type_hints(model.__call__)["inputs"] is Series
    }
    assert set(PARAMETERS) == of_images, "a new model needs its line in PARAMETERS"
    for name, expected in PARAMETERS.items():
        assert count(make_model(name, num_classes=4)) == expected


def test_parameter_counts_of_the_published_variants():
    assert count(ConvEntion(3)) == 1_252_851
    assert count(ConvEntion(0)) == 1_085_936  # encoder without head
    assert count(ConvEntion(4, score="additive")) == 1_253_108
    # four norms of 2 x 9 x 9 x 8 scales and biases, not 2 x 33 x 9 x 9 x 8
    assert count(ConvEntion(4, norm="per_epoch")) == 1_253_108 - 4 * 2 * 32 * 648
    assert count(ConvEntion(4, band_embedding="fixed")) == 1_253_108 - 10 * 1024
    no_channel = 3 * 11 * 11 * 64
    without = 1_253_108 - 10 * 1024 - no_channel
    assert count(ConvEntion(4, band_embedding="none")) == without


@pytest.mark.parametrize(("size", "map_size"), [(15, 1), (21, 4), (32, 9), (33, 10)])
@pytest.mark.parametrize("epochs", [1, 3, 7])
def test_any_size_and_length_fits(size, map_size, epochs):
    inputs = make_example(epochs, epochs, epochs=epochs, size=size)

    def run(key, inputs):
        return ConvEntion(4).init_with_output(key, inputs, train=False)[0]

    output = jax.eval_shape(run, jax.random.key(0), inputs)
    assert output.logits.shape == (2, 4)
    assert output.embedding.shape == (2, map_size**2 * 8)
    assert output.aux == {}


# -- the published forward pass, without optimisations ---------------------------------


def published(variables, image, band):
    """ConvEntion on fully observed series, with 3-D convolutions and all pairs."""
    params, stats = variables["params"], variables["batch_stats"]
    b, t, size, _ = image.shape
    x = jnp.stack([image, params["band_table"][band + 1]], axis=-1)
    x = x.reshape(b * t // 3, 3, size, size, 2)
    for i, (_, stride, pad) in enumerate(DOWNSIZE):
        x = convolve(params[f"conv_{i}"], x, stride, pad)
        x = jax.nn.relu(batch_norm(params[f"norm_{i}"], stats[f"norm_{i}"], x))
    x = x.reshape(b, t // 3, *x.shape[2:])
    n, _, _, d = x.shape[1:]
    for j in range(n):
        for c in range(d):
            angle = j / 10000 ** (2 * (c // 2) / d)
            x = x.at[:, j, :, :, c].add(np.cos(angle) if c % 2 else np.sin(angle))
    for i in range(2):
        weights, running = params[f"block_{i}"], stats[f"block_{i}"]
        x = x + attention(weights["attention"], layer_norm(weights["norm_0"], x))
        y = layer_norm(weights["norm_1"], x)
        for j in range(2):
            y = jax.nn.relu(convolve_frames(weights[f"conv_{j}"], y))
            name = f"batch_norm_{j}"
            y = batch_norm(weights[name], running[name], y)
        x = x + y
    embedding = x.max(axis=1).reshape(b, -1)
    hidden = jax.nn.relu(dense(params["head"]["hidden"], embedding))
    return dense(params["head"]["logits"], hidden), embedding


def dense(weights, x):
    return x @ weights["kernel"] + weights["bias"]


def convolve(weights, x, stride, pad):
    layout = ("NDHWC", "DHWIO", "NDHWC")
    out = jax.lax.conv_general_dilated(
        x, weights["kernel"], (stride,) * 3, ((pad, pad),) * 3, dimension_numbers=layout
    )
    return out + weights["bias"]


def convolve_frames(weights, x):
    layout = ("NHWC", "HWIO", "NHWC")
    flat = x.reshape(-1, *x.shape[-3:])
    out = jax.lax.conv_general_dilated(
        flat, weights["kernel"], (1, 1), "SAME", dimension_numbers=layout
    )
    out = out + weights["bias"]
    return out.reshape(*x.shape[:-1], -1)


def batch_norm(weights, running, x):
    normal = (x - running["mean"]) / jnp.sqrt(running["var"] + 1e-5)
    return normal * weights["scale"] + weights["bias"]


def layer_norm(weights, x):
    axes = (1, 2, 3, 4)
    variance = x.var(axes, keepdims=True)
    normal = (x - x.mean(axes, keepdims=True)) / jnp.sqrt(variance + 1e-5)
    return normal * weights["scale"] + weights["bias"]


def attention(weights, x, heads=2):
    q, k, v = jnp.split(dense(weights["qkv"], x), 3, axis=-1)
    score = convolve_frames(weights["score"], q[:, :, None] + k[:, None])
    share = jax.nn.softmax(score, axis=2)  # b i j y x n
    v = v.reshape(*v.shape[:-1], heads, -1)
    out = jnp.einsum("bijyxn,bjyxnc->biyxnc", share, v)
    return convolve_frames(weights["merge"], out.reshape(x.shape))


def test_the_model_equals_the_published_network_without_padding():
    _, variables, predict = make(num_blocks=2)
    inputs = make_example(6, 6)._replace(epoch_mask=np.ones((2, 6), bool))
    logits, embedding = jax.jit(published)(variables, inputs.image, inputs.band)
    output = predict(inputs)
    assert_close((output.logits, output.embedding), (logits, embedding))


# -- padding ---------------------------------------------------------------------------

ADDITIVE = {"norm": "per_epoch", "encoding": "mjd", "score": "additive"}


@pytest.mark.slow
@pytest.mark.parametrize("args", [{}, ADDITIVE])
def test_content_of_padded_frames_changes_no_bit(args):
    _, _, predict = make(**args)
    step = training_loss(**args)
    clean = make_example(6, 5, 1, 3)
    mask = clean.epoch_mask
    expected, stepped = predict(clean), step(clean)
    assert np.isfinite(expected.logits).all()
    assert np.isfinite(stepped[0][0])
    for content in (np.nan, np.inf, 1e30):
        dirty = make_series(
            image=np.where(mask[..., None, None], clean.image, np.float32(content)),
            time=np.where(mask, clean.time, np.float32(content)),
            band=np.where(mask, clean.band, 99),
            epoch_mask=mask,
        )
        assert_same_bits(predict(dirty), expected)
        assert_same_bits(step(dirty), stepped)


def longer(inputs, extra):
    def pad(array):
        return np.pad(array, [(0, 0), (0, extra)] + [(0, 0)] * (array.ndim - 2))

    return jax.tree.map(pad, inputs)


def test_more_padding_changes_nothing_with_a_norm_per_epoch():
    _, _, predict = make(norm="per_epoch")
    inputs = make_example(6, 5, 1, 3)
    assert_close(predict(longer(inputs, 4)), predict(inputs))


@pytest.mark.slow
def test_more_padding_does_not_change_gradients_with_a_norm_per_epoch():
    step, inputs = training_loss(**ADDITIVE), make_example(6, 5, 1, 3)
    assert_close(step(longer(inputs, 4)), step(inputs), 1e-3)


def test_padding_matters_with_masked_false_as_published():
    _, _, predict = make(norm="per_epoch", masked=False)
    inputs = make_example(6, 5, 1, 3)
    assert np.isfinite(predict(inputs).logits).all()
    change = predict(longer(inputs, 3)).logits - predict(inputs).logits
    assert np.abs(change).max() > 1e-3


@pytest.mark.parametrize("args", [{}, ADDITIVE])
def test_series_can_be_shorter_than_in_training(args):
    model, _, predict = make(**args)
    inputs = make_example(3, 2, 1, 3)
    short = jax.tree.map(lambda array: array[:, :3], inputs)
    assert model.any_length
    # Logits reach 20, where float32 has steps of 2e-6, and sums are of another order.
    assert_close(predict(short), predict(inputs), 5e-5)


def test_a_model_that_attends_to_padding_takes_one_length():
    assert not ConvEntion(4, masked=False).any_length


def test_the_joint_norm_refuses_longer_series():
    _, _, predict = make()
    with pytest.raises(ValueError, match="series of 3 maps"):
        predict(longer(make_example(6, 5, 1, 3), 3))


def test_an_object_without_observed_epochs_has_finite_output():
    _, _, predict = make()
    output = predict(make_example(0, 5, 1, 3))
    assert not np.any(output.embedding[0])
    assert np.isfinite(output.logits).all()


# -- symmetries ------------------------------------------------------------------------


def test_permuted_objects_give_permuted_outputs():
    _, _, predict = make()
    inputs, order = make_example(6, 5, 1, 3), np.array([2, 0, 3, 1])
    shuffled = predict(jax.tree.map(lambda a: a[order], inputs))
    expected = jax.tree.map(lambda a: a[order], predict(inputs))
    assert_close(shuffled, expected, 1e-5)


def swap_chunks(inputs):
    return jax.tree.map(lambda a: a[:, [3, 4, 5, 0, 1, 2]], inputs)


def test_only_the_encoding_depends_on_the_order_of_chunks():
    inputs = make_example(6, 5, 4, 3)
    timeless = swap_chunks(inputs)._replace(time=inputs.time)
    for encoding, knows_place, knows_time in (
        ("none", False, False),
        ("mjd", False, True),
        ("positional", True, False),
    ):
        _, _, predict = make(norm="per_epoch", encoding=encoding)
        expected = predict(inputs).logits
        for other, differs in (
            (swap_chunks(inputs), knows_place),
            (timeless, knows_place or knows_time),
            (inputs._replace(time=inputs.time * 2), knows_time),
        ):
            change = np.abs(predict(other).logits - expected).max()
            assert (change > 1e-3) == differs
            assert differs or change < 5e-5  # of logits of 30


def test_bands_matter_unless_their_embedding_is_none():
    inputs = make_example(6, 5, 1, 3)
    swapped = inputs._replace(band=4 - inputs.band)
    for band_embedding in BAND_EMBEDDINGS:
        _, _, predict = make(band_embedding=band_embedding)
        change = np.abs(predict(swapped).logits - predict(inputs).logits).max()
        assert (change > 1e-3) == (band_embedding != "none")


@pytest.mark.parametrize("band_embedding", ["learned", "fixed"])
def test_nine_bands_have_a_map_and_any_other_gives_nan(band_embedding):
    _, _, predict = make(band_embedding=band_embedding)
    for band in (0, 8):
        inputs = make_example(6, 5, 1, 3)
        inputs.band[1, 2] = band
        assert np.isfinite(predict(inputs).logits).all()
    for band in (-1, 9, 1000):
        inputs = make_example(6, 5, 1, 3)
        inputs.band[1, 2] = band  # observed
        inputs.band[0, 3] = band  # padded
        logits = predict(inputs).logits
        assert np.isnan(logits[1]).all()
        assert np.isfinite(np.delete(logits, 1, 0)).all()


# -- settings --------------------------------------------------------------------------


@pytest.mark.slow
def test_remat_does_not_change_the_network():
    inputs = make_example(6, 5, 1, 3)
    kept, again = training_loss(**ADDITIVE), training_loss(**ADDITIVE, remat=True)
    assert_close(again(inputs), kept(inputs), 1e-3)


def test_the_encoder_equals_the_model_without_its_head():
    model, variables, predict = make()
    encoder = model.clone(num_classes=0)
    params = {k: v for k, v in variables["params"].items() if k != "head"}
    inputs = make_example(6, 5, 1, 3)
    encode = jax.jit(functools.partial(encoder.apply, train=False))
    output = encode(variables | {"params": params}, inputs)
    assert output.logits.shape == (4, 0)
    assert_close(output.embedding, predict(inputs).embedding)


def test_dropout_applies_in_training_only():
    head, x = Head(hidden=8, num_classes=3, dropout=0.5), jnp.ones((2, 5))
    variables = head.init(jax.random.key(0), x, train=False)

    def train_with(seed):
        rngs = {"dropout": jax.random.key(seed)}
        return head.apply(variables, x, train=True, rngs=rngs)

    assert np.abs(train_with(0) - train_with(1)).max() > 1e-3
    assert np.isfinite(head.apply(variables, x, train=False)).all()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"band_embedding": "hot"}, "'hot'. Known: learned, fixed, none"),
        ({"encoding": "time"}, "'time'. Known: positional, mjd, date, none"),
        ({"score": "dot"}, "'dot'. Known: linear, additive"),
        ({"norm": "batch"}, "'batch'. Known: joint, per_epoch"),
        ({"num_heads": 3}, "8 channels cannot be divided by 3 heads"),
    ],
)
def test_invalid_arguments_are_refused(args, message):
    with pytest.raises(ValueError, match=message):
        count(ConvEntion(4, **args), epochs=3, size=15)


def test_frames_too_small_for_the_3d_cnn_are_refused():
    message = "Frames of 14x14 pixels.*at least 15x15.*Use larger frames"
    with pytest.raises(ValueError, match=message):
        count(ConvEntion(4), epochs=3, size=14)


def test_an_unknown_model_is_refused_with_the_known_names():
    with pytest.raises(
        ValueError, match=r"No model named 'resnet'\. Known models: conv"
    ):
        make_model("resnet", num_classes=4)
