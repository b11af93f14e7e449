"""A random forest on aperture light curves, in the folds and folders of networks."""

import time
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict
from tqdm import tqdm

from experiments import assemble
from experiments.alone import alone_in
from experiments.cell import is_finished
from experiments.dataset import Dataset, labelled, labels_of, open_dataset, records
from experiments.evaluate import brief_predictions
from experiments.inference import Output
from experiments.train_many import cell_config, cell_folder
from jaxastro.evaluation.forest import fit_predict, light_curve_features
from jaxastro.evaluation.predictions import save
from jaxastro.training.scalars import Scalars


def forests(
    config: ConfigDict, workdir: Path, *, folds: list[int], seeds: list[int], **where
) -> None:
    """Writes what a forest says of each test fold, for every seed that is not done.

    It learns from the objects that a network of this config would learn from.
    """
    table = None
    for fold in folds:
        for seed in seeds:
            folder = cell_folder(workdir, fold, seed)
            mine = cell_config(config, fold, seed)
            with alone_in(folder):
                if is_finished(folder, mine):
                    continue
                dataset = open_dataset(mine, **where)
                if table is None:
                    table = feature_table(dataset, mine, workdir)
                write_forest(dataset, mine, folder, table)


def feature_table(dataset: Dataset, config: ConfigDict, workdir: Path) -> np.ndarray:
    """Returns [o f] of all objects of the classes asked for; kept in the workdir.

    In whatever split: other folds ask for others. NaN for the rest.
    """
    of = (*config.survey.split("/"), *config.data.bands, *config.classes)
    path = workdir / f"features_{'_'.join(of)}.npy"
    if path.is_file():
        return np.load(path)
    survey = assemble.survey_of_config(config)
    index = dataset.index
    has_class = labels_of(dataset, np.arange(len(index.label)), config) >= 0
    rows = np.flatnonzero(has_class & (index.num_epochs > 0))  # in the config's bands
    bar = tqdm(rows, desc="Light curves", unit="object")
    found = [light_curve_features(r, survey) for r in records(dataset, bar, config)]
    table = np.full((len(index.label), len(found[0])), np.nan, np.float32)
    table[rows] = found
    partial = path.with_suffix(".partial.npy")
    np.save(partial, table)
    partial.replace(path)  # whole or not at all
    return table


def write_forest(
    dataset: Dataset, config: ConfigDict, folder: Path, table: np.ndarray
) -> None:
    """Trains one forest, and writes what a network's run would leave."""
    started = time.monotonic()
    train, test = labelled(dataset, "train"), labelled(dataset, "test")
    probability = fit_predict(
        *(table[train], labels_of(dataset, train, config), table[test]),
        num_classes=len(config.classes),
        seed=config.seed,
    )
    with config.unlocked():
        config.facts = dataset.facts
    assemble.write_config(folder, assemble.to_plain(config))
    scalars = Scalars(folder, first_step=0)
    scalars.write(1, {"train/seconds": time.monotonic() - started})
    scalars.close()
    # What it sees stands for what it makes of it: a forest has no embedding.
    seen = np.nan_to_num(table[test])
    found = brief_predictions(config, dataset, Output(probability, seen))
    title = f"random forest on {config.survey}, fold {config.data.test_fold}"
    save(found._replace(title=title), folder / "predictions")
