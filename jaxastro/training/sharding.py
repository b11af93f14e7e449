"""The only file that names devices: hosts, a mesh, and what lies where on it."""

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
SMALLEST = 1024  # elements of a parameter that is worth cutting up


# -- hosts -----------------------------------------------------------------------------


def join_hosts(coordinator: str, num_processes: int, process_id: int) -> None:
    """Makes this process one of several; before anything asks JAX for its devices.

    Args:
        coordinator: host:port of process 0; "" lets JAX find all three from SLURM,
            Kubernetes, Open MPI or a TPU pod.

    Raises:
        ValueError: if JAX finds no cluster, or cannot reach the coordinator.
    """
    given = (coordinator, num_processes, process_id) if coordinator else ()
    try:
        jax.distributed.initialize(*given)
    except (ValueError, RuntimeError) as error:
        raise InputError(
            f"The hosts could not be joined: {error} Give --coordinator=HOST:PORT, "
            "--num_processes and --process_id, each process its own."
        ) from error
    # JAX's own watch would swallow it, also where nobody asks what it saw.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def num_processes() -> int:
    """Returns how many processes train together."""
    return jax.process_count()


def is_first_process() -> bool:
    """Returns whether this is the process that logs, reports and writes."""
    return jax.process_index() == 0


def wait_for_all(what: str) -> None:
    """Returns when every process has come this far."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(what)


def from_first_process(number: int) -> int:
    """Returns what the first process says, for what each might see otherwise."""
    if jax.process_count() == 1:
        return number
    return int(multihost_utils.broadcast_one_to_all(np.int32(number)))


def in_any_process(claim: bool, mesh: Mesh) -> jax.Array:
    """Returns whether the claim holds in any process, and does not wait for it."""
    count = len(local_rows(mesh.size, mesh))
    claims = put_batch(np.full(count, claim), mesh)
    return _any(replicated(mesh))(claims)


@functools.cache
def _any(where: NamedSharding) -> Callable:
    return jax.jit(jnp.any, out_shardings=where)


def use_cores_as_devices(most: int) -> None:
    """Makes a CPU count as one device for each of its cores, but not more than `most`.

    Before anything asks JAX for its devices. A number that the user set stands.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    asked = "JAX_NUM_CPU_DEVICES" in os.environ or "device_count" in flags
    if not asked:
        jax.config.update("jax_num_cpu_devices", min(most, os.cpu_count() or 1))


# -- a mesh ----------------------------------------------------------------------------


def make_mesh(fsdp: int = 1, devices: Sequence | None = None) -> Mesh:
    """Returns a mesh of all devices of all hosts.

    Args:
        fsdp: how many devices share one copy of the parameters, each holding a part
            of every large one; 1 keeps a copy on each.
        devices: others than these, such as a machine's that is compiled for.

    Raises:
        ValueError: if the devices do not divide into such groups.
    """
    count = jax.device_count() if devices is None else len(devices)
    if fsdp < 1 or count % fsdp:
        raise InputError(
            f"config.mesh.fsdp {fsdp} does not divide {count} devices into groups of "
            "equal size. Use a divisor, or 1."
        )
    # Auto: the compiler propagates shardings. make_mesh's own default does not.
    shape = (count // fsdp, fsdp)
    return jax.make_mesh(shape, AXES, devices=devices, axis_types=(AxisType.Auto,) * 2)


def describe(mesh: Mesh) -> dict:
    """Returns what a reader of a run should know of its devices."""
    return {
        "devices": mesh.size,
        "kind": mesh.devices.flat[0].device_kind,
        "processes": jax.process_count(),
        "fsdp": mesh.shape["fsdp"],
    }


# -- what lies where -------------------------------------------------------------------


def split_by_object(mesh: Mesh) -> NamedSharding:
    """Returns the sharding that splits the first axis, objects, over all devices."""
    return NamedSharding(mesh, PartitionSpec(AXES))


def replicated(mesh: Mesh) -> NamedSharding:
    """Returns the sharding that keeps a copy on every device."""
    return NamedSharding(mesh, PartitionSpec())


def abstract_state(init: Callable[..., TrainState], mesh: Mesh, *args) -> TrainState:
    """Returns shapes, types and places of a state without making it.

    Of every large array the longest axis that divides is cut over "fsdp"; moments and
    the target network lie as the parameters they follow, for they have their shapes.
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
    """Returns the sharding of every leaf, as jit wants them."""
    return jax.tree.map(lambda leaf: leaf.sharding, abstract)


def with_gathered_parameters(fn: Callable, mesh: Mesh) -> Callable:
    """Returns a step or predict that gathers the parameters before it uses them.

    Moments stay in parts. Left to itself the compiler would split convolutions by
    channels where the parameters lie so, and its gradients are then wrong: doubled, or
    those of other channels (XLA of JAX 0.10; tests/test_sharding.py).
    """
    copy = replicated(mesh)

    def gathered(state: TrainState, inputs: Any) -> Any:
        wanted = state._replace(opt_state=())
        wanted = jax.lax.with_sharding_constraint(wanted, copy)
        return fn(wanted._replace(opt_state=state.opt_state), inputs)

    return gathered


def with_summed_gradients(
    optimizer: optax.GradientTransformation, mesh: Mesh
) -> optax.GradientTransformation:
    """Returns the optimizer, for gradients that are summed before they are split."""

    def update(grads, state, params=None):
        grads = jax.lax.with_sharding_constraint(grads, replicated(mesh))
        return optimizer.update(grads, state, params)

    return optax.GradientTransformation(optimizer.init, update)


# -- batches ---------------------------------------------------------------------------


def put_like(array, other: jax.Array) -> jax.Array:
    """Returns the array on the devices where another of its shape lies."""
    return jax.device_put(array, other.sharding)


def put_replicated(tree, mesh: Mesh):
    """Returns arrays of this process with a copy on every device."""
    return jax.device_put(tree, replicated(mesh))


def local_rows(batch_size: int, mesh: Mesh) -> np.ndarray:
    """Returns which rows of a batch this process has to read, in their order."""
    slices = (
        split_by_object(mesh).addressable_devices_indices_map((batch_size,)).values()
    )
    return np.unique(np.concatenate([np.arange(batch_size)[rows] for rows in slices]))


def put_batch(batch, mesh: Mesh):
    """Returns a batch of this process's NumPy rows as arrays over all devices."""
    sharding = split_by_object(mesh)
    return jax.tree.map(
        lambda a: jax.make_array_from_process_local_data(sharding, np.asarray(a)), batch
    )


def check_batch_size(batch_size: int, mesh: Mesh, parts: int = 1) -> None:
    """Says so if devices, and parts of a batch, cannot share it equally."""
    share = mesh.size * parts
    if batch_size % share:
        near = max(batch_size // share, 1) * share
        of_parts = f" in {parts} parts" if parts > 1 else ""
        raise InputError(
            f"A batch of {batch_size} objects cannot be shared equally by {mesh.size} "
            f"devices{of_parts}. Use --config.batch_size={near}."
        )
