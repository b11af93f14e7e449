r"""Arithmetic, memory and communication of a training step on each chip of a TPU pod.

    pip install -e '.[tpu]'      # the compiler; no TPU is needed
    python -m benchmarks.scaling [--config configs/convention.py:paper] [--json]

Compiles the step of a config for 1 to 256 chips of a TPU v5e (16 GB each) on any CPU,
and reads FLOPs, memory and the bytes that collectives move from the compiled program.
`strong` divides one batch over the chips, `weak` gives every chip a batch.
"""

import json
import os
import re
from unittest import mock

# Before JAX is loaded: it compiles for TPUs but must not search for any.
os.environ |= {
    "JAX_PLATFORMS": "cpu",
    "TPU_SKIP_MDS_QUERY": "1",
    "TPU_ACCELERATOR_TYPE": "v5litepod-256",
    "TPU_WORKER_HOSTNAMES": "localhost",
}

import jax
import numpy as np
from jax.experimental import topologies
from tqdm import tqdm

from benchmarks import result
from benchmarks.specs import spec_of_config, task_of
from jaxastro.runs.description import batch_of
from jaxastro.runs.model_building import abstract_state, build_method
from jaxastro.runs.spec import RunSpec
from jaxastro.training import sharding

# One TPU v5e chip: https://cloud.google.com/tpu/docs/v5e
PEAK = 197e12  # bfloat16 FLOP/s
LINKS = 200e9  # bytes/s to its neighbours, all links of one direction together
SIZES = {1: "2x2", 2: "2x2", 4: "2x2", 8: "2x4", 64: "8x8", 256: "16x16"}

COLLECTIVE = re.compile(
    r"= (\(?[a-z0-9]+\[.*?) "
    r"(all-reduce|all-gather|reduce-scatter|collective-permute|all-to-all)"
    r"(?:-start)?\("
)
CHANNEL = re.compile(r"channel_id=(\d+)")
ARRAY = re.compile(r"(pred|bf16|[a-z]+(\d+))\[([\d,]*)\]")


def bytes_moved(program: str) -> dict[str, int]:
    """Returns the bytes that each kind of collective leaves on a chip.

    One that overlaps with arithmetic is printed in every computation that it overlaps
    with, always with the same channel: it is counted once.
    """
    moved, seen = {}, set()
    for line in program.splitlines():
        found, channel = COLLECTIVE.search(line), CHANNEL.search(line)
        if found and (channel is None or channel[1] not in seen):
            seen.add(channel and channel[1])
            arrays = ARRAY.findall(found[1])
            if f"{found[2]}-start(" in line:  # some list what is sent as well
                if found[2] == "all-gather":
                    arrays = arrays[len(arrays) // 2 :]
                elif found[2] == "collective-permute":
                    arrays = arrays[1:2]
            size = sum(size_of(*array) for array in arrays)
            moved[found[2]] = moved.get(found[2], 0) + size
    return moved


def size_of(kind: str, bits: str, shape: str) -> int:
    """Returns the bytes of an array as the program prints it, such as f32[8,4]."""
    width = {"pred": 1, "bf16": 2}.get(kind) or int(bits) // 8
    return width * int(np.prod([int(n) for n in shape.split(",") if n], initial=1))


def measure(spec: RunSpec, chips: int, fsdp: int, objects: int) -> dict[str, float]:
    """Returns what one step takes of each chip; compiles it for so many chips."""
    topology = topologies.get_topology_desc(
        platform="tpu", topology_name=f"v5e:{SIZES[chips]}"
    )
    mesh, task = sharding.make_mesh(fsdp, topology.devices[:chips]), task_of(spec)
    with mock.patch.object(jax, "default_backend", return_value="tpu"):
        method = build_method(spec, task, mesh)
        state = abstract_state(method, spec, task, mesh)
        shardings = sharding.shardings_of(state)
        step = jax.jit(
            method.step,
            donate_argnums=0,
            in_shardings=(shardings, sharding.split_by_object(mesh)),
            out_shardings=(shardings, sharding.replicated(mesh)),
        )
        compiled = step.lower(state, batch_of(spec, task, objects)).compile()
    memory, cost = compiled.memory_analysis(), compiled.cost_analysis()
    moved = sum(bytes_moved(compiled.as_text()).values())
    return {
        "GFLOP": cost["flops"] / 1e9,
        "state MiB": memory.argument_size_in_bytes / 2**20,
        "peak MiB": (memory.argument_size_in_bytes + memory.temp_size_in_bytes) / 2**20,
        "moved MiB": moved / 2**20,
        "arithmetic ms": 1e3 * cost["flops"] / PEAK,
        "links ms": 1e3 * moved / LINKS,
    }


def main() -> None:
    """Runs the command."""
    parser = result.parser_of(__doc__)
    parser.add_argument("--config", default="configs/convention.py:paper")
    parser.add_argument(
        "--set",
        nargs="*",
        default=[],
        help="keys of the config, as batch_size=64, values in JSON",
    )
    parser.add_argument(
        "--objects", type=int, default=128, help="in the batch of one chip"
    )
    parser.add_argument("--strong", type=int, nargs="*", default=(1, 2, 4, 8))
    parser.add_argument("--weak", type=int, nargs="*", default=(8, 64, 256))
    given = parser.parse_args()
    changes = dict(change.split("=", 1) for change in given.set)
    spec = spec_of_config(given.config).replace(
        {key: json.loads(value) for key, value in changes.items()}
    )
    jobs = [("strong", n, 1, given.objects) for n in given.strong]
    jobs += [("strong", n, n, given.objects) for n in given.strong if n > 1]
    jobs += [("weak", n, 1, n * given.objects) for n in given.weak]
    rows = []
    for kind, chips, fsdp, objects in tqdm(jobs, desc="Compiling", unit="program"):
        case = {"batch": f"{kind}, {objects}", "chips": chips, "fsdp": fsdp}
        rows.append(result.Row(case, measure(spec, chips, fsdp, objects)))
    result.show(rows, as_json=given.json)


if __name__ == "__main__":
    main()
