"""Objects per second that are read, compared with training, for each preset.

    python -m benchmarks.loader [--presets laptop hits] [--threads 1 2] [--workers 2]

First table: the training batches of a config are read (records decoded, normalised,
cut to size, stacked) while nothing else runs, and its training step is timed on one
batch in memory. `idle` is the share of time that a device would wait
that is 1, 10 or 100 times as fast as this one: 1 - read / (times * trained). A device
that trains X objects/s needs X / read reading processes of one thread each.
Second table: as many real steps, with reading and training at once as in training;
`waited` is the share of the time that the loop waited for a batch.

Of a preset with a large data set that is not built, such as :paper, the first objects
are built in a temporary folder.
"""

import itertools
import tempfile
import time

import jax
from absl import flags
from tqdm import tqdm

from benchmarks.result import (
    Row,
    Spread,
    parser_of,
    rate_of,
    seconds_of,
    show,
    spread_of,
)
from benchmarks.specs import spec_of_config
from data_builders.opening import builder_of, is_built, prepare
from jaxastro.data.loader import Batches
from jaxastro.runs.dataset import Dataset, open_dataset
from jaxastro.runs.initial_state import initial_state
from jaxastro.runs.input_pipeline import training_batches
from jaxastro.runs.input_timer import InputTimer
from jaxastro.runs.model_building import abstract_state, build_method
from jaxastro.runs.spec import RunSpec
from jaxastro.runs.task import make_task
from jaxastro.runs.training_loop import ShardedStepper
from jaxastro.runs.training_run import measure_statistics
from jaxastro.training import sharding
from jaxastro.types import Task

EXPERIMENTS = ("convention", "semiconformer")
LARGE = ("sdss_sn_sim/paper",)  # of which a part is built
TIMES = (1, 10, 100)  # the speed of a device, relative to this one


def spec_of(experiment: str, preset: str, given) -> RunSpec:
    """Returns the spec of a preset, with the requested steps and objects per step."""
    spec = spec_of_config(f"configs/{experiment}.py:{preset}")
    return spec.replace(
        {
            "batch_size": min(spec.batch_size, given.objects),
            "num_steps": given.steps,
            "optimizer.warmup_steps": 0,
        }
    )


def open_part(spec: RunSpec, folder: str, given) -> tuple[Dataset, Task]:
    """Returns the data set of a spec, or the first objects of a large one."""
    data_dir = given.data_dir
    if spec.survey in LARGE and not is_built(
        builder_of(spec.survey, data_dir=data_dir)
    ):
        data_dir = folder
        prepare(spec.survey, data_dir=folder, most=given.part)
    dataset = open_dataset(spec, data_dir=data_dir, manual_dir=given.manual_dir)
    statistics = measure_statistics(dataset)
    return dataset, make_task(spec, dataset.survey, dataset.classes, statistics)


def batches_of(
    dataset: Dataset, task: Task, mesh, threads: int, workers: int
) -> Batches:
    """Returns the training batches, read by some threads and processes."""
    loader = {"loader.num_threads": threads, "loader.num_workers": workers}
    share = sharding.local_rows(dataset.spec.batch_size, mesh)
    part = dataset._replace(spec=dataset.spec.replace(loader))
    return training_batches(part, task, share=share)


def read_rate(batches: Batches, repeats: int) -> Spread:
    """Returns objects per second that are read while nothing else runs."""
    rates = []
    for _ in range(repeats):
        stream = batches.since(0)
        next(stream)  # threads and processes have started
        start = time.perf_counter()
        count = sum(len(batch.label) for batch in stream)
        rates.append(count / (time.perf_counter() - start))
    return spread_of(rates)


def make_stepper(dataset: Dataset, task: Task, mesh) -> ShardedStepper:
    """Returns what makes training steps, from a new state."""
    method = build_method(dataset.spec, task, mesh)
    abstract = abstract_state(method, dataset.spec, task, mesh)
    state = initial_state(method, dataset.spec, task, mesh, print, dataset)
    return ShardedStepper(method, state, abstract, mesh)


def waited_share(stepper: ShardedStepper, batches: Batches) -> float:
    """Returns the share of time that a loop of real steps waits for batches."""
    stream = InputTimer(batches.since(0))
    next(stream)  # threads and processes have started
    stream.share()
    losses = []
    for _ in range(len(batches) - 1):
        (scalars,) = stepper.step(stream)
        losses.append(scalars["loss"])
        float(losses[-2:][0])  # waits for the step before, as training does
    float(losses[-1])
    return stream.share()


def measure(experiment: str, preset: str, given, folder: str) -> tuple[list, Row]:
    """Returns the rows of the first table for one preset, and that of the second."""
    spec, mesh = spec_of(experiment, preset, given), sharding.make_mesh()
    dataset, task = open_part(spec, folder, given)
    stepper = make_stepper(dataset, task, mesh)
    first = batches_of(dataset, task, mesh, given.threads[0], 0)[0]
    step = seconds_of(
        lambda: float(stepper.step(itertools.repeat(first))[0]["loss"]), given.repeats
    )
    trained = rate_of(step, spec.batch_size)
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(first)) / spec.batch_size
    case = {"config": f"{experiment}:{preset}", "data": spec.survey}

    rows = []
    readers = [(threads, 0) for threads in given.threads]
    readers += [(1, workers) for workers in given.workers]
    for threads, workers in dict.fromkeys(readers):
        batches = batches_of(dataset, task, mesh, threads, workers)
        read = read_rate(batches, given.repeats)
        idle = {
            f"idle, {times} x": max(0.0, 1 - read.median / (times * trained.median))
            for times in TIMES
        }
        measures = {"read objects/s": read, "trained objects/s": trained, **idle}
        measures["kB per object"] = size / 1000
        rows.append(Row(case | {"threads": threads, "workers": workers}, measures))
    batches = batches_of(dataset, task, mesh, given.threads[-1], 0)
    waited = spread_of(waited_share(stepper, batches) for _ in range(given.repeats))
    case |= {"objects per step": spec.batch_size, "steps": given.steps - 1}
    return rows, Row(case, {"waited": waited})


def main() -> None:
    """Runs the command."""
    parser = parser_of(__doc__, repeats=3)
    add = parser.add_argument
    add("--experiments", nargs="+", default=EXPERIMENTS, choices=EXPERIMENTS)
    add("--presets", nargs="+", default=["laptop", "hits", "smoke", "paper"])
    add("--threads", type=int, nargs="+", default=[1, 2])
    add("--workers", type=int, nargs="*", default=[1, 2], help="of one thread each")
    add("--objects", type=int, default=32, help="at most, per step")
    add("--steps", type=int, default=40, help="of each repeat")
    add("--part", type=int, default=300, help="objects built of a large data set")
    add("--data_dir", default="", help="folder of built data sets")
    add("--manual_dir", default="", help="folder of raw files")
    given = parser.parse_args()
    flags.FLAGS.mark_as_parsed()  # required by the processes of grain
    reading, waiting = [], []
    wanted = [(name, preset) for preset in given.presets for name in given.experiments]
    with tempfile.TemporaryDirectory() as folder:
        for name, preset in tqdm(wanted, unit="preset"):
            rows, row = measure(name, preset, given, folder)
            reading += rows
            waiting.append(row)
    show([*reading, *waiting], as_json=given.json)


if __name__ == "__main__":
    main()
