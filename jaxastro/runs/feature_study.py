"""Which features a classification needs, and how much each adds.

In each test fold, on its training objects alone: of features whose ranks correlate with
|r| >= 0.9 one stays, a forest ranks those that are left, and sequential forward
selection adds one after the other. The test fold is then named by a forest and by a
small network, with one feature, with two, and so on to all. Folds that are done are not
done again. In the end WORKDIR holds
    features.json      all of it, fold by fold
    features.csv       a row for each feature: its importance and its place in the order
    feature_correlation.png, feature_importance.png, accuracy_by_features.png
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from jaxastro.atomic_write import atomic_write
from jaxastro.baselines import feature_selection
from jaxastro.baselines.features import feature_names, feature_sets_of
from jaxastro.errors import InputError
from jaxastro.reports import feature_selection as pictures
from jaxastro.runs.dataset import open_dataset
from jaxastro.runs.feature_run import feature_table
from jaxastro.runs.spec import RunSpec
from jaxastro.runs.task import make_task
from jaxastro.runs.training_loop import member_spec

MODELS = {"forest": feature_selection.forest, "network": feature_selection.network}


def study(
    spec: RunSpec, workdir: Path, *, sets: Sequence[str], folds: list[int], **where: str
) -> dict[int, dict]:
    """Returns the feature selection of every fold, and writes it.

    Raises:
        ValueError: if there are no such features, or the folder is of another study.
    """
    found = {}
    for fold in tqdm(folds, desc="Folds", unit="fold"):
        mine = member_spec(spec, fold, spec.seed)
        dataset = open_dataset(mine, **where, reads_catalogue=True)
        task = make_task(mine, dataset.survey, dataset.classes, statistics={})
        survey = task.survey
        sets = sets or feature_sets_of(survey)
        names = np.array(feature_names(survey, sets))
        table = [feature_table(dataset, task, name, workdir) for name in sets]
        table = np.concatenate(table, axis=1)
        known = np.isfinite(table).any(axis=0)
        if not known.any():
            raise InputError(
                f"{spec.survey} has no number in the features {', '.join(sets)}. Use "
                f"other --sets of {', '.join(feature_sets_of(survey))}."
            )
        wanted = {
            "survey": spec.survey,
            "classes": list(task.classes),
            "features": names[known].tolist(),
            "seed": spec.seed,
        }
        rows = [dataset.labelled(split) for split in ("train", "test")]
        train, test = ((table[np.ix_(row, known)], dataset.labels(row)) for row in rows)
        if not len(train[0]) or not len(test[0]):
            raise InputError(
                f"Fold {fold} of {spec.survey} has {len(train[0])} training and "
                f"{len(test[0])} test objects of {', '.join(task.classes)}. "
                f"{' '.join(dataset.set_aside)} Check config.classes and, of a "
                "catalogue without light curves, "
                "config.representation.normalisation=harmonic."
            )
        path = workdir / f"fold_{fold}.json"
        if not path.is_file():
            write_json(path, wanted | study_fold(train, test, seed=spec.seed))
        found[fold] = json.loads(path.read_text())
        if other := [k for k, value in wanted.items() if found[fold][k] != value]:
            raise InputError(
                f"{path} is of another {other[0]}: {found[fold][other[0]]}. Use a new "
                "--workdir."
            )
    return found


def study_fold(train, test, *, seed: int) -> dict:
    """Returns the selection on a fold's training objects, with its test accuracy.

    Args:
        train: table [n f] and label [n]; test: likewise.
    """
    correlation = feature_selection.rank_correlation(train[0])
    stands_for = feature_selection.first_of_group(correlation)
    kept = sorted(set(stands_for))
    tries = feature_selection.num_steps(len(kept))
    with tqdm(total=tries, desc="Forward selection", unit="set", leave=False) as bar:
        chosen = feature_selection.select(
            train[0][:, kept], train[1], seed=seed, on_step=bar.update
        )
    order, counts = [kept[k] for k in chosen.order], range(1, len(kept) + 1)
    accuracy = {
        name: feature_selection.accuracies(
            make,
            train,
            test,
            order,
            tqdm(counts, desc=f"Accuracy of a {name}", unit="feature", leave=False),
            seed,
        )
        for name, make in MODELS.items()
    }
    return {
        "correlation": correlation.round(4).tolist(),
        "stands_for": stands_for,
        "importance": dict(zip(kept, chosen.importance.tolist(), strict=True)),
        "order": order,
        "inner": chosen.scores,
        "accuracy": accuracy,
    }


def write_json(path: Path, value) -> None:
    """Writes JSON, whole or not at all."""
    with atomic_write(path) as file:
        file.write(json.dumps(value, indent=1))


def rows_of(found: dict[int, dict]) -> list[dict]:
    """Returns a row for each feature, the most useful first.

    A feature for which another stands in a fold has no importance there.
    """
    folds = list(found.values())
    rows = []
    for number, name in enumerate(folds[0]["features"]):
        kept = [fold for fold in folds if number in fold["order"]]
        others = {f["features"][f["stands_for"][number]] for f in folds} - {name}
        importance = [fold["importance"][str(number)] for fold in kept]
        places = [fold["order"].index(number) + 1 for fold in kept]
        rows.append(
            {
                "feature": name,
                "folds": len(kept),
                "importance": float(np.mean(importance)) if kept else 0.0,
                "spread": float(np.std(importance)) if kept else 0.0,
                "place": float(np.mean(places)) if kept else float("inf"),
                "represented by": " ".join(sorted(others)),
            }
        )
    return sorted(rows, key=lambda row: (-row["folds"], row["place"]))


def write(found: dict[int, dict], workdir: Path) -> list[Path]:
    """Writes the tables and the pictures, and returns them."""
    rows = rows_of(found)
    write_json(workdir / "features.json", found)
    with (workdir / "features.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    names = ("features.json", "features.csv")
    return [
        *(workdir / n for n in names),
        *pictures.write(list(found.values()), rows, workdir),
    ]
