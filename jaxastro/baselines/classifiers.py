"""Random forest and gradient boosting on features: the scores a network has to beat."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from jaxastro.errors import InputError

_NUM_TREES = 500
CLASSIFIERS = {  # classes weigh the same in training, as macro F1 weighs them
    "forest": lambda seed: RandomForestClassifier(
        _NUM_TREES, min_samples_leaf=2, class_weight="balanced", random_state=seed
    ),
    "boosting": lambda seed: HistGradientBoostingClassifier(
        class_weight="balanced", early_stopping=False, random_state=seed
    ),
}


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

    The same seed gives the same classifier.

    Args:
        train_features: [n f]; NaN where unknown.
        train_label: [n] classes from 0 to num_classes - 1.
        test_features: [o f].
        kind: one of CLASSIFIERS.
    Raises:
        ValueError: if there is nothing to train on, or shapes disagree.
    """
    train_features = np.asarray(train_features, np.float32)
    test_features = np.asarray(test_features, np.float32)
    train_label = np.asarray(train_label)
    shapes = train_features.shape, test_features.shape
    paired = len(train_label) and len(train_features) == len(train_label)
    if not paired or shapes[0][1:] != shapes[1][1:]:
        raise InputError(
            f"Features of shape {shapes[0]} (train) and {shapes[1]} (test), and "
            f"{len(train_label)} labels. A classifier needs one row per label, at "
            "least one, and the same features in both."
        )
    if train_label.min() < 0 or train_label.max() >= num_classes:
        raise InputError(
            f"Training labels run from {train_label.min()} to {train_label.max()}. "
            f"Classes are numbered 0 to {num_classes - 1}. Train on labelled objects."
        )
    # Boosting cannot divide a column that is unknown of every training object.
    known = np.isfinite(train_features).any(axis=0)
    train_features, test_features = (
        np.where(known, column, 0) for column in (train_features, test_features)
    )
    classifier = CLASSIFIERS[kind](seed).fit(train_features, train_label)
    probability = np.zeros((len(test_features), num_classes), np.float32)
    probability[:, classifier.classes_] = classifier.predict_proba(test_features)
    return probability
