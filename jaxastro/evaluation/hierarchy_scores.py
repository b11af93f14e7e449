"""Scores at one level of a hierarchy of classes."""

from collections.abc import Sequence

import numpy as np

from jaxastro.evaluation import bootstrap, metrics


def scores_at(
    label: np.ndarray, probability: np.ndarray, group: np.ndarray, names: Sequence[str]
) -> dict[str, dict]:
    """Returns the scores of all names together and of each name.

    Args:
        label: [o], index into the names.
        probability: [o n].
        group: [o], names; objects of one group are resampled together.
        names: classes and nodes of this level.
    Returns:  "all" -> accuracy, macro_f1 and balanced_accuracy; "class NAME" ->
        precision, recall and f1. Each score is an Interval; "num_objects" is an int.
    """
    predicted = metrics.predicted_class(probability)
    confusions = bootstrap.confusion_draws(label, predicted, group, len(names))
    values = bootstrap.scores_of(metrics.confusion(label, predicted, len(names)))
    draws = bootstrap.scores_of(confusions)
    found = {"all": {n: bootstrap.interval(values[n], draws[n]) for n in values}}
    found["all"]["num_objects"] = len(label)
    value = metrics.per_class_scores(label, predicted, len(names))
    draws = bootstrap.per_class_scores_of(confusions)
    for n, name in enumerate(names):
        found[f"class {name}"] = {
            score: bootstrap.interval(value[score][n], draws[score][:, n])
            for score in ("precision", "recall", "f1")
        } | {"num_objects": int(value["count"][n])}
    return found
