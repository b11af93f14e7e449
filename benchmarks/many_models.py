r"""Time and memory of training many small models: in turn, vmapped, one per device.

    python -m benchmarks.many_models [--configs convention:smoke convention:laptop]
        [--members 1 2 4 8 15] [--devices 2] [--json]

The time of one step of one member, for N members that experiments.train_many trains
together, and the memory that XLA's compiler plans in addition to the arguments:
    in turn            all on one device, one after the other
    vmapped            all on one device, as one program
    placed             spread over the devices, one at a time on each
    placed, vmapped    spread over the devices, as one program on each
A CPU counts as --devices devices that share its cores; of accelerators as many are
used. Each form has its own process; they take turns, round by round, so that other load
affects all alike. Batches are noise, put on the devices for each step.
"""

import itertools
import json
import os
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
    """One form in its own process, which answers each line with one."""

    def __init__(self, form: str, devices: int):
        words = ["-m", "benchmarks.many_models", "--serve", form, str(devices)]
        self._process = subprocess.Popen(
            [sys.executable, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Several share an accelerator: none may take all of its memory.
            env=os.environ | {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"},
        )

    def request(self, **request) -> float:
        """Returns the answer to "prepare", "step" or "peak"."""
        print(json.dumps(request), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(
                "A process ended: its message is above. If it was killed, memory was "
                "exhausted: use fewer --members."
            )
        return float(line)

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


def serve(form: str, devices: int) -> None:
    """Answers requests until there are no more."""
    from jaxastro.runs.malloc import keep_freed_memory
    from jaxastro.training import sharding

    keep_freed_memory()  # as every command does
    is_spread, execution = FORMS[form]
    sharding.use_cores_as_devices(devices if is_spread else 1)
    stepper = stream = None

    def prepare(config: str, members: int) -> float:
        nonlocal stepper, stream
        stepper = stream = None  # frees their memory first
        stepper, stream = make_stepper(config, members, execution)
        return step()  # the first: not counted

    def step() -> float:
        import jax

        start = time.perf_counter()
        jax.block_until_ready(stepper.step(stream))
        return time.perf_counter() - start

    def peak() -> float:
        planned = stepper.program.memory_analysis().temp_size_in_bytes
        return planned * stepper.mesh.size

    answers = {"prepare": prepare, "step": step, "peak": peak}
    for line in sys.stdin:
        request = json.loads(line)
        print(answers[request.pop("what")](**request), flush=True)


def make_stepper(config: str, members: int, execution: str):
    """Returns the stepper of new members, and an endless stream of batches of noise.

    Args:
        config: such as "convention:smoke", a config of configs/ and its preset.
    """
    import jax
    import numpy as np

    from benchmarks.specs import spec_of_config, task_of
    from jaxastro.runs.description import batch_of
    from jaxastro.runs.model_building import build_member_method
    from jaxastro.runs.task import blank_inputs
    from jaxastro.runs.training_loop import MemberStepper
    from jaxastro.training import many_models, sharding

    name, _, preset = config.partition(":")
    spec = spec_of_config(f"configs/{name}.py:{preset}")
    task, mesh = task_of(spec), sharding.make_mesh(1, jax.devices()[:members])
    method = build_member_method(spec, task, 0)
    state = jax.jit(method.init)(jax.random.key(0), blank_inputs(spec, task))
    seeds, states = list(range(members)), [state] * members
    stepper = MemberStepper(spec, task, seeds, states, mesh, execution=execution)
    generator = np.random.default_rng(0)

    def noise(shape):
        if shape.dtype == np.float32:
            return generator.normal(size=shape.shape).astype(np.float32)
        return np.ones(shape.shape, shape.dtype)

    batch = jax.tree.map(noise, batch_of(spec, task, spec.batch_size))
    batches = many_models.stack([batch] * len(stepper.rounds[0]))
    stepper.program = stepper.program.lower(
        stepper.seeds[0], stepper.states[0], sharding.put_batch(batches, mesh)
    ).compile()
    return stepper, itertools.repeat(batches)


def measure(config: str, members: int, processes: dict, repeats: int):
    """Yields a row for each form."""
    case = {"what": "prepare", "config": config, "members": members}
    for form in tqdm(processes, desc=f"{config}, {members}: preparing", leave=False):
        processes[form].request(**case)
    seconds = {form: [] for form in processes}
    for _ in tqdm(range(repeats), desc=f"{config}, {members}", leave=False):
        for form, process in processes.items():
            seconds[form].append(process.request(what="step"))
    for form, process in processes.items():
        each = result.scaled(result.spread_of(seconds[form]), 1e3 / members)
        gains = [a / b for a, b in zip(seconds["in turn"], seconds[form], strict=True)]
        yield result.Row(
            {"config": config, "members": members, "form": form},
            {
                "ms of a member's step": each,
                "in turn / this": result.spread_of(gains),
                "peak MiB": process.request(what="peak") / 2**20,
            },
        )


def main() -> None:
    """Runs the command."""
    parser = result.parser_of(__doc__, repeats=7)
    known = ["convention:smoke", "convention:laptop"]
    parser.add_argument("--configs", nargs="+", default=known, help="and their presets")
    parser.add_argument("--members", nargs="+", type=int, default=[1, 2, 4, 8, 15])
    parser.add_argument("--devices", type=int, default=2, help="of the placed forms")
    parser.add_argument("--serve", nargs=2, help="used by the command itself")
    given = parser.parse_args()
    if given.serve:
        serve(given.serve[0], int(given.serve[1]))
        return
    rows = []
    for config, members in itertools.product(given.configs, given.members):
        # New for each case: memory of one case would be counted for the next.
        forms = {form: f for form, f in FORMS.items() if given.devices > 1 or not f[0]}
        processes = {form: Process(form, given.devices) for form in forms}
        rows += measure(config, members, processes, given.repeats)
        for process in processes.values():
            process.close()
    result.show(rows, as_json=given.json)


if __name__ == "__main__":
    main()
