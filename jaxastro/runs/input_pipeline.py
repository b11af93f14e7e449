"""Batches of a data set: for training, and grouped by length for evaluation."""

import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from jaxastro.data.hierarchy import expand_classes
from jaxastro.data.length_buckets import group_by_length
from jaxastro.data.loader import Batches, in_order
from jaxastro.data.record import Record
from jaxastro.data.sampling import make_sampler
from jaxastro.runs.dataset import Dataset
from jaxastro.runs.predictor import Output, Predictor, fetch_one_ahead, predict_batches
from jaxastro.runs.task import example_maker
from jaxastro.training import sharding
from jaxastro.types import Task, TrainState


class Group(NamedTuple):
    """Objects of similar length in batches, all full but the last of the last group."""

    length: int  # epochs they are padded to
    places: np.ndarray  # of its objects among all
    batches: Batches


def training_batches(dataset: Dataset, task: Task, *, share: np.ndarray) -> Batches:
    """Returns a batch for every step of a run, sampled as the spec says.

    Args:
        share: which rows of each batch this process reads.
    """
    spec, rows = dataset.spec, dataset.rows["train"]
    sample = make_sampler(
        dataset.labels(rows),
        seed=spec.seed,
        balance=spec.loader.balance,
        unlabelled_share=spec.loader.unlabelled_share,
    )
    return Batches(
        dataset.stored,
        lambda position: int(rows[sample(position)]),
        example_maker(spec, task, max_epochs=spec.loader.loaded_epochs),
        expand_classes(task.classes, task.hierarchy),
        batch_size=spec.batch_size,
        num_batches=spec.num_steps,
        num_threads=spec.loader.num_threads,
        num_workers=spec.loader.num_workers,
        share=share,
        keep=spec.loader.cache_examples,
    )


def evaluation_groups(
    dataset: Dataset,
    rows: np.ndarray,
    predictor: Predictor,
    *,
    most: int | np.ndarray = sys.maxsize,
    cut: Callable[[Record], Record] | None = None,
) -> list[Group]:
    """Returns batches that visit each row once, those of similar length together.

    The last batch is filled up. Of several processes each reads its share.

    Args:
        most: epochs that remain after `cut`, of all objects or of each.
        cut: what to leave out of each record.
    """
    num_epochs = np.minimum(dataset.index.num_epochs[rows], most)
    num_epochs = np.minimum(num_epochs, predictor.lengths[-1])
    groups, size = [], predictor.batch_size
    task = predictor.task
    for length, places in group_by_length(num_epochs, predictor.lengths, size):
        row_of, num_batches = in_order(rows[places], size)
        batches = Batches(
            dataset.stored,
            row_of,
            predictor.example_maker(max_epochs=length, cut=cut),
            expand_classes(task.classes, task.hierarchy),
            batch_size=size,
            num_batches=num_batches,
            num_threads=dataset.spec.loader.num_threads,
            share=sharding.local_rows(size, predictor.mesh),
        )
        groups.append(Group(length, places, batches))
    return groups


def predict_rows(
    predictor: Predictor,
    state: TrainState,
    dataset: Dataset,
    rows: np.ndarray,
    *,
    most: int | np.ndarray = sys.maxsize,
    cut: Callable[[Record], Record] | None = None,
) -> Output:
    """Returns the predictions of some rows, in their order; see evaluation_groups."""
    groups = evaluation_groups(dataset, rows, predictor, most=most, cut=cut)
    for group in groups:
        predictor.prepare(group.length)
    batches = (batch.inputs for group in groups for batch in group.batches.since(0))
    places = np.concatenate([group.places for group in groups])
    return predict_batches(predictor, state, batches, places)


def auxiliary_outputs(
    predictor: Predictor,
    state: TrainState,
    dataset: Dataset,
    rows: np.ndarray,
    names: Sequence[str],
) -> dict[str, np.ndarray]:
    """Returns those auxiliary outputs that a model has, by name, in the rows' order."""
    groups = evaluation_groups(dataset, rows, predictor)
    if not groups:
        return {}
    batches = (batch.inputs for group in groups for batch in group.batches.since(0))
    order = np.argsort(np.concatenate([group.places for group in groups]))
    # Of each batch only what is needed leaves the device.
    parts = list(
        fetch_one_ahead(
            {name: aux[name] for name in names if name in aux}
            for aux in (predictor(state, batch).aux for batch in batches)
        )
    )
    return {
        name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]
    }
