"""Training: one loop, for one run over all devices and for many runs side by side."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import numpy as np
from tqdm import tqdm

from jaxastro.data.loader import batches_of_rounds
from jaxastro.errors import DivergedError, InputError
from jaxastro.evaluation.predictions import save as save_predictions
from jaxastro.runs.evaluation import evaluate, make_predictions, scored_split
from jaxastro.runs.graceful_shutdown import GracefulShutdown
from jaxastro.runs.input_timer import InputTimer
from jaxastro.runs.model_building import (
    abstract_state,
    build_member_method,
    build_method,
    restore_best,
)
from jaxastro.runs.predictor import Predictor
from jaxastro.runs.reporting import write_report
from jaxastro.runs.run_lock import run_lock
from jaxastro.runs.spec import RunSpec
from jaxastro.runs.training_run import TrainingRun, is_finished
from jaxastro.training import many_models, sharding
from jaxastro.types import Batch, Method, Task, TrainState


def train(
    spec: RunSpec,
    workdir: Path | str,
    *,
    data_dir: str = "",
    manual_dir: str = "",
    evaluated: bool = True,
) -> None:
    """Trains one run on all devices, from its last checkpoint if there is one.

    The same call continues a run that was interrupted, to the same bits. SIGTERM and
    SIGINT finish the step, save the state and end the process.

    Args:
        spec: its settings.
        workdir: its folder; made if it does not exist.
        data_dir: folder of built data sets; "": TFDS_DATA_DIR or ~/tensorflow_datasets.
        manual_dir: folder of raw files, for surveys that are not simulated.
        evaluated: predict the test fold and write the report at the end.
    Raises:
        InputError: if the settings contradict each other, the data or a checkpoint.
        DivergedError: if a loss or a prediction became NaN or infinite.
        RunLockedError: if another process trains in the folder.
    """
    workdir = Path(workdir)
    first = sharding.is_first_process()
    log = tqdm.write if first else _silent
    with run_lock(workdir) if first else contextlib.nullcontext():
        mesh = sharding.make_mesh(spec.mesh.fsdp)
        sharding.check_batch_size(spec.batch_size, mesh, spec.gradient_accumulation)
        devices = sharding.describe(mesh)
        hosts = f" of {devices['processes']} processes"
        log(
            f"Devices: {devices['devices']} x {devices['kind']}"
            + (hosts if devices["processes"] > 1 else "")
        )
        run = TrainingRun(
            spec,
            workdir,
            log=log,
            share=sharding.local_rows(spec.batch_size, mesh),
            data_dir=data_dir,
            manual_dir=manual_dir,
        )
        log(str(run.dataset))
        method = build_method(spec, run.task, mesh)
        abstract = abstract_state(method, spec, run.task, mesh)
        log(_describe_parameters(spec, abstract))
        predictor = Predictor(spec, run.task, method, abstract, mesh)
        state = run.begin(method, abstract, mesh, devices)
        stepper = ShardedStepper(method, state, abstract, mesh)
        train_loop([run], stepper, predictor, log)
        log(f"The selected state is that of step {run.best_step()}")
        if evaluated:
            del state, stepper
            evaluate(workdir, data_dir=data_dir, manual_dir=manual_dir)
            if first:
                write_report(workdir)
            sharding.wait_for_all("report written")


def train_many(
    spec: RunSpec,
    workdir: Path | str,
    *,
    folds: list[int],
    seeds: list[int],
    execution: str = "sequential",
    brief: bool = False,
    tested: bool = True,
    data_dir: str = "",
    manual_dir: str = "",
) -> dict[int, list[Path]]:
    """Trains all folds and seeds that are not done; returns each seed's run folders.

    Each run lies in WORKDIR/fold_0/seed_0 and differs from the same run trained by
    `train` by rounding only.

    Args:
        execution: what a device does with several runs, of many_models.EXECUTIONS.
        brief: write of the test fold only what tables need.
        tested: predict the test fold at all; a run may be the start of another.
    Raises:
        InputError: if the settings contradict each other, the data or a checkpoint.
        DivergedError: after all others are done, if a run diverged.
    """
    if spec.mesh.fsdp != 1:
        raise InputError(
            f"config.mesh.fsdp is {spec.mesh.fsdp}, but here each model lies on one "
            "device. Set config.mesh.fsdp to 1, or train one run at a time."
        )
    workdir = Path(workdir)
    one = sharding.make_mesh(1, jax.devices()[:1])
    sharding.check_batch_size(spec.batch_size, one, spec.gradient_accumulation)
    table = {s: [member_folder(workdir, f, s) for f in folds] for s in seeds}
    with contextlib.ExitStack() as locks:
        todo = []
        for seed, folders in table.items():
            for fold, folder in zip(folds, folders, strict=True):
                locks.enter_context(run_lock(folder))
                mine = member_spec(spec, fold, seed)
                if not is_finished(folder, mine, tested=tested):
                    todo.append((mine, folder))
        tqdm.write(f"Runs: {len(folds) * len(seeds)}, of which to train: {len(todo)}")
        where = {"data_dir": data_dir, "manual_dir": manual_dir, "measured": {}}
        runs = [
            TrainingRun(mine, folder, log=_prefixed(folder), **where)
            for mine, folder in tqdm(todo, desc="Reading", unit="run", leave=False)
        ]
        if runs:
            predictor, abstract = _train_members(runs, execution)
            for run in tqdm(runs if tested else [], desc="Testing", unit="run"):
                if not run.fault:
                    _test_member(run, predictor, abstract, brief=brief)
    if faults := [f"{run.workdir}: {run.fault}" for run in runs if run.fault]:
        raise DivergedError("\n".join(faults))
    return table


def member_folder(workdir: Path, fold: int | str, seed: int | str) -> Path:
    """Returns the folder of one fold and seed."""
    return workdir / f"fold_{fold}" / f"seed_{seed}"


def member_spec(spec: RunSpec, fold: int, seed: int) -> RunSpec:
    """Returns the spec of one fold and seed, with init_from's {fold} and {seed} set."""
    source = spec.init_from.format(fold=fold, seed=seed)
    return spec.replace({"seed": seed, "folds.test_fold": fold, "init_from": source})


# -- the loop --------------------------------------------------------------------------


def train_loop(
    runs: list[TrainingRun],
    stepper: "ShardedStepper | MemberStepper",
    predictor: Predictor,
    log: Callable[[str], None],
) -> None:
    """Makes steps until all runs are over, and saves each of them whenever it is due.

    Raises:
        DivergedError: if the only run diverged; of several, each keeps its fault.
        SystemExit: after a signal, when everything is saved.
    """
    started = since = time.monotonic()
    total = sum(run.spec.num_steps for run in runs)
    bar = tqdm(
        desc="Training",
        unit="step",
        initial=sum(run.step for run in runs),
        total=total,
        disable=not sharding.is_first_process(),
    )
    bar.set_postfix_str("compiling")
    stream, pending, score = InputTimer(stepper.batches(runs)), [], ""
    with GracefulShutdown(stepper.mesh) as shutdown, contextlib.closing(stream):
        while running := [i for i, run in enumerate(runs) if not run.is_over()]:
            pending.append(stepper.step(stream))
            if len(pending) > 1:  # waits for the step before, so that the bar is true
                before = jax.block_until_ready(pending[-2])
                if len(runs) == 1:
                    loss = np.asarray(before[0]["loss"]).item()
                    bar.set_postfix_str(f"loss {loss:.3f}{score}", refresh=False)
            for i in running:
                runs[i].step += 1
            bar.update(len(running))
            requested = shutdown.is_requested()
            if not requested and not any(runs[i].is_due() for i in running):
                continue

            bar.set_postfix_str("validating")
            input_wait = stream.share()
            members = stepper.fetch(running, pending)
            elapsed = time.monotonic() - since
            seconds = elapsed * stepper.num_clocks / len(running) / len(pending)
            pending = []
            for i, (state, passed) in zip(running, members, strict=True):
                sentence = runs[i].save(
                    state,
                    passed,
                    input_wait=input_wait,
                    seconds=seconds,
                    predictor=predictor,
                )
                if len(runs) == 1 and sentence:
                    log(sentence)
            del members  # may be views of arrays that are donated next
            score = _range_of_scores([runs[i] for i in running])
            bar.set_postfix_str(score.removeprefix(", "))
            since = time.monotonic()
            if requested or shutdown.is_requested_by_now():
                break
        for run in runs:
            run.close()
        if shutdown.is_requested_by_now():
            shutdown.end(max(run.step for run in runs))
    bar.close()
    if len(runs) == 1:
        if runs[0].fault:
            raise DivergedError(runs[0].fault)
        if runs[0].step < runs[0].spec.num_steps:
            spec = runs[0].spec
            log(f"No better {spec.best_metric} in {spec.patience} evaluations.")
    log(f"Trained in {(time.monotonic() - started) / 60:.1f} min")


class ShardedStepper:
    """Steps of one run whose batches are divided over all devices of a mesh."""

    num_clocks = 1  # one run: seconds per step are those of the wall clock

    def __init__(self, method: Method, state: TrainState, abstract: TrainState, mesh):
        self.mesh, self._state = mesh, state
        shardings = sharding.shardings_of(abstract)
        self._step = jax.jit(
            method.step,
            donate_argnums=0,
            in_shardings=(shardings, sharding.split_by_object(mesh)),
            out_shardings=(shardings, sharding.replicated(mesh)),
        )

    def batches(self, runs: list[TrainingRun]) -> Iterator[Batch]:
        """Returns the batches of the run, from its next step on."""
        (run,) = runs
        return run.batches.since(run.step)

    def step(self, stream: Iterator[Batch]) -> list[dict]:
        """Makes one step and returns its scalars, still on the device."""
        batch = sharding.put_batch(next(stream), self.mesh)
        self._state, scalars = self._step(self._state, batch)
        return [scalars]

    def fetch(self, running: list[int], pending: list[list[dict]]) -> list[tuple]:
        """Returns state and scalars of the steps since the last call, for each run."""
        del running  # there is one run
        return [(self._state, [jax.device_get(scalars) for (scalars,) in pending])]


class MemberStepper:
    """Steps of many runs of one model, each of them on one device, in rounds.

    Attributes:
        rounds: which runs are computed at once; rounds follow one another.
        seeds: of each round, on the devices.
        states: of each round, on the devices.
        program: the compiled step of one round.
    """

    def __init__(
        self,
        spec: RunSpec,
        task: Task,
        seeds: list[int],
        states: list[TrainState],
        mesh,
        *,
        execution: str,
    ):
        self.mesh, self.num_clocks = mesh, mesh.size  # each device works on its own run
        self.rounds = many_models.member_groups(len(seeds), mesh, execution=execution)
        self.runs_per_device = len(self.rounds[0]) // mesh.size

        def step(seed: jax.Array, state: TrainState, batch: Batch):
            return build_member_method(spec, task, seed).step(state, batch)

        def put(values: list, members: list[int]):
            some = many_models.stack([values[i] for i in members])
            return sharding.put_batch(some, mesh)

        self.seeds = [put(np.uint32(seeds), members) for members in self.rounds]
        self.states = [put(states, members) for members in self.rounds]
        self.program = jax.jit(many_models.map_members(step, mesh), donate_argnums=1)

    def batches(self, runs: list[TrainingRun]) -> Iterator[Batch]:
        """Returns the batches of all runs, round after round, from each one's step."""
        loader = runs[0].spec.loader
        return batches_of_rounds(
            [run.batches for run in runs],
            [run.step for run in runs],
            self.rounds,
            num_threads=loader.num_threads,
            num_workers=loader.num_workers,
        )

    def step(self, stream: Iterator[Batch]) -> list[dict]:
        """Makes one step of every run and returns each round's scalars."""
        values = []
        for place, seeds in enumerate(self.seeds):
            batch = sharding.put_batch(next(stream), self.mesh)
            self.states[place], scalars = self.program(seeds, self.states[place], batch)
            values.append(scalars)
        return values

    def fetch(self, running: list[int], pending: list[list[dict]]) -> list[tuple]:
        """Returns state and scalars of the steps since the last call, for each run."""
        passed, states = jax.device_get((pending, self.states))
        members = []
        for i in running:
            place, row = divmod(i, len(self.rounds[0]))
            scalars = [many_models.member_of(values[place], row) for values in passed]
            state = many_models.member_of(states[place], row)
            members.append((sharding.put_replicated(state, self.mesh), scalars))
        return members


def _train_members(
    runs: list[TrainingRun], execution: str
) -> tuple[Predictor, TrainState]:
    """Trains runs to their ends; returns what predicts with the states of all."""
    spec, task = runs[0].spec, runs[0].task  # the others agree in what matters here
    mesh = sharding.make_mesh(1, jax.devices()[: len(runs)])
    method = build_method(spec, task, mesh)
    abstract = abstract_state(method, spec, task, mesh)
    predictor = Predictor(spec, task, method, abstract, mesh)
    devices = sharding.describe(mesh)
    begun = [
        run.begin(method, abstract, mesh, devices | {"devices": 1}) for run in runs
    ]
    seeds = [run.spec.seed for run in runs]
    stepper = MemberStepper(spec, task, seeds, begun, mesh, execution=execution)
    tqdm.write(
        f"Devices: {mesh.size} x {devices['kind']}, runs at a time on each: "
        f"{stepper.runs_per_device}"
    )
    train_loop(runs, stepper, predictor, tqdm.write)
    return predictor, abstract


def _test_member(
    run: TrainingRun, predictor: Predictor, abstract: TrainState, *, brief: bool
) -> None:
    """Writes the predictions of the test fold by the run's selected state."""
    if scored_split(run.spec) is None:
        return
    predictor = predictor.of_task(run.spec, run.task)
    state = restore_best(run.workdir, run.spec, abstract)
    found = make_predictions(run.dataset, predictor, state, brief=brief)
    save_predictions(found, run.workdir / "predictions")


def _range_of_scores(runs: list[TrainingRun]) -> str:
    """Returns the worst and the best of the last scores, in words; "" if none."""
    name, last = runs[0].spec.best_metric, [run.last_score() for run in runs]
    worst, best = np.min(last), np.max(last)
    if not worst <= best:  # NaN: not scored yet
        return ""
    if len(runs) == 1:
        return f", validation {name} {best:.3f}"
    return f", validation {name} {worst:.3f} to {best:.3f}"


def _describe_parameters(spec: RunSpec, abstract: TrainState) -> str:
    count = sum(leaf.size for leaf in jax.tree.leaves(abstract.params))
    sentence = f"{spec.method.name}: {count:,} parameters"
    if spec.optimizer.train_only:
        sentence += f", of which only {', '.join(spec.optimizer.train_only)} is trained"
    return sentence


def _prefixed(folder: Path) -> Callable[[str], None]:
    return lambda words: tqdm.write(f"{folder}: {words}")


def _silent(words: str) -> None:
    """Of several processes one alone prints."""
