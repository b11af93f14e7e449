"""Forests and boosting on features, in the folds and folders of networks."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict
from tqdm import tqdm

from jaxastro.runs import assemble
from jaxastro.runs.run_lock import alone_in
from jaxastro.runs.training_run import is_finished
from jaxastro.runs.dataset import Dataset, labelled, labels_of, open_dataset, records
from experiments.evaluate import brief_predictions
from jaxastro.runs.predictor import Output
from experiments.train_many import cell_config, cell_folder
from jaxastro.baselines.features import feature_names, features_of
from jaxastro.baselines.classifiers import fit_predict
from jaxastro.evaluation.predictions import save
from jaxastro.training.scalars import Scalars


def train_classical(
    config: ConfigDict,
    workdir: Path,
    *,
    kind: str,
    features: Sequence[str],
    kept: Path,
    folds: Sequence[int],
    seeds: Sequence[int],
    **where: str,
) -> None:
    """Writes what a classifier says of each test fold, for every seed that is not done.

    It learns from the objects that a network of this config would learn from.

    Args:
        kind: one of jaxastro.baselines.classifiers.CLASSIFIERS.
        features: the sets that it sees, of jaxastro.baselines.features.SETS.
        kept: a folder for tables of features, which systems share.
    """
    config = config.copy_and_resolve_references()
    config.method = ConfigDict({"name": "classical", "args": {}})
    config.model = ConfigDict({"name": kind, "args": {"features": tuple(features)}})
    table = None
    for fold in folds:
        for seed in seeds:
            folder = cell_folder(workdir, fold, seed)
            mine = cell_config(config, fold, seed)
            with alone_in(folder):
                if is_finished(folder, mine):
                    continue
                dataset = open_dataset(mine, **where)
                with mine.unlocked():
                    mine.facts, mine.classes = dataset.facts, dataset.classes
                if table is None:
                    found = [feature_table(dataset, mine, s, kept) for s in features]
                    table = np.concatenate(found, axis=1)
                write_run(dataset, mine, folder, table)


def feature_table(
    dataset: Dataset, config: ConfigDict, name: str, kept: Path
) -> np.ndarray:
    """Returns [o f] of one set, of all objects of the classes asked for; it is kept.

    In whatever split: other folds ask for others. NaN for the rest. One that was kept
    of other objects or other features is made anew.
    """
    survey, index = assemble.survey_of_config(config), dataset.index
    names = np.array(feature_names(survey, (name,)))
    of = (name, *config.survey.split("/"), *config.selection.bands, *config.classes)
    path = kept / f"{'_'.join(of)}.npz"
    if path.is_file():
        with np.load(path) as file:
            of_these = np.array_equal(file["object_id"], index.object_id)
            if of_these and np.array_equal(file["names"], names):
                return file["table"]
    has_class = labels_of(dataset, np.arange(len(index.label)), config) >= 0
    # Images without an epoch in the config's bands have nothing; catalogues need none.
    has_data = (index.num_epochs > 0) | (survey.kind == "light_curve")
    rows = np.flatnonzero(has_class & has_data)
    bar = tqdm(rows, desc=f"Features: {name}", unit="object")
    found = [features_of(r, survey, (name,)) for r in records(dataset, bar, config)]
    table = np.full((len(index.label), len(names)), np.nan, np.float32)
    table[rows] = found
    kept.mkdir(parents=True, exist_ok=True)
    partial = kept / f".{os.getpid()}.{path.name}"
    np.savez(partial, names=names, object_id=index.object_id, table=table)
    partial.replace(path)  # whole or not at all
    return table


def write_run(
    dataset: Dataset, config: ConfigDict, folder: Path, table: np.ndarray
) -> None:
    """Trains one classifier, and writes what a network's run would leave."""
    started = time.monotonic()
    train, test = labelled(dataset, "train"), labelled(dataset, "test")
    probability = fit_predict(
        *(table[train], labels_of(dataset, train, config), table[test]),
        num_classes=len(config.classes),
        seed=config.seed,
        kind=config.model.name,
    )
    assemble.write_config(folder, assemble.to_plain(config))
    scalars = Scalars(folder, first_step=0)
    scalars.write(1, {"train/seconds": time.monotonic() - started})
    scalars.close()
    # What it sees stands for what it makes of it: it has no embedding.
    seen, no_spread = np.nan_to_num(table[test]), probability[:, :0]
    output = Output(probability, seen, no_spread, no_spread)
    save(brief_predictions(config, dataset, output), folder / "predictions")
