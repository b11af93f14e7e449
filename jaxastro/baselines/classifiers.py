"""Random forest and gradient boosting on features."""

import json
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from jaxastro.atomic_write import atomic_write
from jaxastro.errors import InputError, MissingFileError

Model = RandomForestClassifier | HistGradientBoostingClassifier
# Types of a stored classifier that skops does not trust by default. Loading them runs
# no code of the file; _check_trees checks their content.
TRUSTED = (
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)


def random_forest(
    *, num_trees: int, min_samples_leaf: int, seed: int, num_jobs: int | None = None
) -> RandomForestClassifier:
    """Returns an untrained forest, in which all classes have the same total weight.

    Equal weights are those of macro F1. The result does not depend on num_jobs.

    Args:
        min_samples_leaf: training objects in each leaf, at least; more give smoother
            probabilities and smaller trees.
        num_jobs: threads; None: one, -1: one per core.
    """
    return RandomForestClassifier(
        num_trees,
        min_samples_leaf=min_samples_leaf,
        class_weight="balanced",
        random_state=seed,
        n_jobs=num_jobs,
    )


def class_probabilities(
    model: Model, features: np.ndarray, num_classes: int
) -> np.ndarray:
    """Returns [o c] float32; a class without a training object has probability 0.

    Args:
        model: trained on class indices.
        features: [o f].
        num_classes: c.
    """
    probability = np.zeros((len(features), num_classes), np.float32)
    probability[:, model.classes_] = model.predict_proba(features)
    return probability


def _forest(seed: int) -> RandomForestClassifier:
    return random_forest(num_trees=500, min_samples_leaf=2, seed=seed)


def _boosting(seed: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        class_weight="balanced", early_stopping=False, random_state=seed
    )


CLASSIFIERS = {"forest": _forest, "boosting": _boosting}


class FittedClassifier(NamedTuple):
    """A trained classifier with the names of its classes and features."""

    classes: tuple[str, ...]  # in the order of the probabilities
    feature_sets: tuple[str, ...]  # keys of jaxastro.baselines.features.FEATURE_SETS
    feature_names: tuple[str, ...]  # f
    known: np.ndarray  # f bool, False: NaN for all training objects, replaced by 0
    model: Model

    @classmethod
    def fit(
        cls,
        features: np.ndarray,
        label: np.ndarray,
        *,
        classes: tuple[str, ...],
        feature_sets: tuple[str, ...] = (),
        feature_names: tuple[str, ...] = (),
        seed: int,
        kind: str = "forest",
    ) -> Self:
        """Returns a trained classifier; the same seed gives the same one.

        Args:
            features: [n f]; NaN where unknown.
            label: [n], indices into the classes.
            kind: a key of CLASSIFIERS.
        Raises:
            InputError: if there is nothing to train on, or shapes disagree.
        """
        features, label = np.asarray(features, np.float32), np.asarray(label)
        if not len(label) or len(features) != len(label):
            raise InputError(
                f"Features of shape {features.shape} and {len(label)} labels. A "
                "classifier needs one row per label, and at least one."
            )
        if label.min() < 0 or label.max() >= len(classes):
            raise InputError(
                f"Training labels run from {label.min()} to {label.max()}. Classes are "
                f"numbered 0 to {len(classes) - 1}. Train on labelled objects."
            )
        # Boosting fails on a column without any number.
        known = np.isfinite(features).any(axis=0)
        model = CLASSIFIERS[kind](seed).fit(np.where(known, features, 0), label)
        return cls(classes, feature_sets, feature_names, known, model)

    def predict_probability(self, features: np.ndarray) -> np.ndarray:
        """Returns [o c] float32; a class without a training object has probability 0.

        Args:
            features: [o f]; NaN where unknown.
        Raises:
            InputError: if the number of features differs from that in training.
        """
        features = np.asarray(features, np.float32)
        if features.ndim != 2 or features.shape[1] != len(self.known):
            raise InputError(
                f"Features of shape {features.shape}. The classifier was fitted to "
                f"{len(self.known)} features: give [objects, {len(self.known)}]."
            )
        known = np.where(self.known, features, 0)
        return class_probabilities(self.model, known, len(self.classes))

    def save(self, path: Path | str) -> None:
        """Writes the classifier atomically, in the format of skops."""
        import skops.io  # imports all of scikit-learn: seconds, for few commands

        plain = self._asdict() | {"known": self.known.tolist()}
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}
        with atomic_write(path, "wb") as file:
            file.write(skops.io.dumps(plain))

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Returns a classifier that `save` wrote. Loading a file runs no code of it.

        Raises:
            MissingFileError: if there is no such file.
            InputError: if it is damaged or has other content.
        """
        import skops.io

        path = Path(path)
        if not path.is_file():
            raise MissingFileError(f"No classifier at {path}. Train one first.")
        try:
            plain = skops.io.load(path, trusted=TRUSTED)
            classifier = cls(
                classes=tuple(plain["classes"]),
                feature_sets=tuple(plain["feature_sets"]),
                feature_names=tuple(plain["feature_names"]),
                known=np.array(plain["known"], bool),
                model=plain["model"],
            )
            _check_trees(classifier)
        except (
            zipfile.BadZipFile,
            zlib.error,
            json.JSONDecodeError,
            TypeError,
            ValueError,
            KeyError,
            IndexError,
            EOFError,
            AttributeError,
            NotImplementedError,
        ) as error:
            raise InputError(
                f"{path} cannot be read as a classifier ({type(error).__name__}: "
                f"{error}). It is damaged or was not written by jaxastro. Train again."
            ) from error
        return classifier


def _check_trees(classifier: FittedClassifier) -> None:
    """Raises InputError if a tree refers to nodes or features that do not exist.

    scikit-learn does not check this: it would read memory outside its arrays.
    """
    model = classifier.model
    if isinstance(model, RandomForestClassifier):
        trees = [estimator.tree_ for estimator in model.estimators_]
        tables = [(t.children_left, t.children_right, t.feature) for t in trees]
        leaves = [left == -1 for left, _, _ in tables]
    elif isinstance(model, HistGradientBoostingClassifier):
        nodes = [tree.nodes for trees in model._predictors for tree in trees]
        tables = [(n["left"], n["right"], n["feature_idx"]) for n in nodes]
        leaves = [n["is_leaf"].astype(bool) for n in nodes]
        if any(n["is_categorical"].any() for n in nodes):
            raise InputError("a tree has categorical features")
    else:
        raise InputError(f"a {type(model).__name__} is not a forest or boosting")
    for (left, right, feature), is_leaf in zip(tables, leaves, strict=True):
        inner = np.flatnonzero(~is_leaf)
        split_feature = feature[inner]
        for child in (left[inner], right[inner]):
            # Children follow their parent, so that there is no cycle.
            if (child <= inner).any() or (child >= len(left)).any():
                raise InputError("a tree refers to nodes that do not exist")
        if ((split_feature < 0) | (split_feature >= len(classifier.known))).any():
            raise InputError("a tree refers to features that do not exist")


def fit_predict(
    train_features: np.ndarray,
    train_label: np.ndarray,
    test_features: np.ndarray,
    *,
    num_classes: int,
    seed: int,
    kind: str = "forest",
) -> np.ndarray:
    """Returns [o c], the probabilities of a classifier trained on the first arguments.

    Args:
        train_features: [n f]; NaN where unknown.
        train_label: [n], classes from 0 to num_classes - 1.
        test_features: [o f].
        kind: a key of CLASSIFIERS.
    Raises:
        InputError: if there is nothing to train on, or shapes disagree.
    """
    classifier = FittedClassifier.fit(
        train_features,
        train_label,
        classes=tuple(map(str, range(num_classes))),
        seed=seed,
        kind=kind,
    )
    return classifier.predict_probability(test_features)
