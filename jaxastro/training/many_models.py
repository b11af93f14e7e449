"""Many models of one kind in one program, each trained as if it were alone."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from jaxastro.errors import InputError
from jaxastro.training import sharding
from jaxastro.training.sharding import Mesh

EXECUTIONS = ("sequential", "vmapped")


def map_members(fn: Callable, mesh: Mesh) -> Callable:
    """Returns fn of many members: every array has an axis of them in front.

    The axis is split over the mesh's devices, and no device asks another for anything:
        out[i] = fn(args[i])        on device i // (members / devices)

    A device that holds one member runs fn as it is. One that holds several runs them
    as one vmapped program, in which a convolution with a kernel for each member
    becomes a grouped one: few large operations where there were many small.
    """
    where = sharding.split_by_object(mesh).spec

    def mine(*args: Any) -> Any:
        if len(jax.tree.leaves(args)[0]) > 1:
            return jax.vmap(fn)(*args)
        out = fn(*jax.tree.map(lambda a: a[0], args))
        return jax.tree.map(lambda a: a[None], out)

    return jax.shard_map(
        mine, mesh=mesh, in_specs=where, out_specs=where, check_vma=False
    )


def member_groups(count: int, mesh: Mesh, *, execution: str) -> list[list[int]]:
    """Returns which members are computed at once; rounds follow one another.

    All rounds are of one length, so that one program does them all: the last is filled
    up with its first member, whose second result nobody reads.

    Args:
        execution: "sequential": each device holds one member at a time. "vmapped": all
            members are computed at once, several to a device.
    """
    if execution not in EXECUTIONS:
        raise InputError(
            f"No execution {execution!r} of many models. Known: "
            f"{', '.join(EXECUTIONS)}."
        )
    share = 1 if execution == "sequential" else -(-count // mesh.size)
    size = share * mesh.size
    rounds = [
        list(range(count))[start : start + size] for start in range(0, count, size)
    ]
    return [members + members[:1] * (size - len(members)) for members in rounds]


def stack(members: list) -> Any:
    """Returns a tree of NumPy arrays with an axis of members in front."""
    return jax.tree.map(lambda *arrays: np.stack(arrays), *jax.device_get(members))


def member_of(tree: Any, place: int) -> Any:
    """Returns one member of such a tree, as arrays of its own."""
    return jax.tree.map(lambda array: np.array(array[place]), tree)
