"""The study of dm-dt maps that leak the label."""

import numpy as np
import pytest

from experiments.studies.dmdt_leak import SHAPE, maps_of, measure
from jaxastro.representations import REPRESENTATIONS, USES_LABELS, representation_of
from jaxastro.representations.dmdt import DAYS, MAGNITUDES


def population(count=450, seed=0):
    """Stars whose amplitude and period are independent of their class."""
    generator = np.random.default_rng(seed)
    name = np.array([f"star{i}" for i in range(count)])
    amplitude = generator.uniform(0.05, 1.5, count)
    period = 10 ** generator.uniform(-1, 1, count)
    return name, np.arange(count) % 3, amplitude, period


def test_a_map_counts_the_other_stars_of_the_same_group():
    _, label, amplitude, period = population(count=40)
    period[3] = 1e4  # beyond the last edge
    found = maps_of(amplitude, period, label).reshape(-1, *SHAPE)
    for star in range(40):
        others = np.flatnonzero((label == label[star]) & (np.arange(40) != star))
        differences = abs(amplitude - amplitude[star]), abs(period - period[star])
        inside = others[differences[1][others] < DAYS[-1]]
        expected, *_ = np.histogram2d(
            *(column[inside] for column in differences), bins=(MAGNITUDES, DAYS)
        )
        np.testing.assert_allclose(found[star], expected / len(others), rtol=1e-6)


def test_the_map_predicts_shuffled_labels_and_inputs_without_leakage_do_not():
    found = measure(*population(), seed=0)
    assert found["own class"].low > 0.7
    assert found["own class, labels shuffled"].low > 0.7
    for without_leakage in ("all classes", "two numbers"):
        assert found[without_leakage].low < 1 / 3 < found[without_leakage].high


@pytest.mark.parametrize("name", USES_LABELS)
def test_the_map_is_refused_as_an_input(name):
    assert name not in REPRESENTATIONS
    with pytest.raises(ValueError, match=r"python -m experiments\.studies\.dmdt_leak"):
        representation_of(name)
