"""Evenly spaced epochs of a series that is too long."""

import numpy as np


def evenly_spaced(count: int, most: int) -> slice | np.ndarray:
    """Returns the indices of at most `most` of `count` epochs, including both ends.

    They are evenly spaced in the order of the epochs.
    """
    if count <= most:
        return slice(None)  # a view instead of a copy
    return np.linspace(0, count - 1, most).round().astype(int)
