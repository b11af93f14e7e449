"""Hosts, device mesh and shardings. No other file refers to devices."""

import functools
import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.experimental import multihost_utils
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from jaxastro.errors import InputError
from jaxastro.types import TrainState

AXES = ("data", "fsdp")  # objects are split over both, parameters over "fsdp" alone
SMALLEST = 1024  # elements; smaller parameters are not sharded


# -- hosts -----------------------------------------------------------------------------


def join_hosts(coordinator: str, num_processes: int, process_id: int) -> None:
    """Connects this process to the others of a job. Call it before JAX finds devices.

    Args:
        coordinator: host:port of process 0. "" lets JAX find all three arguments from
            SLURM, Kubernetes, Open MPI or a TPU pod.
        num_processes: of the job.
        process_id: of this process, from 0.
    Raises:
        InputError: if JAX finds no cluster, or cannot reach the coordinator.
    """
    given = (coordinator, num_processes, process_id) if coordinator else ()
    try:
        jax.distributed.initialize(*given)
    except (ValueError, RuntimeError) as error:
        raise InputError(
            f"The hosts could not be joined: {error} Give --coordinator=HOST:PORT and "
            "--num_processes, and each process its own --process_id."
        ) from error
    # JAX installs a handler that ignores the signal.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def num_processes() -> int:
    """Returns the number of processes of the job."""
    return jax.process_count()


def is_first_process() -> bool:
    """Returns whether this process is the one that logs and writes files."""
    return jax.process_index() == 0


def wait_for_all(what: str) -> None:
    """Waits until every process has reached this call."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(what)


def from_first_process(number: int) -> int:
    """Returns the number of the first process; each process passes its own."""
    if jax.process_count() == 1:
        return number
    return int(multihost_utils.broadcast_one_to_all(np.int32(number)))


def in_any_process(condition: bool, mesh: Mesh) -> jax.Array:
    """Returns whether the condition is true in any process, computed asynchronously."""
    count = len(local_rows(mesh.size, mesh))
    conditions = put_batch(np.full(count, condition), mesh)
    return _any(replicated(mesh))(conditions)


@functools.cache
def _any(where: NamedSharding) -> Callable:
    return jax.jit(jnp.any, out_shardings=where)


def use_cores_as_devices(most: int) -> None:
    """Makes JAX count each CPU core as a device, up to `most` devices.

    Call it before JAX finds devices. A number of devices set by the user is kept.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    is_set = "JAX_NUM_CPU_DEVICES" in os.environ or "device_count" in flags
    if not is_set:
        jax.config.update("jax_num_cpu_devices", min(most, os.cpu_count() or 1))


# -- a mesh ----------------------------------------------------------------------------


def make_mesh(fsdp: int = 1, devices: Sequence | None = None) -> Mesh:
    """Returns a mesh of all devices of all hosts.

    Args:
        fsdp: number of devices that share one copy of the parameters; each holds a
            part of every large parameter. 1 keeps a copy on each device.
        devices: use these instead, such as those of a machine to compile for.
    Raises:
        InputError: if fsdp does not divide the number of devices.
    """
    count = jax.device_count() if devices is None else len(devices)
    if fsdp < 1 or count % fsdp:
        raise InputError(
            f"config.mesh.fsdp {fsdp} does not divide {count} devices into groups of "
            "equal size. Use a divisor, or 1."
        )
    # Auto: the compiler propagates shardings. By default it does not.
    shape = (count // fsdp, fsdp)
    return jax.make_mesh(shape, AXES, devices=devices, axis_types=(AxisType.Auto,) * 2)


def describe(mesh: Mesh) -> dict:
    """Returns a description of the devices, for the record of a run."""
    return {
        "devices": mesh.size,
        "kind": mesh.devices.flat[0].device_kind,
        "processes": jax.process_count(),
        "fsdp": mesh.shape["fsdp"],
    }


# -- shardings -------------------------------------------------------------------------


def split_by_object(mesh: Mesh) -> NamedSharding:
    """Returns the sharding that splits the first axis, objects, over all devices."""
    return NamedSharding(mesh, PartitionSpec(AXES))


def replicated(mesh: Mesh) -> NamedSharding:
    """Returns the sharding that keeps a copy on every device."""
    return NamedSharding(mesh, PartitionSpec())


def abstract_state(init: Callable[..., TrainState], mesh: Mesh, *args) -> TrainState:
    """Returns shapes, types and shardings of a state without computing it.

    The longest axis of every large array that "fsdp" divides is split over it. Moments
    and the target network have the shapes of the parameters, and so their shardings.
    """
    count = mesh.shape["fsdp"]

    def place(leaf: jax.ShapeDtypeStruct) -> jax.ShapeDtypeStruct:
        axes = [i for i, length in enumerate(leaf.shape) if length % count == 0]
        sharding = replicated(mesh)
        if count > 1 and leaf.size >= SMALLEST and axes:
            cut = max(axes, key=lambda i: leaf.shape[i])
            sharding = NamedSharding(mesh, PartitionSpec(*[None] * cut, "fsdp"))
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)

    return jax.tree.map(place, jax.eval_shape(init, *args))


def shardings_of(abstract: Any) -> Any:
    """Returns the sharding of every leaf, as arguments of jit."""
    return jax.tree.map(lambda leaf: leaf.sharding, abstract)


def with_gathered_parameters(fn: Callable, mesh: Mesh) -> Callable:
    """Returns a step or predict function that gathers the parameters before use.

    Moments stay sharded. Otherwise the compiler splits convolutions by channels where
    the parameters are sharded so. Its gradients are then wrong: doubled, or those of
    other channels (XLA of JAX 0.10; tests/test_sharding.py).
    """
    copy = replicated(mesh)

    def gathered(state: TrainState, inputs: Any) -> Any:
        rest = state._replace(opt_state=())
        rest = jax.lax.with_sharding_constraint(rest, copy)
        return fn(rest._replace(opt_state=state.opt_state), inputs)

    return gathered


def with_summed_gradients(
    optimizer: optax.GradientTransformation, mesh: Mesh
) -> optax.GradientTransformation:
    """Returns the optimizer with gradients summed over devices before sharding."""

    def update(grads, state, params=None):
        grads = jax.lax.with_sharding_constraint(grads, replicated(mesh))
        return optimizer.update(grads, state, params)

    return optax.GradientTransformation(optimizer.init, update)


# -- batches ---------------------------------------------------------------------------


def put_like(array, other: jax.Array) -> jax.Array:
    """Returns the array with the sharding of another array of its shape."""
    return jax.device_put(array, other.sharding)


def put_replicated(tree, mesh: Mesh):
    """Returns arrays with a copy on every device."""
    return jax.device_put(tree, replicated(mesh))


def local_rows(batch_size: int, mesh: Mesh) -> np.ndarray:
    """Returns the indices of the rows of a batch that this process has to read."""
    slices = (
        split_by_object(mesh).addressable_devices_indices_map((batch_size,)).values()
    )
    return np.unique(np.concatenate([np.arange(batch_size)[rows] for rows in slices]))


def put_batch(batch, mesh: Mesh):
    """Returns the global batch, given the NumPy rows of this process."""
    sharding = split_by_object(mesh)
    return jax.tree.map(
        lambda a: jax.make_array_from_process_local_data(sharding, np.asarray(a)), batch
    )


def check_batch_size(batch_size: int, mesh: Mesh, parts: int = 1) -> None:
    """Refuses a batch size that devices times parts do not divide.

    Raises:
        InputError: with the nearest batch size that is possible.
    """
    share = mesh.size * parts
    if batch_size % share:
        near = max(batch_size // share, 1) * share
        of_parts = f" in {parts} parts" if parts > 1 else ""
        raise InputError(
            f"A batch of {batch_size} objects cannot be shared equally by {mesh.size} "
            f"devices{of_parts}. Use --config.batch_size={near}."
        )
