"""The only file that names devices: a mesh, and what lies where on it."""

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec


def make_mesh() -> Mesh:
    """Returns a mesh of all devices along one axis, "data"."""
    # Auto: the compiler propagates shardings. make_mesh's own default does not.
    return jax.make_mesh((jax.device_count(),), ("data",), axis_types=(AxisType.Auto,))


def over_data(mesh: Mesh) -> NamedSharding:
    """Returns the sharding that splits the first axis, objects, over devices."""
    return NamedSharding(mesh, PartitionSpec("data"))


def everywhere(mesh: Mesh) -> NamedSharding:
    """Returns the sharding that keeps a copy on every device."""
    return NamedSharding(mesh, PartitionSpec())


def put_batch(batch, mesh: Mesh):
    """Returns a batch of this process's NumPy rows as arrays over all devices."""
    sharding = over_data(mesh)
    return jax.tree.map(
        lambda a: jax.make_array_from_process_local_data(sharding, np.asarray(a)), batch
    )


def check_batch_size(batch_size: int, mesh: Mesh) -> None:
    """Says so if the devices cannot share a batch equally."""
    if batch_size % mesh.size:
        near = max(batch_size // mesh.size, 1) * mesh.size
        raise ValueError(
            f"A batch of {batch_size} objects cannot be shared equally by {mesh.size} "
            f"devices. Use --config.batch_size={near}."
        )
