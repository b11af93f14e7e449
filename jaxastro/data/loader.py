"""Batches at random access: batches[step] is the same however often one restarts."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence

import grain
import numpy as np

from jaxastro.types import Batch, Inputs

AHEAD = 2  # batches that each worker process keeps ready


def labels_of_classes(classes: tuple[str, ...]) -> list[str]:
    """Returns the labels that classes are made of: "SNIa+SNOther" joins two."""
    return "+".join(classes).split("+")


def class_index(label: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """Returns the index of each label among the classes, -1 for any other label.

    A class may join labels: "SNIa+SNOther" is the class of both.
    """
    number = {name: i for i, joined in enumerate(classes) for name in joined.split("+")}
    return np.array([number.get(name, -1) for name in label], np.int32)


class Batches:
    """Batches of a data set, by number; iterating prefetches.

    `batches[step]` is a pure function of its arguments, so a run that resumes at a
    step sees exactly what the run it continues would have seen.
    """

    def __init__(
        self,
        records: Sequence[tuple],
        row_of: Callable[[int], int | None],
        make_example: Callable[[tuple], Inputs],
        classes: tuple[str, ...],
        *,
        batch_size: int,
        num_batches: int,
        num_threads: int = 2,
        num_workers: int = 0,
        share: np.ndarray | None = None,
        keep: bool = False,
    ):
        """Takes row_of(position): the record at each position; None fills up.

        Args:
            num_threads: that read ahead, in each process that reads.
            num_workers: processes that read for this one; 0: it reads itself. They
                start in seconds, and need absl's flags parsed, as every command does.
            share: which rows of a batch to read, for one process of several; None is
                all of them. Whoever reads a row, the same record is in it.
            keep: examples that were made, in memory, for those that are small and
                take long to make.
        """
        kept: dict[int, tuple] = {}
        share = np.arange(batch_size) if share is None else share

        def position_of(number: int) -> int:
            return number // len(share) * batch_size + int(share[number % len(share)])

        def example(position: int) -> Batch:
            row = row_of(int(position))
            place = 0 if row is None else row
            made = kept.get(place)
            if made is None:
                record = records[place]
                made = make_example(record), class_index([record.label], classes)[0]
                if keep:
                    kept[place] = made
            inputs, label = made
            return Batch(
                inputs=inputs,
                label=np.maximum(label, 0),
                label_mask=label >= 0,
                example_mask=np.bool_(row is not None),
            )

        self._threads, self._workers = num_threads, num_workers
        numbers = grain.MapDataset.range(num_batches * len(share))
        self._batches = numbers.map(position_of).map(example).batch(len(share))

    def __len__(self) -> int:
        """Returns the number of batches."""
        return len(self._batches)

    def __getitem__(self, step: int) -> Batch:
        """Returns batch number `step`."""
        return self._batches[step]

    def since(self, step: int) -> Iterator[Batch]:
        """Yields batches from number `step` on, read ahead by threads or processes."""
        return read_ahead(
            self._batches[step:],
            num_threads=self._threads,
            num_workers=self._workers,
            ready=4,
        )


def batches_of_rounds(
    batches: Sequence[Batches],
    first_steps: Sequence[int],
    rounds: Sequence[Sequence[int]],
    *,
    num_threads: int,
    num_workers: int = 0,
) -> Iterator[Batch]:
    """Returns, round after round and step after step, the members' batches stacked.

    Member i begins with batches[i][first_steps[i]], and gets what it would get alone.
    One that is through its batches gets its last again, until the others are.
    """

    def stacked(number: int) -> Batch:
        steps, place = divmod(number, len(rounds))
        found = []
        for member in rounds[place]:
            mine = batches[member]
            found.append(mine[min(first_steps[member] + steps, len(mine) - 1)])
        columns = zip(*(b.inputs for b in found), strict=True)
        inputs = type(found[0].inputs)(*map(np.stack, columns))
        rest = map(np.stack, zip(*(b[1:] for b in found), strict=True))
        return Batch(inputs, *rest)

    left = [len(b) - step for b, step in zip(batches, first_steps, strict=True)]
    numbers = grain.MapDataset.range(max(left) * len(rounds))
    return read_ahead(
        numbers.map(stacked),
        num_threads=num_threads,
        num_workers=num_workers,
        ready=1,  # a round is many batches
    )


def read_ahead(
    batches: grain.MapDataset, *, num_threads: int, num_workers: int, ready: int
) -> Iterator[Batch]:
    """Yields batches in order, of which each thread keeps some `ready`."""
    options = grain.ReadOptions(
        num_threads=num_threads, prefetch_buffer_size=ready * num_threads
    )
    batches = batches.to_iter_dataset(options)
    if num_workers:  # each reads every n-th batch, and they come in turn
        options = grain.MultiprocessingOptions(num_workers, AHEAD)
        batches = batches.mp_prefetch(options, worker_init_fn=_end_with_parent)
    with contextlib.closing(iter(batches)) as stream:
        yield from stream


def _copied(batch: Batch) -> Batch:
    """Returns a batch in memory of its own: a worker's is shared, and given back."""
    inputs = type(batch.inputs)(*map(np.array, batch.inputs))
    return Batch(inputs, *map(np.array, batch[1:]))


def _end_with_parent(number: int, count: int) -> None:
    """Lets a worker end when its parent does, and not by the keyboard's interrupt."""
    del number, count
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides

    def watch():
        multiprocessing.parent_process().join()
        os._exit(1)  # a parent that was killed could not end its workers

    threading.Thread(target=watch, daemon=True).start()


def in_order(rows: np.ndarray, batch_size: int) -> tuple[Callable, int]:
    """Returns row_of and the number of batches that visit each row once, in order."""
    num_batches = -(-len(rows) // batch_size)

    def row_of(position: int) -> int | None:
        return int(rows[position]) if position < len(rows) else None

    return row_of, num_batches
