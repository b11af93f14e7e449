"""Scores of probabilities against labels, as scikit-learn defines them.

The predicted class is that of highest probability (the first of equals). Macro F1 is
the unweighted mean of F1 over *all classes of the task*, with zero_division=0: a class
without an object in the fold, or one that is never predicted, has an F1 of 0. This
keeps folds comparable. Balanced accuracy is the mean recall over the classes that have
objects, since recall is not defined for the others.
"""

import numpy as np
from sklearn import metrics as sklearn_metrics

from jaxastro.errors import InputError

SCORES = ("accuracy", "macro_f1", "balanced_accuracy")  # with intervals; 1 is best


def predicted_class(probability: np.ndarray) -> np.ndarray:
    """Returns the most probable class of each row of [..., c], the first of equals.

    Raises:
        InputError: if a probability is not finite; argmax would return that of NaN.
    """
    probability = np.asarray(probability)
    wrong = ~np.isfinite(probability).all(axis=-1)
    if wrong.any():
        raise InputError(
            f"Probabilities of row {np.argwhere(wrong)[0].tolist()} are not numbers. "
            "Scores need a finite probability for every class of every object."
        )
    return probability.argmax(axis=-1)


def scores(
    label: np.ndarray, probability: np.ndarray, num_classes: int
) -> dict[str, float]:
    """Returns accuracy, macro F1, balanced accuracy, log loss and Brier score.

    Args:
        label: [o], true classes.
        probability: [o c], rows sum to one.
        num_classes: c, all classes of the task, also those absent from the fold.
    Returns:  the first three from 0 to 1 (best); log loss in nats, 0 is best; Brier
        score from 0 (best) to 2.
    """
    label, probability = _as_arrays(label, probability, num_classes)
    predicted = predicted_class(probability)
    return {
        "accuracy": float(sklearn_metrics.accuracy_score(label, predicted)),
        "macro_f1": float(
            sklearn_metrics.f1_score(
                label,
                predicted,
                labels=np.arange(num_classes),
                average="macro",
                zero_division=0,
            )
        ),
        # Over np.unique(label) instead of all classes: see the module docstring.
        "balanced_accuracy": float(
            sklearn_metrics.recall_score(
                label, predicted, labels=np.unique(label), average="macro"
            )
        ),
        "log_loss": log_loss(label, probability, num_classes),
        "brier": brier_score(label, probability, num_classes),
    }


def per_class_scores(
    label: np.ndarray, predicted: np.ndarray, num_classes: int
) -> dict[str, np.ndarray]:
    """Returns precision, recall, F1 [c] and the number of objects [c] of each class.

    Undefined values (recall of a class without objects, precision of a class that is
    never predicted) are 0.

    Args:
        label: [o], true classes.
        predicted: [o], classes.
    """
    precision, recall, f1, count = sklearn_metrics.precision_recall_fscore_support(
        label, predicted, labels=np.arange(num_classes), zero_division=0
    )
    return {"precision": precision, "recall": recall, "f1": f1, "count": count}


def confusion(label: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """Returns counts [true class, predicted class]."""
    return sklearn_metrics.confusion_matrix(
        label, predicted, labels=np.arange(num_classes)
    )


def log_loss(label: np.ndarray, probability: np.ndarray, num_classes: int) -> float:
    """Returns the mean of -log p(true class), in nats; p is clipped at 2e-16."""
    label, probability = _as_arrays(label, probability, num_classes)
    labels = np.arange(num_classes)
    return float(sklearn_metrics.log_loss(label, probability, labels=labels))


def brier_score(label: np.ndarray, probability: np.ndarray, num_classes: int) -> float:
    """Returns the mean squared difference of probabilities and labels.

        mean over o of  sum over c of  (probability_oc - 1[label_o = c])^2

    Source: Brier 1950, Monthly Weather Review 78, 1 (the form for many classes).
    """
    label, probability = _as_arrays(label, probability, num_classes)
    truth = np.eye(num_classes)[label]
    return float(((probability - truth) ** 2).sum(axis=1).mean())


def _as_arrays(label, probability, num_classes: int):
    label = np.asarray(label)
    probability = np.asarray(probability, np.float64)
    if probability.shape != (len(label), num_classes) or not len(label):
        raise InputError(
            f"{len(label)} labels and probabilities of shape {probability.shape}. "
            f"Scores need one row per object, at least one, and {num_classes} columns."
        )
    # float32 rows sum to 1 within 1e-7, for which scikit-learn would warn.
    return label, probability / probability.sum(axis=1, keepdims=True)
