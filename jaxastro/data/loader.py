"""Batches at random access: batches[step] is the same however often one restarts."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator

import grain
import numpy as np

from jaxastro.data.record import Record, record_from_example
from jaxastro.types import Batch, Series

AHEAD = 2  # batches that each worker process keeps ready


def class_index(label: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """Returns the index of each label among the classes, -1 for any other label."""
    number = {name: i for i, name in enumerate(classes)}
    return np.array([number.get(name, -1) for name in label], np.int32)


class Batches:
    """Batches of a data set, by number; iterating prefetches.

    `batches[step]` is a pure function of its arguments, so a run that resumes at a
    step sees exactly what the run it continues would have seen.
    """

    def __init__(
        self,
        source,
        row_of: Callable[[int], int | None],
        make_series: Callable[[Record], Series],
        classes: tuple[str, ...],
        *,
        batch_size: int,
        num_batches: int,
        num_threads: int = 2,
        num_workers: int = 0,
        share: np.ndarray | None = None,
    ):
        """Takes row_of(position): the record at each position; None fills up.

        Args:
            num_threads: that read ahead, in each process that reads.
            num_workers: processes that read for this one; 0: it reads itself. They
                start in seconds, and need absl's flags parsed, as every command does.
            share: which rows of a batch to read, for one process of several; None is
                all of them. Whoever reads a row, the same record is in it.
        """
        share = np.arange(batch_size) if share is None else share

        def position_of(number: int) -> int:
            return number // len(share) * batch_size + int(share[number % len(share)])

        def example(position: int) -> Batch:
            row = row_of(int(position))
            record = record_from_example(source[0 if row is None else row])
            label = class_index([record.label], classes)[0]
            return Batch(
                inputs=make_series(record),
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
        options = grain.ReadOptions(
            num_threads=self._threads, prefetch_buffer_size=4 * self._threads
        )
        batches = self._batches[step:].to_iter_dataset(options)
        if self._workers:  # each reads every n-th batch, and they come in turn
            options = grain.MultiprocessingOptions(self._workers, AHEAD)
            batches = batches.mp_prefetch(options, worker_init_fn=_end_with_parent)
        with contextlib.closing(iter(batches)) as stream:
            yield from stream


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
