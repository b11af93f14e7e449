"""Sampling of training objects, as a pure function of seed and position."""

from collections.abc import Callable

import numpy as np

from jaxastro.errors import InputError


def make_sampler(
    label: np.ndarray, *, seed: int, balance: bool = True, unlabelled_share: float = 0.0
) -> Callable[[int], int]:
    """Returns a function from position to row, which samples rows with replacement.

    Args:
        label: [o], class index of each row, -1 if unlabelled.
        balance: whether all classes are sampled equally often, by weighting objects by
            the inverse size of their class; otherwise all labelled objects are.
        unlabelled_share: probability of an unlabelled row, in [0, 1).
    Raises:
        InputError: if there is no labelled row, or no unlabelled row for the share.
    Source: Bairouk et al. 2023, A&A 673, A141, Sect. 3.1 (weighted random sampling).
    """
    label = np.asarray(label)
    labelled = label >= 0
    if not labelled.any():
        raise InputError(
            "No labelled object to train on. Check config.classes against the labels "
            "of the survey."
        )
    if not 0 <= unlabelled_share < 1:
        raise InputError(f"unlabelled_share {unlabelled_share} is not in [0, 1).")
    if unlabelled_share and labelled.all():
        raise InputError(
            f"unlabelled_share is {unlabelled_share}, but every training object has a "
            "label. Set config.loader.unlabelled_share to 0."
        )
    weight = np.zeros(len(label))
    if balance:
        _, code, count = np.unique(
            label[labelled], return_inverse=True, return_counts=True
        )
        weight[labelled] = 1 / count[code]
    else:
        weight[labelled] = 1
    weight[labelled] *= (1 - unlabelled_share) / weight[labelled].sum()
    if unlabelled_share:
        weight[~labelled] = unlabelled_share / (~labelled).sum()
    cumulative = np.cumsum(weight)
    last = int(np.flatnonzero(weight)[-1])

    def draw(position: int) -> int:
        generator = np.random.Generator(np.random.Philox(key=[seed, position]))
        row = np.searchsorted(cumulative, generator.random(), side="right")
        return min(int(row), last)  # the last sum may be below 1 by rounding

    return draw
