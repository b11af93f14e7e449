"""Series of like length in one batch, so that the short do not pay for the long."""

import numpy as np

SHORTEST, STEP = 3, 4  # epochs; twice as many lengths would spare little more


def bucket_lengths(max_epochs: int) -> tuple[int, ...]:
    """Returns the few lengths that programs are compiled for: 3, 12, 48 ... the last.

    Compiling for one takes seconds, so there are few.
    """
    lengths = []
    length = SHORTEST
    while length < max_epochs:
        lengths.append(length)
        length *= STEP
    return (*lengths, max_epochs)


def group_by_length(
    num_epochs: np.ndarray, lengths: tuple[int, ...], batch_size: int
) -> list[tuple[int, np.ndarray]]:
    """Returns which objects are computed at which length, every object once.

    Cut into batches in the order given, they make no more batches than if none was
    sorted, and all but the last are full. Few objects are not worth a program of their
    own: they get the longest.

    Args:
        num_epochs: of each object, at most the last of `lengths`.
        lengths: what a batch may be padded to, ascending.
    """
    if len(num_epochs) <= batch_size:
        return [(lengths[-1], np.arange(len(num_epochs)))]
    order = np.argsort(num_epochs, kind="stable")
    found: dict[int, list] = {}
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        longest = num_epochs[batch[-1]]
        found.setdefault(lengths[np.searchsorted(lengths, longest)], []).append(batch)
    return [(length, np.concatenate(batches)) for length, batches in found.items()]
