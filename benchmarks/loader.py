"""Objects a second that are read, beside what the model eats, for each preset.

    python -m benchmarks.loader [--presets laptop hits] [--threads 1 2] [--workers 2]

First table: the training batches of a config are read (records decoded, normalised,
cut to size, stacked) with nothing else to do, and its training step is timed on one
batch that stays where it is. What a device would idle that were as fast as this one, or
10 or 100 times, follows from both: 1 - read / (times * trained). A device that trains X
objects/s is fed by X / read processes, of one thread each.
Second table: that many real steps, reading and training at once as experiments.train
does; `waited` is the share of the time that the loop waited for a batch.

Of a preset whose data set is large and not there, such as :paper, the first objects are
built in a folder that is removed.
"""

import functools
import runpy
import tempfile
import time
from pathlib import Path

import jax
from absl import flags
from tqdm import tqdm

from benchmarks.result import Row, parser_of, rate_of, seconds_of, show, spread_of
from data_builders.opening import builder_of, is_built, prepare
from jaxastro.runs import assemble
from jaxastro.runs.dataset import measure_statistics, open_dataset, training_batches
from jaxastro.runs.initial_state import new_state
from jaxastro.runs.input_timer import Waiting
from jaxastro.runs.predictor import abstract_state
from jaxastro.training import sharding

EXPERIMENTS = ("convention", "semiconformer")
LARGE = ("sdss_sn_sim/paper",)  # not built whole for this
TIMES = (1, 10, 100)  # as fast as this device


def config_of(experiment: str, preset: str, given):
    """Returns the config of a preset, with as many objects a step as were asked for."""
    path = Path("configs", f"{experiment}.py")
    config = runpy.run_path(str(path))["get_config"](preset)
    config.batch_size = min(config.batch_size, given.objects)
    config.num_steps = given.steps
    config.optimizer.warmup_steps = 0
    return config


def open_part(config, folder: str, given):
    """Returns the data set of a config, or the first objects of a large one."""
    where = given.data_dir
    if config.survey in LARGE and not is_built(
        builder_of(config.survey, data_dir=where)
    ):
        where = folder
        prepare(config.survey, data_dir=where, most=given.part)
    dataset = open_dataset(config, data_dir=where, manual_dir=given.manual_dir)
    config.facts = dataset.facts
    survey = assemble.survey_of_config(config)
    config.statistics.update(measure_statistics(dataset, config, survey))
    return dataset


def reading(config, batches_of, repeats: int):
    """Returns objects a second that come when nobody works on them."""
    rates = []
    for _ in range(repeats):
        stream = batches_of(config).since(0)
        next(stream)  # threads and processes have started
        start = time.perf_counter()
        count = sum(len(next(stream).label) for _ in range(config.num_steps - 1))
        rates.append(count / (time.perf_counter() - start))
        stream.close()
    return spread_of(rates)


class Trainer:
    """A state and the step that changes it, compiled as experiments.train does."""

    def __init__(self, config, mesh):
        """Draws a new state."""
        method = assemble.method_of_config(config, mesh)
        places = sharding.shardings_of(abstract_state(method, config, mesh))
        self._state, self._mesh = new_state(method, config, mesh, print, None), mesh
        self._step = jax.jit(
            method.step,
            donate_argnums=0,
            in_shardings=(places, sharding.split_by_object(mesh)),
            out_shardings=(places, sharding.replicated(mesh)),
        )

    def step(self, batch):
        """Takes a step and returns its loss, which may still be on its way."""
        self._state, values = self._step(self._state, batch)
        return values["loss"]

    def seconds(self, batch, repeats: int):
        """Returns how long steps take, on a batch that lies on the device."""
        batch = sharding.put_batch(batch, self._mesh)
        return seconds_of(lambda: float(self.step(batch)), repeats)

    def waited(self, batches) -> float:
        """Returns which share of real steps the loop waited for a batch."""
        stream = Waiting(batches.since(0))
        next(stream)  # threads and processes have started
        stream.share()
        losses = []
        for batch in stream:
            losses.append(self.step(sharding.put_batch(batch, self._mesh)))
            float(losses[-2:][0])  # of the step before last, as the loop of training
        float(losses[-1])
        return stream.share()


def measure(experiment: str, preset: str, given, folder: str) -> tuple[list, list]:
    """Returns the rows of both tables for one preset."""
    config = config_of(experiment, preset, given)
    dataset = open_part(config, folder, given)
    mesh = sharding.make_mesh()
    share = sharding.local_rows(config.batch_size, mesh)
    batches_of = functools.partial(training_batches, dataset, share=share)
    trainer = Trainer(config, mesh)
    first = batches_of(config)[0]
    eaten = rate_of(trainer.seconds(first, given.repeats), config.batch_size)
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(first)) / config.batch_size
    case = {"config": f"{experiment}:{preset}", "data": config.survey}

    apart = []
    readers = [(threads, 0) for threads in given.threads]
    readers += [(1, workers) for workers in given.workers]
    for config.loader.num_threads, config.loader.num_workers in dict.fromkeys(readers):
        how = {
            "threads": config.loader.num_threads,
            "workers": config.loader.num_workers,
        }
        read = reading(config, batches_of, given.repeats)
        idle = {
            f"idle, {times} x": max(0.0, 1 - read.median / (times * eaten.median))
            for times in TIMES
        }
        measures = {"read objects/s": read, "trained objects/s": eaten, **idle}
        apart.append(Row(case | how, measures | {"kB an object": size / 1000}))
    config.loader.num_threads, config.loader.num_workers = given.threads[-1], 0
    waited = spread_of(trainer.waited(batches_of(config)) for _ in range(given.repeats))
    case |= {"objects a step": config.batch_size, "steps": given.steps - 1}
    return apart, [Row(case, {"waited": waited})]


def main() -> None:
    """Runs the command."""
    parser = parser_of(__doc__, repeats=3)
    add = parser.add_argument
    add("--experiments", nargs="+", default=EXPERIMENTS, choices=EXPERIMENTS)
    add("--presets", nargs="+", default=["laptop", "hits", "smoke", "paper"])
    add("--threads", type=int, nargs="+", default=[1, 2])
    add("--workers", type=int, nargs="*", default=[1, 2], help="of one thread each")
    add("--objects", type=int, default=32, help="most of a step, to bound its time")
    add("--steps", type=int, default=40, help="of each repeat")
    add("--part", type=int, default=300, help="objects built of a large data set")
    add("--data_dir", default="")
    add("--manual_dir", default="")
    given = parser.parse_args()
    flags.FLAGS.mark_as_parsed()  # grain's processes ask for that
    apart, together = [], []
    wanted = [(name, preset) for preset in given.presets for name in given.experiments]
    with tempfile.TemporaryDirectory() as folder:
        for name, preset in tqdm(wanted, unit="preset"):
            for table, rows in zip(
                (apart, together), measure(name, preset, given, folder), strict=True
            ):
                table += rows
    show([*apart, *together], as_json=given.json)


if __name__ == "__main__":
    main()
