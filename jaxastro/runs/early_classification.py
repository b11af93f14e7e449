"""What a state says of objects early on: by their first epochs, in their first days."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict

from jaxastro.runs import assemble
from jaxastro.runs.dataset import Dataset, Group, evaluation_groups, records
from jaxastro.runs.predictor import Output, Predictor, predict_batches
from jaxastro.data.record import first_epochs
from jaxastro.evaluation.detection import first_detection
from jaxastro.types import TrainState

FEWEST = 3  # epochs of the first look


class Days(NamedTuple):
    """How many epochs objects have some days after they were first detected."""

    detected: np.ndarray  # e  which of the objects ever were
    days: np.ndarray  # k  of the looks, ascending
    counts: np.ndarray  # k e  epochs up to then


def epoch_looks(num_epochs: np.ndarray, *, each: bool) -> np.ndarray:
    """Returns after how many epochs to look: 3, 6, 12 ... below the longest series.

    Args:
        each: after every epoch but the last, as alerts are asked.
    """
    if each:
        return np.arange(1, max(num_epochs.max(), 2))
    looks = [FEWEST]
    while 2 * looks[-1] < num_epochs.max():
        looks.append(2 * looks[-1])
    return np.array(looks)


def day_looks(dataset: Dataset, rows: np.ndarray, config: ConfigDict) -> Days:
    """Returns how many epochs of each object there are 1, 2, 4 ... days after.

    After its first detection, that is; the last day is below the longest such time.
    """
    survey = assemble.survey_of_config(config)
    seen = [(r.mjd, first_detection(r, survey)) for r in records(dataset, rows, config)]
    detected = np.flatnonzero([np.isfinite(first) for _, first in seen])
    seen, days = [seen[i] for i in detected], [1]
    longest = max((mjd[-1] - first for mjd, first in seen), default=0)
    while 2 * days[-1] < longest:
        days.append(2 * days[-1])
    counts = [
        [np.searchsorted(mjd, first + day, side="right") for mjd, first in seen]
        for day in days
    ]
    return Days(detected, np.array(days), np.array(counts, int))


def look(
    dataset: Dataset,
    config: ConfigDict,
    predictor: Predictor,
    state: TrainState,
    *,
    rows: np.ndarray,
    whole: Output,
    counts: Sequence[np.ndarray],
) -> list[Output]:
    """Returns what a state says of objects by their first epochs alone, look by look.

    Args:
        whole: what it says by all of them: it stands where there are no more.
        counts: how many they are of each object, look by look never fewer. Where two
            looks have as many, the state is asked once.
    """
    before, said = dataset.index.num_epochs[rows], whole
    found = []
    for count in reversed(counts):
        new = np.flatnonzero(count < before)
        if len(new):
            names = dataset.index.object_id[rows[new]].tolist()
            cut = partial(_early, count=dict(zip(names, count[new], strict=True)))
            groups = evaluation_groups(
                dataset, rows[new], config, predictor, most=count[new], cut=cut
            )
            part = predict_groups(predictor, state, groups)
            said = Output(*(column.copy() for column in said))
            for column, values in zip(said, part, strict=True):
                column[new] = values
        before = count
        found.append(said)
    return found[::-1]


def predict_groups(
    predictor: Predictor, state: TrainState, groups: list[Group]
) -> Output:
    """Returns what a state says of the objects of some groups, in the rows' order."""
    for group in groups:
        predictor.prepare(group.length)
    batches = (batch.inputs for group in groups for batch in group.batches.since(0))
    places = np.concatenate([group.places for group in groups])
    return predict_batches(predictor, state, batches, places)


def _early(record: tuple, count: dict[str, int]) -> tuple:
    if record.object_id not in count:
        return record  # it fills up a batch
    return first_epochs(record, count[record.object_id])
