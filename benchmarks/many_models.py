r"""What training many small models at once costs: in turn, vmapped, one per device.

    python -m benchmarks.many_models [--configs convention:smoke convention:laptop]
        [--members 1 2 4 8 15] [--devices 2] [--json]

The time of one step of one member, for N members that experiments.train_many would
train side by side, and the memory that XLA's compiler plans for beyond the arguments:
    in turn            all on one device, one after the other
    vmapped            all on one device, as one program
    placed             spread over the devices, one at a time on each
    placed, vmapped    spread over the devices, as one program on each
A CPU counts as --devices devices that share its cores; of accelerators so many are
used. Each form has a process of its own; they take turns, round by round, so that all
meet the same weather. Batches are noise, put on the devices anew for each step.
"""

import itertools
import json
import os
import runpy
import subprocess
import sys
import time

from tqdm import tqdm

from benchmarks import result

FORMS = {  # whether all devices are used, and what each does with several members
    "in turn": (False, "sequential"),
    "vmapped": (False, "vmapped"),
    "placed": (True, "sequential"),
    "placed, vmapped": (True, "vmapped"),
}


class Process:
    """One form, in a process of its own, that answers each line with one."""

    def __init__(self, form: str, devices: int):
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benchmarks.many_models",
                "--serve",
                form,
                str(devices),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Several share an accelerator: none may take all of its memory.
            env=os.environ | {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"},
        )

    def ask(self, **question) -> float:
        """Returns the answer to "prepare", "step" or "peak"."""
        print(json.dumps(question), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(
                "A process ended: what it said is above. If it was killed, memory ran "
                "out: use fewer --members."
            )
        return float(line)

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


def serve(form: str, devices: int) -> None:
    """Answers questions until there are no more."""
    from jaxastro.runs.malloc import keep_memory
    from jaxastro.training import sharding

    keep_memory()  # as every command does
    is_spread, execution = FORMS[form]
    sharding.use_cores_as_devices(devices if is_spread else 1)
    fleet = stream = None

    def prepare(config: str, members: int) -> float:
        nonlocal fleet, stream
        fleet = stream = None  # their memory first
        fleet, stream = make_noisy_fleet(config, members, execution)
        return step()  # the first: not counted

    def step() -> float:
        import jax

        from experiments.train_many import advance

        start = time.perf_counter()
        jax.block_until_ready(advance(fleet, stream))
        return time.perf_counter() - start

    def peak() -> float:
        planned = fleet.step_fn.memory_analysis().temp_size_in_bytes
        return planned * fleet.mesh.size

    answers = {"prepare": prepare, "step": step, "peak": peak}
    for line in sys.stdin:
        question = json.loads(line)
        print(answers[question.pop("what")](**question), flush=True)


def make_noisy_fleet(path: str, members: int, execution: str):
    """Returns a fleet of members that were just begun, and noise for them without end.

    Args:
        path: as "convention:smoke", a config of configs/ and its preset.
    """
    import jax
    import numpy as np

    from experiments.describe import batch_of
    from experiments.train_many import make_fleet
    from jaxastro.runs import assemble
    from jaxastro.training import many_models, sharding

    name, _, preset = path.partition(":")
    config = runpy.run_path(f"configs/{name}.py")["get_config"](preset)
    mesh = sharding.make_mesh(1, jax.devices()[:members])
    method = assemble.member_of_config(config, 0)
    state = jax.jit(method.init)(jax.random.key(0), assemble.blank_inputs(config))
    seeds = list(range(members))
    fleet = make_fleet(config, seeds, [state] * members, mesh, execution=execution)
    generator = np.random.default_rng(0)

    def noise(shape):
        if shape.dtype == np.float32:
            return generator.normal(size=shape.shape).astype(np.float32)
        return np.ones(shape.shape, shape.dtype)

    batch = jax.tree.map(noise, batch_of(config, config.batch_size))
    batches = many_models.stack([batch] * len(fleet.rounds[0]))
    placed = sharding.put_batch(batches, mesh)
    step = fleet.step_fn.lower(fleet.seeds[0], fleet.states[0], placed).compile()
    return fleet._replace(step_fn=step), itertools.repeat(batches)


def measure(config: str, members: int, processes: dict, repeats: int):
    """Yields a row for each form."""
    case = {"what": "prepare", "config": config, "members": members}
    for form in tqdm(processes, desc=f"{config}, {members}: preparing", leave=False):
        processes[form].ask(**case)
    seconds = {form: [] for form in processes}
    for _ in tqdm(range(repeats), desc=f"{config}, {members}", leave=False):
        for form, process in processes.items():
            seconds[form].append(process.ask(what="step"))
    for form, process in processes.items():
        each = result.scaled(result.spread_of(seconds[form]), 1e3 / members)
        gains = [a / b for a, b in zip(seconds["in turn"], seconds[form], strict=True)]
        yield result.Row(
            {"config": config, "members": members, "form": form},
            {
                "ms of a member's step": each,
                "in turn / this": result.spread_of(gains),
                "peak MiB": process.ask(what="peak") / 2**20,
            },
        )


def main() -> None:
    """Runs the command."""
    parser = result.parser_of(__doc__, repeats=7)
    known = ["convention:smoke", "convention:laptop"]
    parser.add_argument("--configs", nargs="+", default=known, help="and their presets")
    parser.add_argument("--members", nargs="+", type=int, default=[1, 2, 4, 8, 15])
    parser.add_argument("--devices", type=int, default=2, help="of the placed forms")
    parser.add_argument("--serve", nargs=2, help="one form, for the others")
    given = parser.parse_args()
    if given.serve:
        serve(given.serve[0], int(given.serve[1]))
        return
    rows = []
    for config, members in itertools.product(given.configs, given.members):
        # New for each case: what one left behind would count as the next one's memory.
        forms = {form: f for form, f in FORMS.items() if given.devices > 1 or not f[0]}
        processes = {form: Process(form, given.devices) for form in forms}
        rows += measure(config, members, processes, given.repeats)
        for process in processes.values():
            process.close()
    result.show(rows, as_json=given.json)


if __name__ == "__main__":
    main()
