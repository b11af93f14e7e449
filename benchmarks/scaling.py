r"""What one training step costs each chip of a TPU pod, read from the compiled program.

    pip install -e '.[tpu]'      # the compiler; no TPU is needed
    python -m benchmarks.scaling [--config configs/convention.py:paper] [--json]

Compiles the step of a config for 1 to 256 chips of a TPU v5e (16 GB each) on any CPU,
and reads FLOPs, memory and the bytes that collectives move from what the compiler made
of it. `strong` shares one batch out, `weak` gives every chip a whole one.
"""

import json
import os
import re
import runpy
from unittest import mock

# Before JAX is loaded: it compiles for TPUs but must not look for any.
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
from experiments.describe import batch_of
from jaxastro.runs import assemble
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

    One that is overlapped with arithmetic is written down in every computation that
    it overlaps with: its channel tells that it is the same.
    """
    moved, seen = {}, set()
    for line in program.splitlines():
        found, channel = COLLECTIVE.search(line), CHANNEL.search(line)
        if found and (channel is None or channel[1] not in seen):
            seen.add(channel and channel[1])
            arrays = ARRAY.findall(found[1])
            if f"{found[2]}-start(" in line:  # some tell what is sent as well
                if found[2] == "all-gather":
                    arrays = arrays[len(arrays) // 2 :]
                elif found[2] == "collective-permute":
                    arrays = arrays[1:2]
            size = sum(size_of(*array) for array in arrays)
            moved[found[2]] = moved.get(found[2], 0) + size
    return moved


def size_of(kind: str, bits: str, shape: str) -> int:
    """Returns the bytes of an array as the program writes it, such as f32[8,4]."""
    width = {"pred": 1, "bf16": 2}.get(kind) or int(bits) // 8
    return width * int(np.prod([int(n) for n in shape.split(",") if n], initial=1))


def measure(config, chips: int, fsdp: int, objects: int) -> dict[str, float]:
    """Compiles one step for some chips and returns what it costs each of them."""
    topology = topologies.get_topology_desc(
        platform="tpu", topology_name=f"v5e:{SIZES[chips]}"
    )
    mesh = sharding.make_mesh(fsdp, topology.devices[:chips])
    with mock.patch.object(jax, "default_backend", return_value="tpu"):
        method = assemble.method_of_config(config, mesh)
        key, blank = jax.random.key(0), assemble.blank_inputs(config)
        state = sharding.abstract_state(method.init, mesh, key, blank)
        places, over_data = sharding.shardings_of(state), sharding.split_by_object(mesh)
        step = jax.jit(
            method.step,
            donate_argnums=0,
            in_shardings=(places, over_data),
            out_shardings=(places, sharding.replicated(mesh)),
        )
        compiled = step.lower(state, batch_of(config, objects)).compile()
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
    parser.add_argument("--set", nargs="*", default=[], help="keys, as dtype=bfloat16")
    parser.add_argument("--objects", type=int, default=128, help="of one chip's batch")
    parser.add_argument("--strong", type=int, nargs="*", default=(1, 2, 4, 8))
    parser.add_argument("--weak", type=int, nargs="*", default=(8, 64, 256))
    given = parser.parse_args()
    path, _, preset = given.config.partition(":")
    config = runpy.run_path(path)["get_config"](preset)
    config.update_from_flattened_dict(
        {key: json.loads(value) for key, value in (s.split("=", 1) for s in given.set)}
    )
    jobs = [("strong", n, 1, given.objects) for n in given.strong]
    jobs += [("strong", n, n, given.objects) for n in given.strong if n > 1]
    jobs += [("weak", n, 1, n * given.objects) for n in given.weak]
    rows = []
    for kind, chips, fsdp, objects in tqdm(jobs, desc="Compiling", unit="program"):
        case = {"batch": f"{kind}, {objects}", "chips": chips, "fsdp": fsdp}
        rows.append(result.Row(case, measure(config, chips, fsdp, objects)))
    result.show(rows, as_json=given.json)


if __name__ == "__main__":
    main()
