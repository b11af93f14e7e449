"""Predictions from the first epochs, and from the first days, of each object."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from jaxastro.data.record import Record, first_epochs
from jaxastro.evaluation.detection import first_detection
from jaxastro.runs.dataset import Dataset
from jaxastro.runs.input_pipeline import predict_rows
from jaxastro.runs.predictor import Output, Predictor
from jaxastro.types import TrainState

FEWEST = 3  # epochs of the first evaluation


class Days(NamedTuple):
    """How many epochs objects have some days after they were first detected."""

    detected: np.ndarray  # e  which of the objects were ever detected
    days: np.ndarray  # k  after the first detection, ascending
    counts: np.ndarray  # k e  epochs up to then


def epoch_counts(num_epochs: np.ndarray, *, every_epoch: bool) -> np.ndarray:
    """Returns after how many epochs to evaluate: 3, 6, 12 ... below the longest series.

    Args:
        num_epochs: [o], of each object.
        every_epoch: after each epoch but the last, as for alerts.
    """
    if every_epoch:
        return np.arange(1, max(num_epochs.max(), 2))
    counts = [FEWEST]
    while 2 * counts[-1] < num_epochs.max():
        counts.append(2 * counts[-1])
    return np.array(counts)


def epochs_after_days(dataset: Dataset, rows: np.ndarray, survey) -> Days:
    """Returns how many epochs of each object there are 1, 2, 4 ... days after.

    That is after its first detection; the last day is below the longest such time.
    """
    seen = [(r.mjd, first_detection(r, survey)) for r in dataset.records(rows)]
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


def predict_early(
    dataset: Dataset,
    predictor: Predictor,
    state: TrainState,
    *,
    rows: np.ndarray,
    whole: Output,
    counts: Sequence[np.ndarray],
) -> list[Output]:
    """Returns the predictions from the first epochs of each object, for each count.

    Args:
        whole: the predictions from all epochs, used where there are no more.
        counts: [o] of epochs, ascending. Where two have as many, the model runs once.
    """
    before, output = dataset.index.num_epochs[rows], whole
    found = []
    for count in reversed(counts):
        new = np.flatnonzero(count < before)
        if len(new):
            names = dataset.index.object_id[rows[new]].tolist()
            cut = partial(_cut, count=dict(zip(names, count[new], strict=True)))
            part = predict_rows(
                predictor, state, dataset, rows[new], most=count[new], cut=cut
            )
            output = Output(*(column.copy() for column in output))
            for column, values in zip(output, part, strict=True):
                column[new] = values
        before = count
        found.append(output)
    return found[::-1]


def _cut(record: Record, count: dict[str, int]) -> Record:
    if record.object_id not in count:
        return record  # it fills up a batch
    return first_epochs(record, count[record.object_id])
