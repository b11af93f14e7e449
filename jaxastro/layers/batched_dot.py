"""Batched matrix product whose gradients keep the axis order of the inputs."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


@jax.custom_vjp
def batched_dot(
    x: Float[Array, "*batch n d"], kernel: Float[Array, "*batch d f"]
) -> Float[Array, "*batch n f"]:
    """Multiplies matrices on the last two axes, batched over all others.

    The default gradients of JAX have their axes exchanged. The layers need them in
    order, and a transpose costs as much as the products.

    Source: ours.
    Differs: equals x @ kernel and its gradients, up to rounding.
    """
    return _dot(x, -1, kernel, -2)


def _dot(a: Array, axis_a: int, b: Array, axis_b: int) -> Array:
    batch = tuple(range(a.ndim - 2))
    contract = ((a.ndim + axis_a,), (b.ndim + axis_b,))
    return jax.lax.dot_general(a, b, (contract, (batch, batch)))


def _forward(x, kernel):
    return batched_dot(x, kernel), (x, kernel)


def _backward(inputs, g):
    x, kernel = inputs
    if x.shape[-1] > g.shape[-1]:  # products of wide rows are faster than of tall ones
        return _dot(g, -1, kernel, -1), jnp.swapaxes(_dot(g, -2, x, -2), -1, -2)
    return _dot(g, -1, kernel, -1), _dot(x, -2, g, -2)


batched_dot.defvjp(_forward, _backward)
