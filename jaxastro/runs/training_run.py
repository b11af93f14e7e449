"""One run while it trains: data, checkpoints, scores and what its folder receives."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from jaxastro.errors import InputError
from jaxastro.evaluation.metrics import scores
from jaxastro.evaluation.predictions import FILE_NAME
from jaxastro.representations import describe_statistics, representation_of
from jaxastro.runs.checks import check_best_metric, check_same_inputs
from jaxastro.runs.dataset import Dataset, open_dataset
from jaxastro.runs.initial_state import initial_state
from jaxastro.runs.input_pipeline import predict_rows, training_batches
from jaxastro.runs.model_building import reads_catalogue, state_metric
from jaxastro.runs.predictor import Output, Predictor
from jaxastro.runs.spec import (
    RunSpec,
    differences,
    is_changeable,
    read_spec,
    write_spec,
)
from jaxastro.runs.task import make_task, read_task, select_survey, write_task
from jaxastro.training import sharding
from jaxastro.training.checkpoint import Checkpoints
from jaxastro.training.scalars import Scalars, read_scalars
from jaxastro.types import Method, TrainState

NUM_MEASURED = 1000  # training objects that the normalisation's statistics are of
Log = Callable[[str], None]


class TrainingRun:
    """One run: its spec, its task, its data, and how far it has come.

    Attributes:
        spec: its settings.
        workdir: its folder.
        task: what it classifies, with the statistics of the training objects.
        dataset: the records, divided into folds.
        batches: training batches, one per step.
        step: how many steps its state has made.
        fault: why it ended early; "" if it did not.
    """

    def __init__(
        self,
        spec: RunSpec,
        workdir: Path,
        *,
        log: Log,
        share: np.ndarray | None = None,
        measured: dict | None = None,
        data_dir: str = "",
        manual_dir: str = "",
    ):
        """Opens data and checkpoints.

        Args:
            share: rows of each batch that this process reads; all by default.
            measured: statistics by the training rows they are of; added to, so that
                runs which differ by their seed alone measure once.
            data_dir: folder of built data sets.
            manual_dir: folder of raw files.
        """
        self.spec, self.workdir, self.fault, self._log = spec, workdir, "", log
        self.dataset = open_dataset(
            spec,
            data_dir=data_dir,
            manual_dir=manual_dir,
            reads_catalogue=reads_catalogue(spec),
        )
        measured = {} if measured is None else measured
        key = (spec.init_from, self.dataset.rows["train"].tobytes())
        if key not in measured:
            measured[key] = measure_statistics(self.dataset)
        self.task = make_task(
            spec, self.dataset.survey, self.dataset.classes, measured[key]
        )
        for sentence in describe_statistics(self.task.statistics):
            log(sentence)
        share = np.arange(spec.batch_size) if share is None else share
        self.batches = training_batches(self.dataset, self.task, share=share)
        self._validation = self.dataset.labelled("validation")
        self._checkpoints = Checkpoints(
            workdir / "checkpoints", metric=state_metric(spec), create=True
        )
        for sentence in self._checkpoints.damaged:
            log(sentence)
        self.step = self._checkpoints.latest_step() or 0
        self._last_good, self._pending = self.step, []
        self._history = [
            line for line in read_scalars(workdir) if line["step"] <= self.step
        ]

    def begin(
        self, method: Method, abstract: TrainState, mesh, devices: dict
    ) -> TrainState:
        """Returns the last checkpoint's state, or a new one, laid out on the mesh.

        Args:
            devices: description of those that this run uses, stored with its state.
        """
        check_best_metric(self.spec, method.scores)
        self._notes = {"config": self.spec.to_dict(), "devices": devices}
        if self.step:
            then = self._checkpoints.notes_of(self.step)
            changes = changes_since(then, self._notes, self.workdir)
            self._log("\n".join([f"Continuing from step {self.step}", *changes]))
            state = self._checkpoints.restore(self.step, abstract)
            self._pending = then["pending"]
        else:
            state = initial_state(
                method, self.spec, self.task, mesh, self._log, self.dataset
            )
        if sharding.is_first_process():
            write_spec(self.workdir, self.spec)
            write_task(self.workdir, self.task)
            self._scalars = Scalars(self.workdir, first_step=self.step)
        return state

    def is_due(self) -> bool:
        """Returns whether the state is to be scored and saved after this step."""
        spec = self.spec
        return self.step % spec.evaluate_every == 0 or self.step == spec.num_steps

    def is_over(self) -> bool:
        """Returns whether the run needs no more steps."""
        if self.fault or self.step >= self.spec.num_steps:
            return True
        return has_stopped_improving(self._history, self.spec)

    def save(
        self,
        state: TrainState,
        passed: list[dict],
        *,
        input_wait: float,
        seconds: float,
        predictor: Predictor,
    ) -> str:
        """Saves the state, scored if it is due; a state with NaN ends the run.

        Args:
            passed: the scalars of each step since it was saved last.
            input_wait: share of the time that was spent waiting for data.
            seconds: of a device, per step.

        Returns:
            A sentence on the scores; "" if none were computed.
        """
        self._pending += [
            {name: float(v[name]) for name in v} | {"seconds": seconds} for v in passed
        ]
        # Those of an earlier process may be of an older version, with other names.
        means = {
            name: np.mean([v[name] for v in self._pending if name in v])
            for name in self._pending[-1]
        }
        means["input_wait"] = input_wait
        is_finite = np.isfinite([*means.values()]).all()
        output = None
        if is_finite and self.is_due() and len(self._validation):
            mine = predictor.of_task(self.spec, self.task)
            output = predict_rows(mine, state, self.dataset, self._validation)
            is_finite = all(np.isfinite(column).all() for column in output)
        if not is_finite:
            self.fault = divergence_message(self._last_good, self.step)
            return ""
        sentence, selection = "", None
        if self.is_due():
            sentence, selection = self._score(means, output)
        notes = self._notes | {"pending": self._pending}
        self._checkpoints.save(self.step, state, notes, selection)
        return sentence

    def last_score(self) -> float:
        """Returns the last validation score, NaN if there is none."""
        name = f"validation/{self.spec.best_metric}"
        scored = [line[name] for line in self._history if name in line]
        return scored[-1] if scored else np.nan

    def best_step(self) -> int | None:
        """Returns the step whose state is selected."""
        return self._checkpoints.best_step()

    def close(self) -> None:
        """Waits until everything is on disk."""
        self._checkpoints.close()
        if sharding.is_first_process():
            self._scalars.close()

    def _score(self, means: dict, output: Output | None) -> tuple[str, dict]:
        values = {f"train/{name}": float(mean) for name, mean in means.items()}
        sentence, valid = f"step {self.step}: loss {means['loss']:.3f}", {}
        if output is not None:
            label = self.dataset.labels(self._validation)
            valid = validation_scores(label, output, len(self.task.classes))
            values |= {f"validation/{name}": x for name, x in valid.items()}
            sentence += f", validation macro F1 {valid['macro_f1']:.3f}"
        self._history.append({"step": self.step, **values})
        if sharding.is_first_process():
            self._scalars.write(self.step, values)
        self._pending, self._last_good = [], self.step
        return sentence, valid | {"step": float(self.step)}


def measure_statistics(dataset: Dataset) -> dict:
    """Returns the normalisation's numbers, from evenly spaced training objects.

    Those of config.init_from, where it is set: its parameters expect its numbers.
    """
    spec = dataset.spec
    survey = select_survey(spec, dataset.survey)
    if spec.init_from:
        source = Path(spec.init_from)
        other = read_task(source)
        check_same_inputs(spec, survey, read_spec(source), other.survey)
        return other.statistics
    rows = dataset.rows["train"]
    if len(rows) > NUM_MEASURED:
        rows = rows[np.linspace(0, len(rows) - 1, NUM_MEASURED).astype(int)]
    return representation_of(spec.representation.name).fit_statistics(
        dataset.records(rows),
        normalisation=spec.representation.normalisation,
        survey=survey,
    )


def validation_scores(
    label: np.ndarray, output: Output, num_classes: int
) -> dict[str, float]:
    """Returns the scores that may select a state; high is best.

    Of an auto-encoder also "log_likelihood", or a lower bound of it, in nats per pixel,
    which needs no label.
    """
    found = scores(label, output.probability, num_classes)
    if output.negative_elbo.size:
        found["log_likelihood"] = -float(output.negative_elbo.mean(dtype=np.float64))
    return found


def changes_since(then: dict, now: dict, workdir: Path) -> list[str]:
    """Returns sentences on settings and devices that differ from a checkpoint's.

    Raises:
        InputError: if the run would not be the same run.
    """
    changes = differences(then["config"], now["config"])
    harmful = [line for line in changes if not is_changeable(line)]
    if harmful:
        raise InputError(
            f"{workdir} holds a checkpoint of another config. {'; '.join(harmful)}. "
            "Use a new --workdir, or the old config."
        )
    moved = differences(then["devices"], now["devices"], "devices")
    rounding = ["From here equal to rounding, not to the bit."] if moved else []
    return [f"Changed: {line}" for line in changes + moved] + rounding


def divergence_message(last_good: int, step: int) -> str:
    """Returns the message for a loss or a prediction that is NaN or infinite."""
    kept = f"Step {last_good}'s state is kept" if last_good else "No state was good"
    return (
        f"The loss or the predictions became NaN or infinite within steps "
        f"{last_good + 1} to {step}. {kept}. Lower config.optimizer.learning_rate or "
        "set config.optimizer.clip, in a new --workdir."
    )


def has_stopped_improving(history: list[dict], spec: RunSpec) -> bool:
    """Returns whether the score has not improved for spec.patience evaluations."""
    name = f"validation/{spec.best_metric}"
    score = [line[name] for line in history if name in line]
    if not spec.patience or len(score) <= spec.patience:
        return False
    return max(score[-spec.patience :]) <= max(score[: -spec.patience])


# -- run folders -----------------------------------------------------------------------


def device_seconds(workdir: Path) -> float:
    """Returns how long a device worked for the steps of a finished run, seconds."""
    done, seconds = 0, 0.0
    for line in read_scalars(workdir):
        seconds += (line["step"] - done) * line["train/seconds"]
        done = line["step"]
    return seconds


def is_tested(workdir: Path) -> bool:
    """Returns whether a run folder holds predictions of the test fold."""
    return (workdir / "predictions" / FILE_NAME).is_file()


def is_finished(workdir: Path, spec: RunSpec, *, tested: bool = True) -> bool:
    """Returns whether a run is done: trained and, if it is to be, tested.

    Raises:
        InputError: if it was a run of another spec.
    """
    if not (is_tested(workdir) if tested else is_trained(workdir, spec)):
        return False
    there, now = (
        {"config": one.to_dict(), "devices": {}} for one in (read_spec(workdir), spec)
    )
    changes_since(there, now, workdir)
    return True


def is_trained(workdir: Path, spec: RunSpec) -> bool:
    """Returns whether a run has made its last step, and saved it."""
    if not (workdir / "checkpoints").is_dir():
        return False
    checkpoints = Checkpoints(workdir / "checkpoints", metric=state_metric(spec))
    return checkpoints.latest_step() == spec.num_steps
