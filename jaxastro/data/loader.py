"""Batches at random access: batches[step] is the same after every restart."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence

import grain
import numpy as np

from jaxastro.types import Batch, Inputs

AHEAD = 2  # batches that each worker process prefetches


def labels_of_classes(classes: tuple[str, ...]) -> list[str]:
    """Returns the labels of all classes; the class "SNIa+SNOther" has two labels."""
    return "+".join(classes).split("+")


def class_index(label: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """Returns [o] int32, the index of each label's class, or -1 for other labels.

    Args:
        label: [o], names.
        classes: c names; "SNIa+SNOther" is the class of both labels.
    """
    number = {name: i for i, joined in enumerate(classes) for name in joined.split("+")}
    return np.array([number.get(name, -1) for name in label], np.int32)


class Batches:
    """Batches of a data set, by number, with prefetching.

    `batches[step]` is a pure function of step, so that a resumed run gets the same
    batches as an uninterrupted one.
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
        """Stores how batches are made.

        Args:
            records: at random access.
            row_of: position in the sequence of all examples -> row number of its
                record; None for padding of the last batch.
            make_example: record -> inputs of a model.
            classes: see class_index.
            batch_size: examples per batch, in all processes together.
            num_batches: length.
            num_threads: reader threads in each process that reads.
            num_workers: reader processes; 0: this process reads. They take seconds to
                start and need parsed absl flags.
            share: [r], rows of a batch that this process reads, if there are several
                processes; None: all. The content of a row does not depend on it.
            keep: whether to keep examples in memory, for small examples that take long
                to compute.
        """
        cache: dict[int, tuple] = {}
        share = np.arange(batch_size) if share is None else share

        def position_of(number: int) -> int:
            return number // len(share) * batch_size + int(share[number % len(share)])

        def example(position: int) -> Batch:
            row = row_of(int(position))
            number = 0 if row is None else row
            pair = cache.get(number)
            if pair is None:
                record = records[number]
                pair = make_example(record), class_index([record.label], classes)[0]
                if keep:
                    cache[number] = pair
            inputs, label = pair
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
        """Yields batches from number `step` on, prefetched by threads or processes."""
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
    """Yields stacked batches of several runs: for each step, one per round.

    Member i starts with batches[i][first_steps[i]] and gets the same batches as in a
    run by itself. After its last batch, that batch is repeated until all members are
    done.

    Args:
        batches: of each member.
        first_steps: of each member.
        rounds: members that are stacked together; a round is a list of members.
        num_threads: see Batches, with num_workers.
    """

    def stacked(number: int) -> Batch:
        steps, round_number = divmod(number, len(rounds))
        parts = []
        for member in rounds[round_number]:
            own = batches[member]
            parts.append(own[min(first_steps[member] + steps, len(own) - 1)])
        columns = zip(*(b.inputs for b in parts), strict=True)
        inputs = type(parts[0].inputs)(*map(np.stack, columns))
        rest = map(np.stack, zip(*(b[1:] for b in parts), strict=True))
        return Batch(inputs, *rest)

    remaining = [len(b) - step for b, step in zip(batches, first_steps, strict=True)]
    numbers = grain.MapDataset.range(max(remaining) * len(rounds))
    return read_ahead(
        numbers.map(stacked),
        num_threads=num_threads,
        num_workers=num_workers,
        ready=1,  # a round has many batches
    )


def read_ahead(
    batches: grain.MapDataset, *, num_threads: int, num_workers: int, ready: int
) -> Iterator[Batch]:
    """Yields batches in order, of which each thread prefetches `ready`."""
    options = grain.ReadOptions(
        num_threads=num_threads, prefetch_buffer_size=ready * num_threads
    )
    batches = batches.to_iter_dataset(options)
    if num_workers:  # worker k of n reads batches k, k + n, ...
        options = grain.MultiprocessingOptions(num_workers, AHEAD)
        batches = batches.mp_prefetch(options, worker_init_fn=_end_with_parent)
    with contextlib.closing(iter(batches)) as stream:
        yield from stream


def _end_with_parent(number: int, count: int) -> None:
    """Makes a worker process ignore SIGINT and exit when its parent has exited."""
    del number, count
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles it

    def watch():
        multiprocessing.parent_process().join()
        os._exit(1)  # a parent that was killed does not stop its workers

    threading.Thread(target=watch, daemon=True).start()


def in_order(rows: np.ndarray, batch_size: int) -> tuple[Callable, int]:
    """Returns row_of and num_batches for Batches that have each row once, in order.

    Args:
        rows: [r], row numbers.
    """
    num_batches = -(-len(rows) // batch_size)

    def row_of(position: int) -> int | None:
        return int(rows[position]) if position < len(rows) else None

    return row_of, num_batches
