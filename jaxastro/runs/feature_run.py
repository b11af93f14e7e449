"""Forests and boosting on features, trained and stored like the runs of networks."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from jaxastro.atomic_write import atomic_write
from jaxastro.baselines.classifiers import FittedClassifier
from jaxastro.baselines.features import feature_names, features_of
from jaxastro.data.record import Record
from jaxastro.evaluation.predictions import save
from jaxastro.representations import representation_of
from jaxastro.runs.dataset import Dataset, open_dataset
from jaxastro.runs.evaluation import brief_predictions, scored_split
from jaxastro.runs.predictor import Output
from jaxastro.runs.run_lock import run_lock
from jaxastro.runs.spec import Component, RunSpec, write_spec
from jaxastro.runs.task import make_task, record_selector, write_task
from jaxastro.runs.training_loop import member_folder, member_spec
from jaxastro.runs.training_run import is_finished
from jaxastro.training.scalars import Scalars
from jaxastro.types import Task

CLASSIFIER_FILE = "classifier.skops"
BATCH_SIZE = 64  # objects that are classified at once


def train_on_features(
    spec: RunSpec,
    workdir: Path | str,
    *,
    kind: str,
    features: Sequence[str],
    table_folder: Path | None = None,
    folds: Sequence[int] = (0,),
    seeds: Sequence[int] = (0,),
    data_dir: str = "",
    manual_dir: str = "",
) -> None:
    """Trains a forest or boosting for every fold and seed that is not done.

    It trains on the objects that a network of this spec would train on. Each run
    lies in WORKDIR/fold_0/seed_0; `jaxastro.load` opens it like that of a network.

    Args:
        kind: one of jaxastro.baselines.classifiers.CLASSIFIERS.
        features: sets of features, of jaxastro.baselines.features.SETS.
        table_folder: for tables of features, which runs share; by default WORKDIR.
    """
    workdir = Path(workdir)
    table_folder = table_folder or workdir / "features"
    plain = spec.to_dict() | {
        "method": vars(Component("features")),
        "model": vars(Component(kind, {"features": tuple(features)})),
    }
    spec, table = RunSpec.from_dict(plain), None
    catalogued = (
        "feature" in representation_of(spec.representation.name).Example._fields
    )
    for fold in folds:
        for seed in seeds:
            folder = member_folder(workdir, fold, seed)
            mine = member_spec(spec, fold, seed)
            with run_lock(folder):
                if is_finished(folder, mine):
                    continue
                dataset = open_dataset(
                    mine,
                    data_dir=data_dir,
                    manual_dir=manual_dir,
                    reads_catalogue=catalogued,
                )
                task = make_task(mine, dataset.survey, dataset.classes, statistics={})
                if table is None:
                    found = [
                        feature_table(dataset, task, name, table_folder)
                        for name in features
                    ]
                    table = np.concatenate(found, axis=1)
                _write_run(dataset, task, folder, table)


def feature_table(
    dataset: Dataset, task: Task, name: str, table_folder: Path
) -> np.ndarray:
    """Returns [o f] of one feature set, for all objects of the task's classes.

    They are of any split, for other folds need others; NaN for the rest. The table is
    stored, and computed anew if it was stored for other objects or features.
    """
    survey, index, spec = task.survey, dataset.index, dataset.spec
    names = np.array(feature_names(survey, (name,)))
    parts = (name, *spec.survey.split("/"), *spec.selection.bands, *task.classes)
    path = table_folder / f"{'_'.join(parts)}.npz"
    if path.is_file():
        with np.load(path) as file:
            same_objects = np.array_equal(file["object_id"], index.object_id)
            if same_objects and np.array_equal(file["names"], names):
                return file["table"]
    has_class = dataset.labels(np.arange(len(index.label))) >= 0
    # Images without an epoch in the selected bands have nothing; catalogues need none.
    has_data = (index.num_epochs > 0) | (survey.kind == "light_curve")
    rows = np.flatnonzero(has_class & has_data)
    bar = tqdm(rows, desc=f"Features: {name}", unit="object")
    found = [features_of(record, survey, (name,)) for record in dataset.records(bar)]
    table = np.full((len(index.label), len(names)), np.nan, np.float32)
    table[rows] = found
    table_folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, "wb", unique=True) as file:
        np.savez(file, names=names, object_id=index.object_id, table=table)
    return table


def is_feature_run(workdir: Path) -> bool:
    """Returns whether a run folder holds a forest or boosting."""
    return (workdir / CLASSIFIER_FILE).is_file()


class FeatureBackend:
    """Applies a fitted forest or boosting to records."""

    batch_size = BATCH_SIZE

    def __init__(self, workdir: Path, spec: RunSpec, task: Task):
        """Reads the fitted classifier of a run folder."""
        self._classifier = FittedClassifier.load(workdir / CLASSIFIER_FILE)
        self._select = record_selector(spec, task.whole_survey)
        self._survey = task.survey
        example = representation_of(spec.representation.name).Example
        self.reads_catalogue = "feature" in example._fields

    def classify(self, records: Sequence[Record]) -> Output:
        """Returns the probabilities of some records; the embedding is the features."""
        sets = self._classifier.feature_sets
        table = np.array(
            [
                features_of(self._select(record), self._survey, sets)
                for record in records
            ]
        )
        return _output_of(table, self._classifier.predict_probability(table))


def _write_run(dataset: Dataset, task: Task, folder: Path, table: np.ndarray) -> None:
    """Trains one classifier, and writes what the run of a network would hold."""
    spec, started = dataset.spec, time.monotonic()
    train = dataset.labelled("train")
    sets = tuple(spec.model.args["features"])
    classifier = FittedClassifier.fit(
        table[train],
        dataset.labels(train),
        classes=task.classes,
        feature_sets=sets,
        feature_names=feature_names(task.survey, sets),
        kind=spec.model.name,
        seed=spec.seed,
    )
    write_spec(folder, spec)
    write_task(folder, task)
    classifier.save(folder / CLASSIFIER_FILE)
    scalars = Scalars(folder, first_step=0)
    scalars.write(1, {"train/seconds": time.monotonic() - started})
    scalars.close()
    if split := scored_split(spec):
        rows = table[dataset.labelled(split)]
        output = _output_of(rows, classifier.predict_probability(rows))
        save(brief_predictions(dataset, task, output), folder / "predictions")


def _output_of(table: np.ndarray, probability: np.ndarray) -> Output:
    """A classifier of features has no embedding: the features take its place."""
    nothing = probability[:, :0]
    return Output(probability, np.nan_to_num(table), nothing, nothing)
