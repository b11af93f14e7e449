r"""Do networks separate real from bogus detections better than classical classifiers?

    python -m experiments.studies.real_bogus \
        --runs=runs/real_bogus,runs/real_bogus_initial

Classical classifiers take the coordinates of an image along the first principal
components of each colour, fitted to the training images (du Buisson et al. 2015, MNRAS
454, 2026, Sect. 4). The classifiers are those of that paper, from scikit-learn: random
forest, k nearest neighbours, support vector machine, naive Bayes, minimum-error
classification (a Gaussian of full covariance for each class) and a small network.
--runs are runs of configs/real_bogus_cnn.py, whose test fold all are scored on. The
area under the ROC curve is that of scores, not of predicted classes. Where 57 % of the
images are real, the answer "real" has an accuracy of 57 % and a balanced one of 50 %.
It takes a few minutes on two cores; scores are in docs/results/real_bogus.md.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from configs import real_bogus_cnn
from experiments.studies import command
from jaxastro.commands.settings import add_data_arguments
from jaxastro.evaluation.bootstrap import (
    Interval,
    group_weights,
    interval,
    score_intervals,
)
from jaxastro.evaluation.predictions import load
from jaxastro.runs.dataset import open_dataset
from jaxastro.runs.spec import RunSpec

REAL, BOGUS = 1, 0  # places among the classes of the config
NUM_DRAWS = 400  # of the area under the curve


def make_classifiers(seed: int) -> dict[str, object]:
    """Returns the classifiers of the classical benchmark, by name."""
    return {
        "random forest": RandomForestClassifier(300, random_state=seed, n_jobs=-1),
        "k nearest neighbours": make_pipeline(
            StandardScaler(), KNeighborsClassifier(15)
        ),
        "support vector machine": make_pipeline(StandardScaler(), SVC()),
        "naive Bayes": GaussianNB(),
        "minimum-error classification": QuadraticDiscriminantAnalysis(reg_param=0.1),
        "small network": make_pipeline(
            StandardScaler(),
            MLPClassifier((50,), early_stopping=True, random_state=seed),
        ),
    }


def fit_eigenimages(
    train: np.ndarray, *, components: int, seed: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Returns a function from images [n y x d] to coordinates [n d * components].

    Args:
        train: images [n y x d] that the principal components are fitted to.
        components: of each colour.
    """
    count = min(components, len(train))
    fitted = [
        PCA(count, svd_solver="randomized", random_state=seed).fit(
            train[..., band].reshape(len(train), -1)
        )
        for band in range(train.shape[-1])
    ]

    def coordinates(images: np.ndarray) -> np.ndarray:
        flat = (
            images[..., band].reshape(len(images), -1) for band in range(len(fitted))
        )
        return np.concatenate(
            [pca.transform(x) for pca, x in zip(fitted, flat, strict=True)], axis=1
        )

    return coordinates


def real_score(classifier, x: np.ndarray) -> np.ndarray:
    """Returns [n], higher for images that are more likely real."""
    if hasattr(classifier, "predict_proba"):
        return classifier.predict_proba(x)[:, REAL]
    return classifier.decision_function(x)


def area_interval(label, score, group, *, seed: int = 0) -> Interval:
    """Returns the area under the ROC curve, from resampled groups."""
    _, number = np.unique(group, return_inverse=True)
    draws = [
        roc_auc_score(label, score, sample_weight=weight[number])
        for weights in group_weights(number.max() + 1, num_draws=NUM_DRAWS, seed=seed)
        for weight in weights
    ]
    return interval(roc_auc_score(label, score), np.array(draws))


def row_of(name: str, label, predicted, score, group) -> dict:
    """Returns the scores of one classifier.

    Args:
        predicted: [n] classes.
        score: [n], as real_score returns.
    """
    found = score_intervals(label, np.eye(2)[predicted], group, 2)
    return {
        "name": name,
        "accuracy": found["accuracy"],
        "balanced_accuracy": found["balanced_accuracy"],
        "auc": area_interval(label, score, group),
        "real": float((predicted[label == REAL] == REAL).mean()),
        "bogus": float((predicted[label == BOGUS] == BOGUS).mean()),
    }


def measure(
    spec: RunSpec, runs: list[Path], *, components: int, seed: int, **where: str
) -> list[dict]:
    """Returns a row for the most frequent class, for each classifier and for each run.

    Args:
        where: data_dir and manual_dir.
    """
    dataset = open_dataset(spec, **where)
    rows = {split: dataset.labelled(split) for split in ("train", "test")}
    images = {
        split: np.stack([dataset.stored[row].image for row in some])
        for split, some in rows.items()
    }
    train_label, label = (dataset.labels(some) for some in rows.values())
    group = dataset.index.group[rows["test"]]
    commonest = np.full(len(label), np.bincount(train_label).argmax())
    no_score = np.zeros(len(label))
    found = [row_of("always the most frequent", label, commonest, no_score, group)]
    project = fit_eigenimages(images["train"], components=components, seed=seed)
    train, test = (project(some) for some in images.values())
    for name, classifier in make_classifiers(seed).items():
        classifier.fit(train, train_label)
        predicted, score = classifier.predict(test), real_score(classifier, test)
        found.append(row_of(name, label, predicted, score, group))
    for run in runs:
        p = load(run / "predictions")
        predicted, score = p.probability.argmax(1), p.probability[:, REAL]
        found.append(row_of(run.name, p.label, predicted, score, p.group))
    return found


def main(given) -> None:
    """Prints the table, or the same as JSON."""
    rows = measure(
        RunSpec.from_dict(real_bogus_cnn.get_config("laptop").to_dict()),
        given.runs,
        components=given.components,
        seed=given.seed,
        data_dir=given.data_dir,
        manual_dir=given.manual_dir,
    )
    if given.json:
        print(json.dumps(rows, indent=1))
        return
    names = ("accuracy", "balanced_accuracy", "auc")
    command.print_table(
        [
            "classifier",
            "accuracy",
            "balanced accuracy",
            "area under ROC",
            "recall of real",
            "recall of bogus",
        ],
        [
            [
                row["name"],
                *(command.format_interval(row[name]) for name in names),
                f"{row['real']:.3f}",
                f"{row['bogus']:.3f}",
            ]
            for row in rows
        ],
    )


if __name__ == "__main__":
    parser = command.make_parser(__doc__)
    parser.add_argument(
        "--runs",
        type=command.list_of(Path),
        default=[],
        help="of configs/real_bogus_cnn.py, separated by commas",
    )
    parser.add_argument(
        "--components", type=int, default=20, help="principal components of each colour"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the classifiers")
    add_data_arguments(parser)
    command.run(main, parser)
