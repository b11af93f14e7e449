"""bfloat16 for products, float32 for sensitive operations."""

import functools

import jax
import jax.extend
import jax.numpy as jnp
import numpy as np
import pytest
from support.series import make_series

from jaxastro.models.convention import DTYPES, ConvEntion

PRODUCTS = {"conv_general_dilated", "dot_general"}
# Operations of norms, statistics and softmax, which need more than 8 bits.
DELICATE = {"exp", "log", "rsqrt", "sqrt", "div", "reduce_sum", "cumsum", "sin", "cos"}


def inputs(num_objects=2):
    generator = np.random.default_rng(0)
    shape = (num_objects, 6)
    return make_series(
        image=jnp.array(generator.normal(size=(*shape, 21, 21)), jnp.float32),
        time=jnp.array(np.sort(generator.uniform(0, 100, shape), 1), jnp.float32),
        band=jnp.array(generator.integers(0, 5, shape)),
        epoch_mask=jnp.arange(6) < jnp.array([[6], [4]])[:num_objects],
    )


@functools.cache
def made(**args):
    small = {"widths": (8, 8, 8, 8), "num_heads": 2, "hidden": 16}
    model = ConvEntion(3, **(small | args))
    return model, model.init(jax.random.key(0), inputs(), train=False)


def forward(model):
    return functools.partial(
        model.apply, train=True, mutable=["batch_stats"], rngs={"dropout": RNG}
    )


RNG = jax.random.key(1)


def types_of(jaxpr):
    """Every primitive with the types of its inputs, also in loops and branches."""
    for equation in jaxpr.eqns:
        kinds = {str(v.aval.dtype) for v in equation.invars if hasattr(v, "aval")}
        yield equation.primitive.name, kinds
        for inner in jax.extend.core.jaxprs_in_params(equation.params):
            yield from types_of(inner)


@pytest.mark.parametrize("score", ["linear", "additive"])
@pytest.mark.parametrize("norm", ["joint", "per_epoch"])
def test_products_are_bfloat16_and_sensitive_operations_float32(score, norm):
    model, variables = made(dtype="bfloat16", score=score, norm=norm)
    traced = jax.make_jaxpr(forward(model))(variables, inputs())
    seen = list(types_of(traced.jaxpr))
    of_products = [kinds for name, kinds in seen if name in PRODUCTS]
    assert sum("bfloat16" in kinds for kinds in of_products) >= 8
    # In float32: one-hot bands with maps, the output of attention, and the head.
    assert {"float32"} in of_products
    for name, kinds in seen:
        if name in DELICATE:
            assert "bfloat16" not in kinds, name


def test_parameters_statistics_and_outputs_stay_float32():
    model, variables = made(dtype="bfloat16")
    output, updated = jax.jit(forward(model))(variables, inputs())
    kept = (variables, updated, output.logits, output.embedding)
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(kept)} == {"float32"}
    plain, _ = made(dtype="float32")
    init = functools.partial(plain.init, train=False)
    shapes = jax.eval_shape(init, jax.random.key(0), inputs())
    assert jax.tree.structure(shapes) == jax.tree.structure(variables)


def test_bfloat16_predictions_are_close_to_float32():
    (model, variables), (half, _) = made(), made(dtype="bfloat16")
    exact, _ = jax.jit(forward(model))(variables, inputs())
    near, _ = jax.jit(forward(half))(variables, inputs())
    scale = np.abs(exact.embedding).max()
    off = np.abs(exact.embedding - near.embedding).max() / scale
    assert 1e-5 < off < 0.1  # it is used, and close


def test_an_unknown_type_is_refused_with_the_known_names():
    with pytest.raises(ValueError, match=f"named 'float16'. Known: {DTYPES[0]}, "):
        made(dtype="float16")
