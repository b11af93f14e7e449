"""Random forest and gradient boosting on features: the scores a network has to beat."""

import json
import zipfile
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from jaxastro.atomic_write import atomic_write
from jaxastro.errors import InputError, MissingFileError

_NUM_TREES = 500
CLASSIFIERS = {  # classes weigh the same in training, as macro F1 weighs them
    "forest": lambda seed: RandomForestClassifier(
        _NUM_TREES, min_samples_leaf=2, class_weight="balanced", random_state=seed
    ),
    "boosting": lambda seed: HistGradientBoostingClassifier(
        class_weight="balanced", early_stopping=False, random_state=seed
    ),
}
# Types of a stored classifier beside those that skops trusts itself: scikit-learn's
# own arrays of trees, which run no code when they are read.
TRUSTED = (
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)


class FittedClassifier(NamedTuple):
    """A classifier that was fitted to features, with what it needs to be applied."""

    classes: tuple[str, ...]  # in the order of the probabilities
    feature_sets: tuple[str, ...]  # of jaxastro.baselines.features.SETS
    feature_names: tuple[str, ...]  # f
    known: np.ndarray  # f bool: known of some training object; others are set to 0
    model: RandomForestClassifier | HistGradientBoostingClassifier

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
        """Returns a classifier fitted to features; the same seed gives the same one.

        Args:
            features: [n f]; NaN where unknown.
            label: [n] indices into the classes.
            kind: one of CLASSIFIERS.
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
        # Boosting cannot divide a column that is unknown of every training object.
        known = np.isfinite(features).any(axis=0)
        model = CLASSIFIERS[kind](seed).fit(np.where(known, features, 0), label)
        return cls(classes, feature_sets, feature_names, known, model)

    def predict_probability(self, features: np.ndarray) -> np.ndarray:
        """Returns [o c] float32; a class without a training object gets 0.

        Args:
            features: [o f]; NaN where unknown.
        Raises:
            InputError: if there are other features than in training.
        """
        features = np.asarray(features, np.float32)
        if features.ndim != 2 or features.shape[1] != len(self.known):
            raise InputError(
                f"Features of shape {features.shape}. The classifier was fitted to "
                f"{len(self.known)} features: give [objects, {len(self.known)}]."
            )
        probability = np.zeros((len(features), len(self.classes)), np.float32)
        found = self.model.predict_proba(np.where(self.known, features, 0))
        probability[:, self.model.classes_] = found
        return probability

    def save(self, path: Path | str) -> None:
        """Writes the classifier, whole or not at all, in the format of skops."""
        plain = self._asdict() | {"known": self.known.tolist()}
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}
        with atomic_write(path, "wb") as file:
            file.write(skops.io.dumps(plain))

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Returns a classifier that `save` wrote. Reading it cannot run code.

        Raises:
            MissingFileError: if there is no such file.
            InputError: if it is damaged or holds anything else.
        """
        path = Path(path)
        if not path.is_file():
            raise MissingFileError(f"No classifier at {path}. Train one first.")
        try:
            plain = skops.io.load(path, trusted=TRUSTED)
            return cls(
                classes=tuple(plain["classes"]),
                feature_sets=tuple(plain["feature_sets"]),
                feature_names=tuple(plain["feature_names"]),
                known=np.array(plain["known"], bool),
                model=plain["model"],
            )
        except (
            zipfile.BadZipFile,
            json.JSONDecodeError,
            TypeError,
            ValueError,
            KeyError,
            EOFError,
            AttributeError,
        ) as error:
            raise InputError(
                f"{path} cannot be read as a classifier ({type(error).__name__}: "
                f"{error}). It is damaged or was not written by jaxastro. Train again."
            ) from error


def fit_predict(
    train_features: np.ndarray,
    train_label: np.ndarray,
    test_features: np.ndarray,
    *,
    num_classes: int,
    seed: int,
    kind: str = "forest",
) -> np.ndarray:
    """Returns [o c] probabilities of a classifier; an unseen class gets 0.

    Args:
        train_features: [n f]; NaN where unknown.
        train_label: [n] classes from 0 to num_classes - 1.
        test_features: [o f].
        kind: one of CLASSIFIERS.
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
