"""Gradient accumulation over parts of a batch that does not fit into memory."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Tree = Any


def accumulated(
    grad_fn: Callable[[Tree, Array, Tree], tuple[tuple[Array, tuple], Tree]],
    statistics: Tree,
    key: Array,
    rows: Tree,
    *,
    parts: int,
) -> tuple[tuple[Float[Array, ""], tuple[Tree, dict]], Tree]:
    """Returns the result of grad_fn for all rows, with the memory for one part.

        loss = sum over parts of loss_fn(part);  the gradient is summed likewise

    This is exact if the loss is a sum over objects with weights for the complete batch.
    Batch statistics are the exception: each part is normalised by its own statistics,
    and the running statistics are updated after every part.

    Args:
        grad_fn: jax.value_and_grad of (params, statistics, key, rows) -> loss, (new
            statistics, scalars to sum), with params already bound.
        statistics: batch statistics before the step.
        rows: arrays whose first axis is objects. Part k gets the objects k, k + parts,
            ..., so that in every part each device computes on its own objects.
        parts: number of parts; it divides the number of objects.
    Source: ours.
    Differs: nothing to differ from.
    """
    if parts == 1:
        return grad_fn(statistics, key, rows)

    def split(a: Array) -> Array:
        # Not -1, which is ambiguous for an array of size 0.
        rows = a.reshape(a.shape[0] // parts, parts, *a.shape[1:])
        return jnp.moveaxis(rows, 1, 0)

    def add_part(carry, part):
        total, statistics, number = carry
        (loss, (statistics, scalars)), grads = grad_fn(
            statistics, jax.random.fold_in(key, number), part
        )
        total = jax.tree.map(jnp.add, total, (loss, scalars, grads))
        return (total, statistics, number + 1), None

    split_rows = jax.tree.map(split, rows)
    first = jax.tree.map(lambda a: a[0], split_rows)
    (loss, (_, scalars)), grads = jax.eval_shape(grad_fn, statistics, key, first)
    zeros = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), (loss, scalars, grads))
    carry = (zeros, statistics, jnp.int32(0))
    (total, statistics, _), _ = jax.lax.scan(add_part, carry, split_rows)
    loss, scalars, grads = total
    return (loss, (statistics, scalars)), grads
