"""One run among many that are trained side by side, and the folder it fills."""

from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from jaxastro.runs import assemble
from jaxastro.runs.dataset import (
    evaluation_groups,
    labelled,
    labels_of,
    measure_statistics,
    open_dataset,
    training_batches,
)
from experiments.evaluate import predictions_of
from jaxastro.runs.predictor import Predictor, restore_best, validation_scores
from jaxastro.runs.early_classification import predict_groups
from experiments.train import changes_since, is_over, no_numbers
from jaxastro.runs.initial_state import new_state
from jaxastro.data.hierarchy import is_merged_from
from jaxastro.evaluation.predictions import FILE_NAME, save
from jaxastro.training import sharding
from jaxastro.training.checkpoint import Checkpoints
from jaxastro.training.scalars import Scalars, read_scalars
from jaxastro.types import Method, TrainState


class Cell:
    """One run: its config, its data, and how far it has come.

    Attributes:
        step: how many steps its state has made.
        fault: why it ended early, "" if it did not.
    """

    def __init__(
        self, config: ConfigDict, workdir: Path, *, say, measured: dict, **where: str
    ):
        """Opens data and checkpoints; `where` the data is, as open_dataset wants it.

        Args:
            measured: statistics by the training rows they are of; added to, so that
                runs which differ by their seed alone measure once.
        """
        self.config, self.workdir, self.fault = config, workdir, ""
        self._say = lambda words: say(f"{workdir}: {words}")
        self._dataset = dataset = open_dataset(config, **where)
        with config.unlocked():
            config.facts, config.classes = dataset.facts, dataset.classes
            survey = assemble.survey_of_config(config)
            of = (config.init_from, dataset.rows["train"].tobytes())
            if of not in measured:
                measured[of] = measure_statistics(dataset, config, survey)
            config.statistics.update(measured[of])
        every_row = np.arange(config.batch_size)
        self.batches = training_batches(dataset, config, share=every_row)
        self._rows = labelled(dataset, "validation")
        self._checkpoints = Checkpoints(
            workdir / "checkpoints", metric=config.best_metric, create=True
        )
        for sentence in self._checkpoints.damaged:
            say(sentence)
        self.step = self._last_good = self._checkpoints.latest_step() or 0

    def begin(self, method: Method, abstract: TrainState, mesh) -> TrainState:
        """Returns the last checkpoint's state, or a new one, laid out on the mesh."""
        plain = assemble.to_plain(self.config)
        devices = sharding.describe(mesh) | {"devices": 1}  # it has one for itself
        self._notes = {"config": plain, "devices": devices}
        if self.step:
            then = self._checkpoints.notes_of(self.step)
            changes = changes_since(then, self._notes, self.workdir)
            self._say("\n".join([f"Continuing from step {self.step}", *changes]))
            state = self._checkpoints.restore(self.step, abstract)
            self._pending = then["pending"]
        else:
            self._pending = []
            state = new_state(method, self.config, mesh, self._say, self._dataset)
        assemble.write_config(self.workdir, plain)
        self._scalars = Scalars(self.workdir, first_step=self.step)
        self._history = read_scalars(self.workdir)
        return state

    def is_due(self) -> bool:
        """Returns whether the state is to be scored and saved after this step."""
        config = self.config
        return self.step % config.evaluate_every == 0 or self.step == config.num_steps

    def is_over(self) -> bool:
        """Returns whether the run needs no more steps."""
        if self.fault or self.step >= self.config.num_steps:
            return True
        return is_over(self._history, self.config)

    def save(
        self,
        state: TrainState,
        passed: list[dict],
        waited: float,
        seconds: float,
        predictor: Predictor,
    ) -> None:
        """Saves the state, scored if it is due; one without numbers ends the run.

        Args:
            passed: the scalars of each step since it was saved last.
            waited: the share of the time that all runs waited for data meanwhile.
            seconds: of a device, that each of those steps took.
        """
        self._pending += [
            {name: float(v[name]) for name in v} | {"seconds": seconds} for v in passed
        ]
        means = {
            name: np.mean([v[name] for v in self._pending if name in v])
            for name in self._pending[-1]  # the first may be those of experiments.train
        }
        means["input_wait"] = waited
        is_finite, valid = np.isfinite([*means.values()]).all(), None
        if is_finite and self.is_due():
            groups = evaluation_groups(
                self._dataset, self._rows, self.config, predictor
            )
            output = predict_groups(predictor, state, groups)
            is_finite = all(np.isfinite(column).all() for column in output)
        if not is_finite:
            self.fault = no_numbers(self._last_good, self.step)
            self._say(self.fault)
            return
        if self.is_due():
            label = labels_of(self._dataset, self._rows, self.config)
            valid = validation_scores(label, output, len(self.config.classes))
            values = {f"train/{name}": float(mean) for name, mean in means.items()}
            values |= {f"validation/{name}": x for name, x in valid.items()}
            self._history.append({"step": self.step, **values})
            self._scalars.write(self.step, values)
            self._pending, self._last_good = [], self.step
        notes = self._notes | {"pending": self._pending}
        self._checkpoints.save(self.step, state, notes, valid)

    def last_score(self) -> float:
        """Returns the last validation score, NaN if there is none."""
        name = f"validation/{self.config.best_metric}"
        return self._history[-1][name] if self._history else np.nan

    def evaluate(self, predictor: Predictor, abstract: TrainState, *, brief: bool):
        """Writes what the best state says of the test fold."""
        state = restore_best(self.workdir, self.config, abstract)
        said = predictions_of(self.config, self._dataset, predictor, state, brief=brief)
        save(said, self.workdir / "predictions")

    def close(self) -> None:
        """Waits until all is on disk."""
        self._checkpoints.close()
        self._scalars.close()


def seconds_of(workdir: Path) -> float:
    """Returns how long a device worked for the steps of a run that is done."""
    done, seconds = 0, 0.0
    for line in read_scalars(workdir):
        seconds += (line["step"] - done) * line["train/seconds"]
        done = line["step"]
    return seconds


def is_tested(workdir: Path) -> bool:
    """Returns whether it is written what a run says of its test fold."""
    return (workdir / "predictions" / FILE_NAME).is_file()


def is_finished(workdir: Path, config: ConfigDict, *, tested: bool = True) -> bool:
    """Returns whether a run is done: trained and, if it is to be, tested.

    Raises:
        ValueError: if it was a run of another config.
    """
    if tested and not is_tested(workdir):
        return False
    if not tested and not is_trained(workdir, config):
        return False
    there = assemble.to_plain(assemble.read_config(workdir))
    now = assemble.to_plain(config)
    # What training measured and filled in.
    now["facts"] = there["facts"]
    if config.selection.min_class_size and is_merged_from(there["classes"], now["classes"]):
        now["classes"] = there["classes"]
    now["statistics"] = there["statistics"]
    then, now = ({"config": config, "devices": {}} for config in (there, now))
    changes_since(then, now, workdir)
    return True


def is_trained(workdir: Path, config: ConfigDict) -> bool:
    """Returns whether a run has made its last step, and saved it."""
    if not (workdir / "checkpoints").is_dir():
        return False
    checkpoints = Checkpoints(workdir / "checkpoints", metric=config.best_metric)
    return checkpoints.latest_step() == config.num_steps
