"""Length buckets: series of similar length share a batch, which reduces padding."""

import numpy as np

SHORTEST = 3  # epochs
FACTOR = 4  # between lengths; a factor of 2 would save little more


def bucket_lengths(max_epochs: int) -> tuple[int, ...]:
    """Returns the lengths for which programs are compiled: 3, 12, 48 ... max_epochs.

    There are few of them, because each compilation takes seconds.
    """
    lengths = []
    length = SHORTEST
    while length < max_epochs:
        lengths.append(length)
        length *= FACTOR
    return (*lengths, max_epochs)


def group_by_length(
    num_epochs: np.ndarray, lengths: tuple[int, ...], batch_size: int
) -> list[tuple[int, np.ndarray]]:
    """Returns pairs of a length and the indices of the objects padded to it.

    Every object is in one pair. Cut into batches in this order, all batches but the
    last are full. At most batch_size objects get the largest length, since a program
    for them alone is not worth its compilation.

    Args:
        num_epochs: [o], of each object, at most the last of `lengths`.
        lengths: to which batches may be padded, ascending.
        batch_size: objects per batch.
    """
    if len(num_epochs) <= batch_size:
        return [(lengths[-1], np.arange(len(num_epochs)))]
    order = np.argsort(num_epochs, kind="stable")
    buckets: dict[int, list] = {}
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        longest = num_epochs[batch[-1]]
        length = lengths[np.searchsorted(lengths, longest)]
        buckets.setdefault(length, []).append(batch)
    return [(length, np.concatenate(batches)) for length, batches in buckets.items()]
