r"""Trains every fold and seed of an experiment in one program, and pools the folds.

    python -m experiments.train_many --config=configs/convention.py:laptop \
        --workdir=runs/many --folds=0,1,2,3,4 --seeds=0,1,2

Each cell is a run of its own, in WORKDIR/fold_0/seed_0, that differs from the same run
trained alone by rounding only: every other command works on it. In config.init_from
{fold} and {seed} are the cell's own numbers, so that it can go on from a run of its
own. The same command again continues those that were stopped and leaves alone those
that are done. In the end
    pooled.json, pooled.md    the scores over all folds: each object is scored by the
                              models that never saw it, with 95 % intervals

Cells are spread over the devices there are. --how says what a device does with more
cells than one:
    apart       one after the other, step by step: fastest on a CPU, whose cores then
                share each step (python -m benchmarks.many_models)
    together    as one vmapped program: for an accelerator that small models leave idle
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from absl import flags
from ml_collections import ConfigDict, config_flags
from tqdm import tqdm

from experiments.train import check_best_metric
from jaxastro.commands import command_line
from jaxastro.data.loader import batches_of_rounds
from jaxastro.errors import DivergedError, InputError
from jaxastro.evaluation.bootstrap import score_intervals
from jaxastro.evaluation.pool import Pool, ensemble, mean_intervals, pool
from jaxastro.evaluation.predictions import load
from jaxastro.runs import assemble, compilation_cache
from jaxastro.runs.graceful_shutdown import Interruption
from jaxastro.runs.input_timer import Waiting
from jaxastro.runs.predictor import Predictor, abstract_state
from jaxastro.runs.run_lock import alone_in
from jaxastro.runs.training_run import Cell, is_finished
from jaxastro.training import many_models, sharding
from jaxastro.types import Batch, TrainState

FLAGS = flags.FLAGS
SHOWN = ("accuracy", "macro_f1")


def train_many(
    config: ConfigDict,
    workdir: Path,
    *,
    folds: list[int],
    seeds: list[int],
    how: str = "apart",
    brief: bool = False,
    tested: bool = True,
    data_dir: str = "",
    manual_dir: str = "",
) -> dict[int, list[Path]]:
    """Trains all cells that are not done; returns each seed's folders, fold by fold.

    Args:
        brief: write of the test fold only what tables need.
        tested: write of it at all; another run goes on from one that is not.
    Raises:
        FloatingPointError: after all others are done, if a run diverged.
    """
    check_best_metric(config)
    if config.mesh.fsdp != 1:
        raise InputError(
            f"config.mesh.fsdp is {config.mesh.fsdp}, but here each model lies wholly "
            "on one device. Set config.mesh.fsdp to 1, or train one run at a time."
        )
    one = sharding.make_mesh(1, jax.devices()[:1])
    sharding.check_batch_size(config.batch_size, one, config.gradient_accumulation)
    where = {"data_dir": data_dir, "manual_dir": manual_dir}
    table = {s: [cell_folder(workdir, f, s) for f in folds] for s in seeds}
    with contextlib.ExitStack() as locks:
        todo = []
        for seed, folders in table.items():
            for fold, folder in zip(folds, folders, strict=True):
                locks.enter_context(alone_in(folder))
                mine = cell_config(config, fold, seed)
                if not is_finished(folder, mine, tested=tested):
                    todo.append((mine, folder))
        tqdm.write(f"Runs: {len(folds) * len(seeds)}, of which to train: {len(todo)}")
        bar = tqdm(todo, desc="Reading", unit="run", leave=False)
        where |= {"say": tqdm.write, "measured": {}}
        cells = [Cell(mine, folder, **where) for mine, folder in bar]
        predicting = train_cells(cells, how=how) if cells else ()
        for cell in tqdm(cells if tested else [], desc="Testing", unit="run"):
            if not cell.fault:
                cell.evaluate(*predicting, brief=brief)
    if faults := [f"{cell.workdir}: {cell.fault}" for cell in cells if cell.fault]:
        raise DivergedError("\n".join(faults))
    return table


def cell_folder(workdir: Path, fold: int | str, seed: int | str) -> Path:
    """Returns the folder of one cell's run."""
    return workdir / f"fold_{fold}" / f"seed_{seed}"


def cell_config(config: ConfigDict, fold: int, seed: int) -> ConfigDict:
    """Returns the config that experiments.train would have of one cell."""
    mine = config.copy_and_resolve_references()
    mine.seed, mine.folds.test_fold = seed, fold
    mine.init_from = mine.init_from.format(fold=fold, seed=seed)
    return mine


def train_cells(cells: list[Cell], *, how: str) -> tuple[Predictor, TrainState]:
    """Trains some runs from their last checkpoints to their ends.

    Returns what predicts with the states of all of them, and how those are laid out.
    """
    config = cells[0].config  # in all that is asked of it here the others agree
    mesh = sharding.make_mesh(1, jax.devices()[: len(cells)])
    method = assemble.method_of_config(config, mesh)
    abstract = abstract_state(method, config, mesh)
    predictor = Predictor(config, method, abstract, mesh)
    begun = [cell.begin(method, abstract, mesh) for cell in cells]
    seeds = [cell.config.seed for cell in cells]
    fleet = make_fleet(config, seeds, begun, mesh, how=how)
    started = since = time.monotonic()
    kind, share = sharding.describe(mesh)["kind"], len(fleet.rounds[0]) // mesh.size
    tqdm.write(f"Devices: {mesh.size} x {kind}, runs at a time on each: {share}")
    stream, on_the_way = Waiting(stream_of(cells, fleet.rounds)), []
    total = sum(cell.config.num_steps for cell in cells)
    begun = sum(cell.step for cell in cells)
    bar = tqdm(desc="Training", unit="step", initial=begun, total=total)
    bar.set_postfix_str("compiling")
    with Interruption(mesh) as interruption, contextlib.closing(stream):
        while running := [i for i, cell in enumerate(cells) if not cell.is_over()]:
            on_the_way.append(advance(fleet, stream))
            if len(on_the_way) > 1:  # so that the bar tells the truth
                jax.block_until_ready(on_the_way[-2])
            for i in running:
                cells[i].step += 1
            bar.update(len(running))
            is_asked = interruption.is_asked()
            if not is_asked and not any(cells[i].is_due() for i in running):
                continue

            bar.set_postfix_str("validating")
            waited = stream.share()
            passed, states = jax.device_get((on_the_way, fleet.states))
            each = (time.monotonic() - since) * mesh.size / len(running)
            each /= len(on_the_way)
            on_the_way = []
            for i in running:
                place, row = divmod(i, len(fleet.rounds[0]))
                mine = [many_models.member_of(values[place], row) for values in passed]
                state = many_models.member_of(states[place], row)
                state = sharding.put_everywhere(state, mesh)
                cells[i].save(state, mine, waited, each, predictor)
            del passed, states  # which may be views of arrays that are donated next
            bar.set_postfix_str(range_of([cells[i] for i in running]))
            since = time.monotonic()
            if is_asked or interruption.is_asked_by_now():
                break
        for cell in cells:
            cell.close()
        if interruption.is_asked_by_now():
            interruption.end(max(cell.step for cell in cells))
    bar.close()
    tqdm.write(f"Trained in {(time.monotonic() - started) / 60:.1f} min")
    return predictor, abstract


def stream_of(cells: list[Cell], rounds: list[list[int]]) -> Iterator[Batch]:
    """Returns the batches of all cells, round after round, from where each has come."""
    return batches_of_rounds(
        [cell.batches for cell in cells],
        [cell.step for cell in cells],
        rounds,
        num_threads=cells[0].config.loader.num_threads,
        num_workers=cells[0].config.loader.num_workers,
    )


def range_of(cells: list[Cell]) -> str:
    """Returns the worst and the best of the last scores, in words; "" if none."""
    name, last = cells[0].config.best_metric, [cell.last_score() for cell in cells]
    worst, best = np.min(last), np.max(last)
    return f"validation {name} {worst:.3f} to {best:.3f}" if worst == worst else ""


class Fleet(NamedTuple):
    """What trains some runs side by side, round after round."""

    mesh: sharding.Mesh
    rounds: list[list[int]]  # of runs that are computed at once
    seeds: list  # of each round, an array; states likewise
    states: list
    step_fn: Callable


def make_fleet(
    config: ConfigDict,
    seeds: list[int],
    states: list[TrainState],
    mesh: sharding.Mesh,
    *,
    how: str,
) -> Fleet:
    """Returns what trains runs of one config that have these seeds and states."""
    rounds = many_models.rounds_of(len(seeds), mesh, how=how)

    def step(seed: jax.Array, state: TrainState, batch: Batch):
        return assemble.member_of_config(config, seed).step(state, batch)

    def put(values: list, members: list[int]):
        return sharding.put_batch(many_models.stack([values[i] for i in members]), mesh)

    return Fleet(
        mesh,
        rounds,
        [put(np.uint32(seeds), members) for members in rounds],
        [put(states, members) for members in rounds],
        jax.jit(many_models.side_by_side(step, mesh), donate_argnums=1),
    )


def advance(fleet: Fleet, stream: Iterator[Batch]) -> list[dict]:
    """Makes one step of every run, and returns each round's scalars."""
    values = []
    for place, seeds in enumerate(fleet.seeds):
        batch = sharding.put_batch(next(stream), fleet.mesh)
        states, scalars = fleet.step_fn(seeds, fleet.states[place], batch)
        fleet.states[place] = states
        values.append(scalars)
    return values


# -- the table -------------------------------------------------------------------------


def pooled_rows(table: dict[int, list[Path]]) -> list[dict]:
    """Returns a row for each seed, for their mean, and for them as an ensemble.

    Args:
        table: seed -> the folders of its runs, one for each fold.
    """
    pools = [
        pool([load(run / "predictions") for run in runs]) for runs in table.values()
    ]
    scored = {
        f"seed {seed}": scores_of(p) for seed, p in zip(table, pools, strict=True)
    }
    if len(pools) > 1:
        scored["mean of the seeds"] = mean_intervals(pools)
        scored["ensemble of the seeds"] = scores_of(ensemble(pools))
    objects = len(pools[0].label)
    return [
        {"model": name, "objects": objects}
        | {score: found[score]._asdict() for score in SHOWN}
        for name, found in scored.items()
    ]


def scores_of(pooled: Pool) -> dict:
    """Returns the scores of a pool with their intervals."""
    return score_intervals(
        pooled.label, pooled.probability, pooled.group, len(pooled.classes)
    )


def as_markdown(rows: list[dict]) -> str:
    """Returns the table for people."""
    lines = ["| model | objects | accuracy | macro F1 |", "|---|---|---|---|"]
    for row in rows:
        cells = ["{value:.3f} [{low:.3f}, {high:.3f}]".format(**row[s]) for s in SHOWN]
        lines.append(f"| {row['model']} | {row['objects']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def numbers_of(flag: str) -> list[int]:
    """Returns the numbers of --folds or --seeds, each once."""
    given = FLAGS[flag].value
    if not all(text.isdecimal() and int(text) < 2**32 for text in given):
        raise InputError(
            f"--{flag}={','.join(given)} is not a list of numbers from 0 on. Write "
            f"them as --{flag}=0,1,2."
        )
    return list(dict.fromkeys(map(int, given)))


def main() -> None:
    """Runs the command."""
    folds, seeds = numbers_of("folds"), numbers_of("seeds")
    sharding.use_cores_as_devices(min(FLAGS.cpu_devices, len(folds) * len(seeds)))
    compilation_cache.keep_programs()
    config, workdir = assemble.resolve_preset(FLAGS), Path(FLAGS.workdir)
    table = train_many(
        config,
        workdir,
        folds=folds,
        seeds=seeds,
        how=FLAGS.how,
        data_dir=FLAGS.data_dir,
        manual_dir=FLAGS.manual_dir,
    )
    rows = pooled_rows(table)
    (workdir / "pooled.json").write_text(json.dumps(rows, indent=1))
    (workdir / "pooled.md").write_text(as_markdown(rows))
    print(f"{len(folds)} of {config.folds.num_folds} test folds pooled:\n")
    print(as_markdown(rows))


if __name__ == "__main__":
    config_flags.DEFINE_config_file(
        "config", None, "An experiment, such as configs/convention.py:laptop."
    )
    flags.DEFINE_string("workdir", None, "Folder of all runs; made if it is not there.")
    flags.DEFINE_list("folds", ["0", "1", "2", "3", "4"], "Test folds, one run each.")
    flags.DEFINE_list(
        "seeds", ["0", "1", "2"], "Seeds, each with a run for every fold."
    )
    flags.DEFINE_enum(
        "how",
        "apart",
        many_models.HOWS,
        "What a device does with several runs; see above.",
    )
    flags.DEFINE_integer(
        "cpu_devices",
        1,
        "Devices that a CPU counts as, each with its cells. More than one pays for "
        "models too small to occupy all cores.",
        lower_bound=1,
    )
    flags.declare_key_flag("data_dir")  # shown by --help
    flags.declare_key_flag("manual_dir")
    flags.declare_key_flag("compilation_cache")
    command_line.run(main, needs=("config", "workdir"))
