import numpy as np
import pytest

from jaxastro.evaluation.paired import holm, mcnemar


def test_significance_tests_equal_their_definitions():
    right = np.array([True] * 5 + [False] * 3 + [True] * 9)
    other = np.array([False] * 5 + [False] * 3 + [True] * 9)
    assert mcnemar(right, other) == pytest.approx(2 / 2**5)
    assert mcnemar(other, right) == pytest.approx(2 / 2**5)
    assert mcnemar(right, right) == 1
    found = holm({"a": 0.01, "b": 0.04, "c": 0.03})
    assert found == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06})
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1, "b": 1}
