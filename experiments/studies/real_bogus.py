r"""Real or bogus: classical classifiers on eigenimages, beside networks.

Run:     python -m experiments.studies.real_bogus --runs=runs/real_bogus,runs/real_bogus_initial
Expect:  a few minutes on two cores.

Images become their coordinates along the first principal components of each colour,
fitted to the training images alone (du Buisson et al. 2015, MNRAS 454, 2026, Sect. 4).
Classifiers are theirs, from scikit-learn: random forest, k nearest neighbours, a
support vector machine, naive Bayes, minimum-error classification (for each class a
Gaussian of full covariance) and a small network. The test fold is that of
configs/real_bogus_cnn.py; --runs are runs of it, read as they are. The area under the
ROC curve is of scores, not of the classes that are named; where 57 % of the images are
real, "real" always has an accuracy of 57 % and a balanced one of 50.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from absl import app, flags
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
from experiments.studies.hits_networks import said
from jaxastro.evaluation.bootstrap import (
    Interval,
    group_weights,
    interval,
    score_intervals,
)
from jaxastro.evaluation.predictions import load
from jaxastro.runs.dataset import labelled, labels_of, open_dataset

REAL = 1  # the second class of the config
NUM_DRAWS = 400  # of the area under the curve

FLAGS = flags.FLAGS


def classifiers(seed: int) -> dict[str, object]:
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


def eigenimages(
    train: np.ndarray, *, components: int, seed: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Returns images [n y x d] -> coordinates [n d * components], of training images.

    Args:
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


def score_of(classifier, x: np.ndarray) -> np.ndarray:
    """Returns [n] how real each image is held to be, on the classifier's own scale."""
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


def row_of(name: str, label, named, score, group) -> dict:
    """Returns the scores of one classifier.

    Args:
        named: [n] the class it names.
        score: [n] how real it holds each to be.
    """
    sure = np.eye(2)[named]
    found = score_intervals(label, sure, group, 2)
    shown = {key: found[key] for key in ("accuracy", "balanced_accuracy")}
    recall = [float((named[label == k] == k).mean()) for k in (REAL, 0)]
    area = area_interval(label, score, group)
    return {"name": name, **shown, "auc": area, "real": recall[0], "bogus": recall[1]}


def measure(config, runs: list[Path], *, components: int, seed: int, **where) -> list:
    """Returns a row for the majority, for each classifier and for each run."""
    dataset = open_dataset(config, **where)
    images, labels = {}, {}
    for split in ("train", "test"):
        rows = labelled(dataset, split)
        images[split] = np.stack([dataset.stored[row].image for row in rows])
        labels[split] = labels_of(dataset, rows, config)
        group = dataset.index.group[rows]
    label = labels["test"]
    most = np.full(len(label), np.bincount(labels["train"]).argmax())
    found = [row_of("always the commonest", label, most, np.zeros(len(label)), group)]
    project = eigenimages(images["train"], components=components, seed=seed)
    x = {split: project(some) for split, some in images.items()}
    for name, classifier in classifiers(seed).items():
        classifier.fit(x["train"], labels["train"])
        named, score = classifier.predict(x["test"]), score_of(classifier, x["test"])
        found.append(row_of(name, label, named, score, group))
    for run in runs:
        p = load(run / "predictions")
        named, score = p.probability.argmax(1), p.probability[:, REAL]
        found.append(row_of(run.name, p.label, named, score, p.group))
    return found


def main(argv: list[str]) -> None:
    """Prints the table, or the same as JSON."""
    del argv
    config = real_bogus_cnn.get_config("laptop")
    rows = measure(
        *(config, [Path(run) for run in FLAGS.runs]),
        components=FLAGS.components,
        seed=FLAGS.seed,
        data_dir=FLAGS.data_dir,
        manual_dir=FLAGS.manual_dir,
    )
    if FLAGS.json:
        print(json.dumps(rows, indent=1))
        return
    print("| | accuracy | balanced accuracy | area under ROC | of real | of bogus |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        cells = [said(row[key]) for key in ("accuracy", "balanced_accuracy", "auc")]
        cells += [f"{row[key]:.3f}" for key in ("real", "bogus")]
        print(f"| {row['name']} | {' | '.join(cells)} |")


if __name__ == "__main__":
    flags.DEFINE_list("runs", [], "Runs of configs/real_bogus_cnn.py, to stand beside.")
    flags.DEFINE_integer("components", 20, "Principal components of each colour.")
    flags.DEFINE_integer("seed", 0, "Of the classifiers.")
    flags.DEFINE_bool("json", False, "Print JSON instead of a table.")
    app.run(main)
