"""Pooled test folds: every object once, predicted by a run that did not train on it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxastro.errors import InputError
from jaxastro.evaluation.bootstrap import (
    Interval,
    confusion_draws,
    interval,
    scores_of,
)
from jaxastro.evaluation.metrics import confusion, predicted_class
from jaxastro.evaluation.predictions import Predictions


class Pool(NamedTuple):
    """Predictions of the tested objects of one or more folds."""

    classes: tuple[str, ...]
    object_id: np.ndarray  # o  str, each once
    label: np.ndarray  # o  int32, index into classes
    group: np.ndarray  # o  str
    probability: np.ndarray  # o c


def pool(folds: Sequence[Predictions]) -> Pool:
    """Returns the objects of several test folds, in the order of the folds.

    Raises:
        InputError: if the classes of folds differ, or an object is in two folds.
    """
    classes = {fold.classes for fold in folds}
    if len(classes) != 1:
        raise InputError(
            f"Runs with different classes: {sorted(classes)}. Pool the folds of one "
            "task."
        )
    fields = ("object_id", "label", "group", "probability")
    columns = [np.concatenate([getattr(f, field) for f in folds]) for field in fields]
    names, times = np.unique(columns[0], return_counts=True)
    if times.max() > 1:
        raise InputError(
            f"Object {names[times.argmax()]} is in {times.max()} test folds. Pool runs "
            "of one split seed, each with a different test fold."
        )
    return Pool(*classes, *columns)


def ensemble(members: Sequence[Pool]) -> Pool:
    """Returns the mean of the members' probabilities.

    Raises:
        InputError: if members were tested on different objects.
    """
    check_same_objects(members)
    mean = np.mean([np.float64(member.probability) for member in members], axis=0)
    return members[0]._replace(probability=mean)


def mean_intervals(members: Sequence[Pool]) -> dict[str, Interval]:
    """Returns the mean score of members, such as seeds, with its interval.

    All members are scored on the same resamples of the objects, so the interval is
    that of the mean score. It does not include the scatter between the members.

    Raises:
        InputError: if members were tested on different objects.
    """
    check_same_objects(members)
    values, draws = zip(*map(scores_and_draws, members), strict=True)
    return {
        name: interval(
            np.mean([value[name] for value in values]),
            np.mean([draw[name] for draw in draws], axis=0),
        )
        for name in values[0]
    }


def scores_and_draws(pooled: Pool) -> tuple[dict, dict]:
    """Returns the value of each score, and its values in all resamples [draw]."""
    predicted, count = predicted_class(pooled.probability), len(pooled.classes)
    draws = confusion_draws(pooled.label, predicted, pooled.group, count)
    return scores_of(confusion(pooled.label, predicted, count)), scores_of(draws)


def check_same_objects(members: Sequence[Pool]) -> None:
    """Raises InputError if members were tested on different objects."""
    for member in members[1:]:
        if not np.array_equal(member.object_id, members[0].object_id):
            raise InputError(
                "These runs were tested on different objects. Compare runs of one "
                "survey, one set of classes and the same test folds."
            )
