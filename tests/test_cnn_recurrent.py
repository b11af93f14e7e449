"""CNN+GRU and CNN+LSTM: a CNN per frame and a recurrent network over time."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from support.runs import spec_of, task_of
from support.series import make_series

from configs import cnn_gru, cnn_lstm
from jaxastro.methods import make_method
from jaxastro.models.cnn_gru import CnnGru
from jaxastro.models.cnn_lstm import CnnLstm
from jaxastro.runs.model_building import build_model

SMALL = {
    CnnGru: {"widths": (4, 4), "hidden": 5, "class_hidden": 6, "bands": 3},
    CnnLstm: {"widths": (4, 4), "hidden": 5, "bands": 3},
}
BOTH = pytest.mark.parametrize("kind", SMALL)
FORMS = pytest.mark.parametrize("frames", ["merged", "embedded"])


def make_example(*lengths, epochs=6, size=9, seed=0):
    """Objects with the given numbers of epochs, two per night, the first with a gap."""
    generator = np.random.default_rng(seed)
    shape = (len(lengths), epochs)
    mask = np.arange(epochs) < np.array(lengths)[:, None]
    mask[0, epochs // 2] = False
    time = 7.0 * (np.arange(epochs) // 2) + 0.1 * np.arange(epochs)
    return make_series(
        image=generator.normal(size=(*shape, size, size)).astype(np.float32),
        time=np.broadcast_to(time, shape).astype(np.float32),
        band=generator.integers(0, 3, shape).astype(np.int32),
        epoch_mask=mask,
    )


@functools.cache
def make(kind, **args):
    """A small model, variables without values of 0 or 1, and its jitted predict."""
    model = kind(3, **(SMALL[kind] | args))
    init = functools.partial(model.init, train=False)
    shapes = jax.eval_shape(init, jax.random.key(0), make_example(6))
    generator = np.random.default_rng(1)

    def fill(path, leaf):
        is_positive = path[-1].key in ("scale", "var", "bias", "mean")
        low, high = (0.5, 1.5) if is_positive else (-0.7, 0.7)
        return jnp.array(generator.uniform(low, high, leaf.shape), leaf.dtype)

    variables = jax.tree.map_with_path(fill, shapes)
    predict = jax.jit(functools.partial(model.apply, train=False))
    return model, variables, functools.partial(predict, variables)


@functools.cache
def training_loss(kind, **args):
    """Jitted: loss, statistics and gradients of a training step, with dropout."""
    model, variables, _ = make(kind, **args)

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


def change(a, b):
    return np.abs(a.logits - b.logits).max()


# -- parameters ------------------------------------------------------------------------


def count(model, size=32):
    inputs = make_example(9, epochs=9, size=size)
    init = functools.partial(model.init, train=False)
    params = jax.eval_shape(init, jax.random.key(0), inputs)["params"]
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def test_parameter_counts_match_the_published_ones_for_five_bands_and_one():
    for kind, five, one, published in (
        (CnnGru, 1_992_868, 1_992_004, ("1.993M", "1.992M")),
        (CnnLstm, 2_190_068, 2_189_492, ("2.190M", "2.189M")),
    ):
        assert (count(kind(4)), count(kind(4, bands=1))) == (five, one)
        assert tuple(f"{n / 1e6:.3f}M" for n in (five, one)) == published


def test_bands_add_parameters_to_the_first_convolution_only():
    assert count(CnnGru(4)) - count(CnnGru(4, bands=1)) == 4 * 9 * 24 == 864
    assert count(CnnLstm(4)) - count(CnnLstm(4, bands=1)) == 4 * 9 * 16 == 576


def test_parameter_counts_of_the_variants():
    table = 10 * 32 * 32
    embedded = {"frames": "embedded"}
    assert count(CnnGru(4, **embedded)) == 1_992_004 + 9 * 24 + table
    assert count(CnnLstm(4, **embedded)) == 2_189_492 + 9 * 16 + table
    # one more input of three gates of 512, or four of 256, in both directions
    assert count(CnnGru(4, encoding="gaps")) == 1_992_868 + 2 * 3 * 512
    assert count(CnnLstm(4, encoding="gaps")) == 2_190_068 + 2 * 4 * 256
    assert count(CnnGru(3)) == 1_992_868 - 65
    assert count(CnnLstm(3)) == 2_190_068 - 513
    assert count(CnnGru(0)) == 1_992_868 - 65_600 - 260  # encoder without head
    assert count(CnnLstm(0)) == 2_190_068 - 2052


# -- padding ---------------------------------------------------------------------------


@pytest.mark.slow
@BOTH
@FORMS
def test_content_of_padded_frames_changes_no_bit(kind, frames):
    args = {"frames": frames, "encoding": "gaps"}
    _, _, predict = make(kind, **args)
    step = training_loss(kind, **args)
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


def padded(inputs, before, after):
    def pad(array):
        edges = [(0, 0), (before, after)] + [(0, 0)] * (array.ndim - 2)
        return np.pad(array, edges)

    return jax.tree.map(pad, inputs)


@BOTH
@FORMS
def test_more_padding_anywhere_changes_nothing(kind, frames):
    model, _, predict = make(kind, frames=frames, encoding="gaps")
    inputs = make_example(6, 5, 1, 3)
    assert model.any_length
    for before, after in ((0, 4), (3, 1)):
        assert_close(predict(padded(inputs, before, after)), predict(inputs), 1e-5)


@pytest.mark.slow
@BOTH
def test_more_padding_does_not_change_gradients(kind):
    step, inputs = training_loss(kind), make_example(6, 5, 1, 3)
    assert_close(step(padded(inputs, 0, 4)), step(inputs), 1e-3)


@BOTH
def test_an_object_without_observed_epochs_has_finite_output(kind):
    _, _, predict = make(kind)
    output = predict(make_example(0, 5, 1, 3))
    assert not np.any(output.embedding[0])
    assert np.isfinite(output.logits).all()


# -- symmetries ------------------------------------------------------------------------


@BOTH
def test_permuted_objects_give_permuted_outputs(kind):
    _, _, predict = make(kind)
    inputs, order = make_example(6, 5, 1, 3), np.array([2, 0, 3, 1])
    shuffled = predict(jax.tree.map(lambda a: a[order], inputs))
    expected = jax.tree.map(lambda a: a[order], predict(inputs))
    assert_close(shuffled, expected, 1e-5)


@BOTH
def test_the_order_of_nights_matters_but_not_that_within_a_night(kind):
    _, _, predict = make(kind)
    inputs = make_example(6, 6, 6, 6)
    inputs.epoch_mask[:] = True

    def reordered(places):
        moved = jax.tree.map(lambda a: a[:, places], inputs)
        return predict(moved._replace(time=inputs.time))

    assert change(reordered([1, 0, 3, 2, 5, 4]), predict(inputs)) < 1e-5
    assert change(reordered([2, 3, 0, 1, 4, 5]), predict(inputs)) > 1e-3


@BOTH
def test_only_time_differences_matter(kind):
    inputs = make_example(6, 5, 4, 3)
    for encoding in ("none", "gaps"):
        _, _, predict = make(kind, frames="embedded", encoding=encoding)
        expected = predict(inputs)
        later = predict(inputs._replace(time=inputs.time + 64))
        slower = predict(inputs._replace(time=inputs.time * 2))
        assert change(later, expected) < 1e-5
        assert (change(slower, expected) > 1e-3) == (encoding == "gaps")


@BOTH
@FORMS
def test_bands_matter_and_an_unknown_band_gives_nan(kind, frames):
    _, _, predict = make(kind, frames=frames, band_rows=4)
    inputs = make_example(6, 5, 1, 3)
    expected = predict(inputs)
    assert change(predict(inputs._replace(band=2 - inputs.band)), expected) > 1e-3
    for band in (-1, 3, 1000):
        wrong = make_example(6, 5, 1, 3)
        wrong.band[1, 2] = band  # observed
        wrong.band[0, 3] = band  # padded
        logits = predict(wrong).logits
        assert np.isnan(logits[1]).all()
        assert np.isfinite(np.delete(logits, 1, 0)).all()


# -- settings --------------------------------------------------------------------------


@BOTH
def test_the_encoder_equals_the_model_without_its_head(kind):
    model, variables, predict = make(kind)
    params = {k: v for k, v in variables["params"].items() if k != "head"}
    inputs = make_example(6, 5, 1, 3)
    encode = jax.jit(functools.partial(model.clone(num_classes=0).apply, train=False))
    output = encode(variables | {"params": params}, inputs)
    assert output.logits.shape == (4, 0)
    assert output.embedding.shape == (4, 10)  # the last state of each direction
    assert_close(output.embedding, predict(inputs).embedding)


@BOTH
def test_semiconformer_can_train_it(kind):
    model = kind(3, **SMALL[kind])
    augment = lambda key, inputs: inputs  # noqa: E731
    method = make_method("semiconformer", model, optax.sgd(0.1), augment, seed=0)
    inputs = make_example(6, 5)
    state = jax.eval_shape(method.init, jax.random.key(0), inputs)
    assert state.params["project_class"]["hidden"]["kernel"].shape[0] == 10
    assert jax.eval_shape(method.predict, state, inputs).logits.shape == (2, 3)


@BOTH
@FORMS
def test_bfloat16_applies_to_products_only(kind, frames):
    _, variables, predict = make(kind, frames=frames, dtype="bfloat16")
    inputs = make_example(6, 5, 1, 3)
    output = predict(inputs)
    for leaf in jax.tree.leaves((variables, output)):
        assert leaf.dtype == jnp.float32
    _, _, plain = make(kind, frames=frames)
    assert_close(output.embedding, plain(inputs).embedding, 0.05)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"frames": "stacked"}, "No frames 'stacked'. Known: merged, embedded"),
        ({"encoding": "mjd"}, "No encoding 'mjd'. Known: none, gaps"),
        ({"dtype": "float16"}, "No dtype named 'float16'. Known: float32, bfloat16"),
        ({"bands": 0}, "num_bands 0. A frame needs at least one band"),
    ],
)
@BOTH
def test_invalid_arguments_are_refused(kind, args, message):
    with pytest.raises(ValueError, match=message):
        count(kind(4, **args))


def test_frames_that_are_too_small_for_pooling_are_refused():
    message = "Frames of 15x15 pixels. 4 layers.*at least 16x16.*fewer widths"
    with pytest.raises(ValueError, match=message):
        count(CnnLstm(4), size=15)
    assert count(CnnGru(4), size=15)


@pytest.mark.parametrize("experiment", [cnn_gru, cnn_lstm])
def test_merged_frames_have_as_many_bands_as_the_survey(experiment):
    config = experiment.get_config("paper")
    config.selection.bands = ("g",)
    words = r"used in 1 bands \(g\).*have 5. Set config.model.args.bands=1"
    with pytest.raises(ValueError, match=words):
        build_model(spec_of(config), task_of(spec_of(config)))
    config.model.args.frames = "embedded"
    assert build_model(spec_of(config), task_of(spec_of(config))).any_length
