"""Gradients of a batch that is too large for the memory, part by part."""

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
    """Returns what grad_fn would of all rows at once, and needs the memory of a part.

        loss = sum over parts of loss_fn(part),  gradient likewise

    which is exact where a loss is a sum over objects with weights that were chosen
    over the whole batch. Batch statistics are the exception: each part is normalised by
    its own, and the running ones are updated after every part.

    Args:
        grad_fn: jax.value_and_grad of (params, statistics, key, rows) -> loss, (new
            statistics, scalars to add up), its params already given.
        rows: arrays whose first axis, objects, is shared out: part k gets the objects
            k, k + parts ..., so that each device works on its own in every part.

    Source: ours.
    Differs: nothing to differ from.
    """
    if parts == 1:
        return grad_fn(statistics, key, rows)

    def deal(a: Array) -> Array:
        # Not -1: of an array without columns nothing tells how many rows there are.
        rows = a.reshape(len(a) // parts, parts, *a.shape[1:])
        return jnp.moveaxis(rows, 1, 0)

    def one(carry, part):
        total, statistics, number = carry
        (loss, (statistics, scalars)), grads = grad_fn(
            statistics, jax.random.fold_in(key, number), part
        )
        total = jax.tree.map(jnp.add, total, (loss, scalars, grads))
        return (total, statistics, number + 1), None

    dealt = jax.tree.map(deal, rows)
    first = jax.tree.map(lambda a: a[0], dealt)
    (loss, (_, scalars)), grads = jax.eval_shape(grad_fn, statistics, key, first)
    nothing = jax.tree.map(
        lambda a: jnp.zeros(a.shape, a.dtype), (loss, scalars, grads)
    )
    carry = (nothing, statistics, jnp.int32(0))
    ((loss, scalars, grads), statistics, _), _ = jax.lax.scan(one, carry, dealt)
    return (loss, (statistics, scalars)), grads
