"""A faster np.nanmedian."""

import numpy as np


def nanmedian(values: np.ndarray, axis: int) -> np.ndarray:
    """Returns the same bits as np.nanmedian along one axis.

    A row of NaN gives NaN without a warning. NumPy calls Python for every row or uses
    masked arrays; on the frames of a record that takes longer than reading them.
    """
    count = (~np.isnan(values)).sum(axis=axis, keepdims=True)
    ordered = np.sort(values, axis=axis)  # NaN last
    low, high = (
        np.take_along_axis(ordered, place // 2, axis) for place in (count - 1, count)
    )
    return ((low + high) / 2).squeeze(axis)
