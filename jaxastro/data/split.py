"""Folds that depend only on the name of a group and a seed."""

import hashlib

import numpy as np

from jaxastro.errors import InputError

SPLITS = ("train", "validation", "test")


def fold_of(group: str, *, seed: int, num_folds: int) -> int:
    """Returns the fold of a group, which is the same in every data set.

        fold = sha256(seed, group) mod num_folds

    Folds of pre-training and fine-tuning data therefore agree, and new objects do not
    change the folds of others.
    """
    digest = hashlib.sha256(f"{seed}:{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % num_folds


def split_of(
    groups, *, test_fold: int, num_folds: int, seed: int
) -> dict[str, np.ndarray]:
    """Returns the row numbers of train, validation and test.

    Test is `test_fold`, validation the next fold, and train all others.

    Args:
        groups: [o], names.
    Raises:
        InputError: if there are too few folds, or a split would be empty.
    """
    if num_folds < 3 or not 0 <= test_fold < num_folds:
        raise InputError(
            f"Fold {test_fold} of {num_folds}. Train, validation and test need at "
            "least 3 folds, numbered from 0."
        )
    fold = np.array([fold_of(g, seed=seed, num_folds=num_folds) for g in groups])
    validation_fold = (test_fold + 1) % num_folds
    rows = {
        "train": np.flatnonzero((fold != test_fold) & (fold != validation_fold)),
        "validation": np.flatnonzero(fold == validation_fold),
        "test": np.flatnonzero(fold == test_fold),
    }
    for name, row in rows.items():
        if not len(row):
            raise InputError(
                f"The {name} split is empty: {len(set(groups))} groups over "
                f"{num_folds} folds. Use fewer folds or another split seed."
            )
    return rows
