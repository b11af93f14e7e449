"""Test folds pooled: every object once, scored by the run that never saw it."""

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
    """What the runs of all folds said of the objects that each was tested on."""

    classes: tuple[str, ...]
    object_id: np.ndarray  # o  str, each once
    label: np.ndarray  # o  int32
    group: np.ndarray  # o  str
    probability: np.ndarray  # o c


def pool(folds: Sequence[Predictions]) -> Pool:
    """Returns the objects of several test folds, fold after fold.

    Raises:
        ValueError: if the folds have other classes, or an object is in two of them.
    """
    classes = {fold.classes for fold in folds}
    if len(classes) != 1:
        raise InputError(
            f"Runs of other classes: {sorted(classes)}. Pool the folds of one task."
        )
    fields = ("object_id", "label", "group", "probability")
    columns = [np.concatenate([getattr(f, field) for f in folds]) for field in fields]
    names, times = np.unique(columns[0], return_counts=True)
    if times.max() > 1:
        raise InputError(
            f"Object {names[times.argmax()]} is in {times.max()} test folds. Pool runs "
            "of one split seed, each of another test fold."
        )
    return Pool(*classes, *columns)


def ensemble(members: Sequence[Pool]) -> Pool:
    """Returns the mean of the members' probabilities (softmax averaged)."""
    check_same_objects(members)
    mean = np.mean([np.float64(member.probability) for member in members], axis=0)
    return members[0]._replace(probability=mean)


def mean_intervals(members: Sequence[Pool]) -> dict[str, Interval]:
    """Returns the mean score of some members, such as seeds, with its interval.

    All members are scored on the same resamples of the objects, so the interval is
    that of the mean score; what seeds add to it is another matter, shown by themselves.
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
    """Returns each score, and each score of all resamples of the objects by group."""
    predicted, count = predicted_class(pooled.probability), len(pooled.classes)
    draws = confusion_draws(pooled.label, predicted, pooled.group, count)
    return scores_of(confusion(pooled.label, predicted, count)), scores_of(draws)


def check_same_objects(members: Sequence[Pool]) -> None:
    """Says so if members were not tested on the same objects.

    Raises:
        ValueError: if they were not.
    """
    for member in members[1:]:
        if not np.array_equal(member.object_id, members[0].object_id):
            raise InputError(
                "These runs were not tested on the same objects. Compare runs of one "
                "survey, one set of classes and the same test folds."
            )
