"""A trained run as one object: predict, evaluate and report from Python."""

import functools
import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from tqdm import tqdm

from data_builders.engine.readings import Tally, records_of
from data_builders.engine.readings import write_report as write_tally
from jaxastro.data.alert import AlertRecord
from jaxastro.data.hierarchy import nodes_of
from jaxastro.data.record import Record
from jaxastro.errors import InputError
from jaxastro.evaluation.predictions import Predictions
from jaxastro.evaluation.predictions import load as load_predictions
from jaxastro.runs.evaluation import evaluate
from jaxastro.runs.feature_run import FeatureBackend, is_feature_run
from jaxastro.runs.model_building import mesh_for, reads_catalogue
from jaxastro.runs.prediction_table import (
    PredictionTable,
    concatenate,
    prediction_writer,
    without_nan,
)
from jaxastro.runs.predictor import Output, load_predictor, predict_examples
from jaxastro.runs.record_input import Objects, alert_readings_of, readings_of
from jaxastro.runs.reporting import read_metrics, write_report
from jaxastro.runs.spec import read_spec
from jaxastro.runs.task import read_task
from jaxastro.surveys import Survey

NOT_FINITE = (
    "Object {}: its probabilities are not numbers, as its fluxes are too large or not "
    "finite in the network. Check the unit of its fluxes."
)
BATCHES_PER_WINDOW = 8  # read, then sorted by length, so that similar ones share one


def load(*workdirs: str | Path) -> "Run | Ensemble":
    """Returns a trained run, or the ensemble of several.

        run = jaxastro.load("runs/hits")
        table = run.predict("new_objects.npz")
        table.to_pandas()

    Args:
        workdirs: folders of runs. Of several (folds, seeds) the probabilities are
            averaged; they must have the same classes and kind of survey.
    Raises:
        MissingFileError: if a folder holds no trained run.
        InputError: if the runs cannot be averaged, or no path is given.
    """
    if not workdirs:
        raise InputError('No run was given. Give a folder: load("runs/hits").')
    for workdir in workdirs:
        if not isinstance(workdir, str | Path):
            raise InputError(
                f"A folder of a run was given as {type(workdir).__name__}. A path is "
                'expected for each run. Give several as load("runs/a", "runs/b").'
            )
    runs = [Run(workdir) for workdir in workdirs]
    return runs[0] if len(runs) == 1 else Ensemble(runs)


class _Classifier:
    """What a run and an ensemble share: from any objects to a table."""

    classes: tuple[str, ...]
    _first: "Run"

    def _predict_records(self, records: Sequence[Record]) -> PredictionTable:
        raise NotImplementedError

    def predict(
        self,
        objects: Objects,
        *,
        report: str | Path | None = None,
        progress: bool = False,
    ) -> PredictionTable:
        """Returns the class probabilities of new objects.

        Args:
            objects: path of raw data, as the run's survey publishes them; or records
                (data_builders.load); or mappings of arrays, one per object, such as
                {"object_id": "a", "flux": [t y x], "mjd": [t], "band": [t]} with flux
                in the survey's unit, mjd in days and band as names or indices.
            report: a JSON file that receives the reason for each object set aside.
            progress: show a progress bar.
        Raises:
            InputError: if not one of the objects can be read.
        """
        tables = list(self.predict_in_parts(objects, report=report, progress=progress))
        if not tables:
            raise InputError(
                f"{objects} holds no object to classify. Give at least one."
            )
        table = concatenate(tables)
        _check_any_rows(len(table), tables)
        return table

    def predict_in_parts(
        self,
        objects: Objects,
        *,
        each_alert: bool = False,
        report: str | Path | None = None,
        progress: bool = False,
    ) -> Iterator[PredictionTable]:
        """Yields the table part by part, in the order of the objects.

        Memory holds a few batches, however many objects there are.

        Args:
            each_alert: a row for each alert of a night by itself; `objects` is a path,
                or "-" for standard input.
        """
        run = self._first
        if each_alert:
            readings = alert_readings_of(str(objects), run.spec)
        else:
            readings = readings_of(
                objects, run.spec, run.task, reads_catalogue=run.reads_catalogue
            )
        tally = Tally()
        records = records_of(readings, report=report and Path(report), tally=tally)
        unit = " alerts" if each_alert else " objects"
        records = iter(tqdm(records, unit=unit, disable=not progress))
        window, seen, num_late = run.batch_size * BATCHES_PER_WINDOW, 0, 0

        def read_window() -> list[Record]:
            return list(itertools.islice(records, window))

        with ThreadPoolExecutor(1) as reader:
            ahead = reader.submit(read_window)
            while some := ahead.result():
                ahead = reader.submit(read_window)  # while these are classified
                table = self._predict_records(some)
                if each_alert:
                    table = _with_alerts(table, cast(list[AlertRecord], some))
                table, names = without_nan(table)
                for name in names:
                    tally.set_aside(name, NOT_FINITE.format(name))
                num_late += len(names)
                new, seen = tally.notes[seen:], len(tally.notes)
                yield replace(table, set_aside=_reasons(new))
        if num_late and report:  # which was written when everything was read
            write_tally(tally.report(), Path(report))

    def predict_to_file(
        self,
        objects: Objects,
        output: str | Path,
        *,
        each_alert: bool = False,
        report: str | Path | None = None,
        progress: bool = False,
    ) -> int:
        """Writes the table of predictions part by part; returns the number of rows.

        Args:
            objects: as for `predict`; with each_alert a path, or "-".
            output: .csv, .parquet or .avro; whole or not at all.
            each_alert: a row for each alert of a night by itself.
            report: a JSON file that receives the reason for each object set aside.
            progress: show a progress bar.
        """
        count, last = 0, []
        with prediction_writer(Path(output)) as append:
            for table in self.predict_in_parts(
                objects, each_alert=each_alert, report=report, progress=progress
            ):
                append(table)
                count, last = count + len(table), [table]
            if last:
                _check_any_rows(count, last)
        return count


class Run(_Classifier):
    """A run folder: spec, task and trained state.

    Attributes:
        workdir: its folder.
        spec: its settings, a frozen RunSpec.
        task: survey as the model sees it, classes, statistics.
        classes: names, in the order of the probabilities.
        survey: facts of the survey: bands, wavelengths, units, citation.
    """

    def __init__(self, workdir: str | Path):
        """Reads spec and task; the state is restored at the first prediction.

        Raises:
            MissingFileError: if it is not the folder of a trained run.
        """
        self.workdir = Path(workdir)
        self.spec, self.task = read_spec(self.workdir), read_task(self.workdir)
        self.classes: tuple[str, ...] = self.task.classes
        self.survey: Survey = self.task.survey
        self._first = self

    def __repr__(self) -> str:
        """Returns what it is, in one line."""
        return (
            f"Run({str(self.workdir)!r}: {self.spec.model.name} on {self.spec.survey}, "
            f"classes {', '.join(self.classes)})"
        )

    @property
    def config(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return self.spec.to_dict()

    @property
    def reads_catalogue(self) -> bool:
        """Whether the model reads numbers of a catalogue."""
        return self._backend.reads_catalogue

    @property
    def batch_size(self) -> int:
        """Objects that are classified at once."""
        return self._backend.batch_size

    @functools.cached_property
    def _backend(self) -> "FeatureBackend | NetworkBackend":
        if is_feature_run(self.workdir):
            return FeatureBackend(self.workdir, self.spec, self.task)
        return NetworkBackend(self)

    def _predict_records(self, records: Sequence[Record]) -> PredictionTable:
        output = self._backend.classify(records)
        return PredictionTable(
            classes=self.classes,
            object_id=np.array([record.object_id for record in records], str),
            probability=output.probability,
            embedding=output.embedding,
            spread=output.spread,
            hierarchy=nodes_of(self.classes, self.task.hierarchy),
        )

    def predictions(self) -> Predictions:
        """Returns the stored predictions of the test fold, as reports read them.

        Raises:
            MissingFileError: if the run was not evaluated yet.
        """
        return load_predictions(self.workdir / "predictions")

    def scores(self) -> dict[str, Any]:
        """Returns the scores of the test fold with their intervals, as reported.

        Raises:
            MissingFileError: if there is no report yet.
        """
        return read_metrics(self.workdir)

    def evaluate(self, *, data_dir: str = "", manual_dir: str = "") -> Predictions:
        """Predicts the test fold again, stores the predictions and returns them.

        Args:
            data_dir: folder of built data sets; "": TFDS_DATA_DIR or its default.
            manual_dir: folder of raw files, for surveys that are not simulated.
        """
        evaluate(self.workdir, data_dir=data_dir, manual_dir=manual_dir)
        return self.predictions()

    def report(self) -> Path:
        """Writes the report of the stored predictions and returns the page's path."""
        return write_report(self.workdir)


class Ensemble(_Classifier):
    """Several runs of the same classes: folds and seeds, averaged.

    `spread` of its tables is the standard deviation over the runs.
    """

    def __init__(self, runs: Sequence[Run]):
        """Takes the runs.

        Raises:
            InputError: if their classes, hierarchy or surveys differ.
        """
        first = runs[0]
        for run in runs[1:]:
            for what in ("classes", "hierarchy", "whole_survey"):
                if getattr(run.task, what) != getattr(first.task, what):
                    raise InputError(
                        f"{run.workdir} and {first.workdir} differ in their {what}: "
                        "their probabilities cannot be averaged. Give runs of one "
                        "survey and the same classes."
                    )
        self.runs, self.classes, self.survey = tuple(runs), first.classes, first.survey
        self._first = first

    def __repr__(self) -> str:
        """Returns what it is, in one line."""
        return f"Ensemble of {len(self.runs)}: {', '.join(map(repr, self.runs))}"

    def _predict_records(self, records: Sequence[Record]) -> PredictionTable:
        tables = [run._predict_records(records) for run in self.runs]
        probability = np.stack([table.probability for table in tables])
        return replace(
            tables[0],
            probability=probability.mean(axis=0),
            spread=probability.std(axis=0),
            embedding=np.concatenate([t.embedding for t in tables], axis=1),
        )


class NetworkBackend:
    """Applies the selected state of a network."""

    def __init__(self, run: Run):
        """Restores the state; compiles meanwhile."""
        spec, task = run.spec, run.task
        self._predictor, self._state = load_predictor(
            run.workdir, spec, task, mesh_for(spec)
        )
        self._make_example = self._predictor.example_maker()
        self.batch_size = self._predictor.batch_size
        self.reads_catalogue = reads_catalogue(spec)

    def classify(self, records: Sequence[Record]) -> Output:
        """Returns the Output of some records."""
        examples = [self._make_example(record) for record in records]
        return predict_examples(self._predictor, self._state, examples)


def _with_alerts(
    table: PredictionTable, records: Sequence[AlertRecord]
) -> PredictionTable:
    """Returns the table with number and time of the last alert of each record."""
    return replace(
        table,
        alert_id=np.array([int(record.alert_id[-1]) for record in records]),
        mjd=np.array([float(record.mjd[-1]) for record in records]),
    )


def _check_any_rows(count: int, tables: Sequence[PredictionTable]) -> None:
    """Refuses a result without a row; names the reason of the last object."""
    if not count:
        reasons = [sentence for table in tables for _, sentence in table.set_aside]
        raise InputError(f"Not one object has a prediction. The last: {reasons[-1]}")


def _reasons(notes: list[tuple]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (object_id, " ".join(sentences))
        for _, object_id, is_set_aside, sentences in notes
        if is_set_aside
    )
