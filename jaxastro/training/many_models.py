"""Trains many independent models of the same shapes in one program."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from jaxastro.errors import InputError
from jaxastro.training import sharding
from jaxastro.training.sharding import Mesh

EXECUTIONS = ("sequential", "vmapped")


def map_members(fn: Callable, mesh: Mesh) -> Callable:
    """Returns fn over many members; the first axis of every array is the member.

    The axis is split over the devices of the mesh, without communication between them:
        out[i] = fn(args[i])        on device i // (members / devices)

    A device with one member runs fn without vmap. A device with several members runs
    one vmapped program. In it, convolutions with a kernel per member become grouped
    convolutions: few large operations instead of many small ones.
    """
    where = sharding.split_by_object(mesh).spec

    def local(*args: Any) -> Any:
        if jax.tree.leaves(args)[0].shape[0] > 1:
            return jax.vmap(fn)(*args)
        out = fn(*jax.tree.map(lambda a: a[0], args))
        return jax.tree.map(lambda a: a[None], out)

    return jax.shard_map(
        local, mesh=mesh, in_specs=where, out_specs=where, check_vma=False
    )


def member_groups(count: int, mesh: Mesh, *, execution: str) -> list[list[int]]:
    """Returns groups of members; each group is computed at once, one after another.

    All groups have the same size, so that one program computes all of them. The last
    group is padded with its first member; the results of the padding are not used.

    Args:
        count: number of members.
        execution: "sequential": each device holds one member at a time. "vmapped": all
            members are computed at once, several per device.
    Raises:
        InputError: if the execution is unknown.
    """
    if execution not in EXECUTIONS:
        raise InputError(
            f"No execution {execution!r} of many models. Known: "
            f"{', '.join(EXECUTIONS)}."
        )
    per_device = 1 if execution == "sequential" else -(-count // mesh.size)
    size = per_device * mesh.size
    groups = [
        list(range(count))[start : start + size] for start in range(0, count, size)
    ]
    return [members + members[:1] * (size - len(members)) for members in groups]


def stack(members: list) -> Any:
    """Stacks trees of arrays as NumPy arrays; the first axis is the member."""
    return jax.tree.map(lambda *arrays: np.stack(arrays), *jax.device_get(members))


def member_of(tree: Any, place: int) -> Any:
    """Returns a copy of one member of a stacked tree, as NumPy arrays."""
    return jax.tree.map(lambda array: np.array(array[place]), tree)
