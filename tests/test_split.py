"""Folds and splits."""

import numpy as np
import pytest

from jaxastro.data.split import fold_of, split_of


def test_splits_are_disjoint_and_complete_and_keep_groups_together():
    groups = [f"field{i // 7}" for i in range(700)]
    rows = split_of(groups, test_fold=2, num_folds=5, seed=0)
    together = np.concatenate(list(rows.values()))
    assert sorted(together) == list(range(700))
    names = {split: {groups[i] for i in row} for split, row in rows.items()}
    assert not names["train"] & names["test"]
    assert not names["train"] & names["validation"]
    assert not names["validation"] & names["test"]


def test_a_fold_depends_on_the_group_only():
    assert fold_of("SN1234", seed=0, num_folds=5) == 4
    few = split_of(list("abcdefghijkl"), test_fold=0, num_folds=3, seed=1)["test"]
    many = split_of(list("abcdefghijklmnop"), test_fold=0, num_folds=3, seed=1)["test"]
    assert set(few) == {i for i in many if i < 12}


def test_an_empty_split_is_an_error():
    with pytest.raises(ValueError, match="split is empty: 1 groups over 5 folds"):
        split_of(["a"] * 9, test_fold=0, num_folds=5, seed=0)
    with pytest.raises(ValueError, match="at least 3 folds"):
        split_of(["a", "b"], test_fold=0, num_folds=2, seed=0)
