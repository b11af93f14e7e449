"""Batches at random access: batches[step] is the same however often one restarts."""

from collections.abc import Callable, Iterator

import grain
import numpy as np

from jaxastro.data.record import Record, record_from_example
from jaxastro.types import Batch, Series


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
        share: np.ndarray | None = None,
    ):
        """Takes row_of(position): the record at each position; None fills up.

        Args:
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

        self._threads = num_threads
        numbers = grain.MapDataset.range(num_batches * len(share))
        self._batches = numbers.map(position_of).map(example).batch(len(share))

    def __len__(self) -> int:
        """Returns the number of batches."""
        return len(self._batches)

    def __getitem__(self, step: int) -> Batch:
        """Returns batch number `step`."""
        return self._batches[step]

    def since(self, step: int) -> Iterator[Batch]:
        """Yields batches from number `step` on, read ahead by threads."""
        options = grain.ReadOptions(
            num_threads=self._threads, prefetch_buffer_size=4 * self._threads
        )
        return iter(self._batches[step:].to_iter_dataset(options))


def in_order(rows: np.ndarray, batch_size: int) -> tuple[Callable, int]:
    """Returns row_of and the number of batches that visit each row once, in order."""
    num_batches = -(-len(rows) // batch_size)

    def row_of(position: int) -> int | None:
        return int(rows[position]) if position < len(rows) else None

    return row_of, num_batches
