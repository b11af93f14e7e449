"""Which object comes when: a pure function of seed and position."""

from collections.abc import Callable

import numpy as np

from jaxastro.errors import InputError


def make_sampler(
    label: np.ndarray, *, seed: int, balance: bool = True, unlabelled_share: float = 0.0
) -> Callable[[int], int]:
    """Returns draw(position) -> row: rows drawn with replacement, at random access.

    With `balance` every class is drawn equally often, as weighting each object by one
    over the number of its class does; else every labelled object is.

    Args:
        label: class index of each row, -1 where unlabelled.
        unlabelled_share: probability of drawing an unlabelled row, in [0, 1).
    Raises:
        ValueError: if there is nothing to draw from, or the share cannot be had.
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
        where = np.searchsorted(cumulative, generator.random(), side="right")
        return min(int(where), last)  # rounding may leave the last sum below 1

    return draw
