"""Models of single alerts: rotations, stamps, metadata and parameter counts."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.alerts import make_alerts

from jaxastro import losses
from jaxastro.augment import make_augment
from jaxastro.layers.alerts import STAMPS
from jaxastro.models import make_model


@functools.cache
def made(name, seed=0, **args):
    model = make_model(name, num_classes=5, **args)
    inputs = make_alerts(1, 1, 1)
    variables = jax.jit(functools.partial(model.init, train=False))(
        jax.random.key(seed), inputs
    )
    # Biases and values for unknown metadata are initially 0, which would hide effects.
    drawn = jax.tree.map(
        lambda x: x + 0.1 * jax.random.normal(jax.random.key(x.size), x.shape),
        variables["params"],
    )
    variables = variables | {"params": drawn}
    return variables, jax.jit(functools.partial(model.apply, variables, train=False))


def count(variables):
    return sum(x.size for x in jax.tree.leaves(variables["params"]))


def test_parameter_counts_are_the_published_ones():
    # 441,075, and a value for each of 23 metadata columns where it is unknown
    assert count(made("stamp_classifier")[0]) == 441_075 + 23
    # 4 x 2304 features of four rotations to 64 units, and the same convolutions, k = 3
    convolutions = 1_568 + 9_248 + 18_496 + 2 * 36_928
    dense = 4 * 2_304 * 64 + 64 + 64 * 64 + 64 + 64 * 5 + 5
    assert count(made("deep_hits")[0]) == convolutions + dense == 697_541


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_stamp_classifier_is_invariant_to_rotation_and_deep_hits_is_not(turns):
    inputs = make_alerts(1, 1, 1)
    turned = inputs._replace(stamp=np.rot90(inputs.stamp, turns, (2, 3)))
    blind = made("stamp_classifier")[1]
    for found, other in zip(blind(inputs)[:2], blind(turned)[:2], strict=True):
        np.testing.assert_array_equal(found, other)  # to the bit
    sees = made("deep_hits")[1]
    assert abs(sees(inputs).logits - sees(turned).logits).max() > 1e-3
    mirrored = inputs._replace(stamp=inputs.stamp[:, :, ::-1])
    assert abs(blind(inputs).logits - blind(mirrored).logits).max() > 1e-4


@pytest.mark.parametrize("name", ["stamp_classifier", "deep_hits"])
@pytest.mark.parametrize("seen", [("difference",), ("science", "template")])
def test_only_the_selected_stamps_are_used(name, seen):
    model = made(name, stamps=seen)[1]
    inputs = make_alerts(1, 1, 1)
    for channel, stamp in enumerate(STAMPS):
        other = inputs.stamp.copy()
        other[..., channel] += 1 + other[..., channel] ** 2
        change = abs(
            model(inputs._replace(stamp=other)).logits - model(inputs).logits
        ).max()
        assert (change > 1e-4) == (stamp in seen), (stamp, change)


def test_metadata_or_stamps_can_be_used_separately():
    inputs, other = make_alerts(1, 1, 1), make_alerts(1, 1, 1, seed=1)
    numbers = made("stamp_classifier", stamps=())[1]
    images = made("stamp_classifier", features=False)[1]
    same_numbers = other._replace(
        metadata=inputs.metadata, metadata_mask=inputs.metadata_mask
    )
    np.testing.assert_array_equal(numbers(inputs).logits, numbers(same_numbers).logits)
    assert abs(numbers(inputs).logits - numbers(other).logits).max() > 1e-3
    same_stamps = other._replace(stamp=inputs.stamp)
    np.testing.assert_array_equal(images(inputs).logits, images(same_stamps).logits)


def test_unknown_metadata_are_replaced_by_learned_values():
    variables, model = made("stamp_classifier")
    inputs = jax.tree.map(jnp.array, make_alerts(1, 1, 1))
    wild = np.where(inputs.metadata_mask, inputs.metadata, np.nan)
    np.testing.assert_array_equal(
        model(inputs).logits, model(inputs._replace(metadata=wild)).logits
    )
    assert not inputs.metadata_mask.all()
    network = make_model("stamp_classifier", num_classes=5)

    def loss(params):
        tree = variables | {"params": params}
        return network.apply(tree, inputs, train=False).logits[:, 0].sum()

    slope = jax.jit(jax.grad(loss))(variables["params"])["metadata"]["unknown"]
    unknown = ~inputs.metadata_mask[:, 0].all(0)
    assert (slope[unknown] != 0).any()
    assert not slope[~unknown].any()


@pytest.mark.parametrize("name", ["stamp_classifier", "deep_hits"])
def test_the_order_of_objects_has_no_effect(name):
    model, inputs = made(name)[1], make_alerts(1, 1, 1)
    other = model(type(inputs)(*(a[::-1] for a in inputs))).logits[::-1]
    np.testing.assert_allclose(model(inputs).logits, other, atol=2e-6)


@pytest.mark.parametrize(
    ("args", "inputs", "words"),
    [
        ({"stamps": ("diference",)}, make_alerts(1), "science, template, difference"),
        ({"stamps": (), "features": False}, make_alerts(1), "features is False"),
        ({}, make_alerts(2, epochs=2), "max_epochs"),
    ],
)
def test_invalid_arguments_are_refused(args, inputs, words):
    model = make_model("stamp_classifier", num_classes=5, **args)
    with pytest.raises(ValueError, match=words):
        model.init(jax.random.key(0), inputs, train=False)


def test_entropy_equals_that_of_scipy_and_is_largest_for_equal_probabilities():
    from scipy.stats import entropy

    logits = jnp.array([[0.0, 0, 0], [9, 0, 0], [1, 2, -40]])
    expected = entropy(jax.nn.softmax(logits), axis=1)
    np.testing.assert_allclose(losses.entropy(logits), expected, atol=1e-6)
    assert losses.entropy(logits)[0] == pytest.approx(np.log(3))


def test_views_rotate_all_stamps_of_an_object_equally():
    inputs = make_alerts(2, 2, epochs=2, size=9)
    inputs.stamp[..., 1:] = inputs.stamp[..., :1]  # three equal stamps
    inputs.stamp[:, 1] = inputs.stamp[:, :1, ...][:, 0]
    augment = jax.jit(make_augment(max_epochs=2, drop=0.0))
    view = augment(jax.random.key(0), inputs)
    stamp = np.asarray(view.stamp)
    assert np.abs(stamp - inputs.stamp).max() > 0.1
    np.testing.assert_array_equal(stamp[..., 0], stamp[..., 2])
    np.testing.assert_array_equal(stamp[:, 0], stamp[:, 1])
    np.testing.assert_array_equal(view.metadata, inputs.metadata)
