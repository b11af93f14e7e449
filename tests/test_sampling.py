"""Sampling of training objects."""

import numpy as np
import pytest

from jaxastro.data.sampling import make_sampler

# 70, 20 and 10 of three classes and 50 unlabelled, mixed
LABEL = np.random.default_rng(0).permutation(np.repeat([0, 1, 2, -1], [70, 20, 10, 50]))
DRAWS = 6000


def shares(rows):
    return {name: np.mean(LABEL[rows] == name) for name in (0, 1, 2, -1)}


def within_five_errors(share, expected):
    error = (expected * (1 - expected) / DRAWS) ** 0.5
    return abs(share - expected) <= 5 * error


def draws(**args):
    draw = make_sampler(LABEL, seed=3, **args)
    return np.array([draw(position) for position in range(DRAWS)])


@pytest.mark.parametrize("unlabelled_share", [0.0, 0.2])
def test_classes_are_sampled_equally_and_unlabelled_rows_by_their_share(
    unlabelled_share,
):
    share = shares(draws(unlabelled_share=unlabelled_share))
    for name in range(3):
        assert within_five_errors(share[name], (1 - unlabelled_share) / 3)
    assert within_five_errors(share[-1], unlabelled_share)


@pytest.mark.parametrize("unlabelled_share", [0.0, 0.2])
def test_without_balance_objects_are_sampled_equally(unlabelled_share):
    share = shares(draws(balance=False, unlabelled_share=unlabelled_share))
    for name, expected in ((0, 0.7), (1, 0.2), (2, 0.1)):
        assert within_five_errors(share[name], (1 - unlabelled_share) * expected)
    assert within_five_errors(share[-1], unlabelled_share)


def test_objects_of_a_class_are_sampled_equally():
    rows = draws()
    count = np.bincount(rows, minlength=len(LABEL))
    for name, size in ((0, 70), (1, 20), (2, 10)):
        mean = DRAWS / 3 / size
        gap = np.abs(count[name == LABEL] - mean)
        assert gap.max() < 5 * mean**0.5
    assert not count[LABEL == -1].any()


class Uniform:
    """Replaces the random generator by one number."""

    def __init__(self, number):
        self.number = number

    def random(self):
        return self.number


def test_the_share_of_every_object_is_exact(monkeypatch):
    label = np.array([-1, 0, 0, 0, 1, -1, -1, -1])
    draw = make_sampler(label, seed=0, unlabelled_share=0.2)
    # The share of a row is the length of the interval of numbers that select it.
    grid = (np.arange(2400) + 0.5) / 2400
    rows = []
    for number in (*grid, 0.0, np.nextafter(1, 0)):
        monkeypatch.setattr(np.random, "Generator", lambda _, n=number: Uniform(n))
        rows.append(draw(0))
    share = np.bincount(rows[:-2], minlength=8) / 2400
    expected = [0.05, 0.4 / 3, 0.4 / 3, 0.4 / 3, 0.4, 0.05, 0.05, 0.05]
    np.testing.assert_allclose(share, expected, atol=1 / 2400)
    assert rows[-2:] == [0, 7]
    monkeypatch.setattr(np.random, "Generator", lambda _: Uniform(0.0))
    assert make_sampler(label, seed=0)(0) == 1  # never a row of share 0


def test_a_sample_depends_on_seed_and_position_only():
    draw = make_sampler(LABEL, seed=3)
    forwards = [draw(position) for position in range(50)]
    again = make_sampler(LABEL, seed=3)
    assert [again(position) for position in reversed(range(50))] == forwards[::-1]
    assert draw(10**9) == again(10**9)
    other = make_sampler(LABEL, seed=4)
    assert [other(position) for position in range(50)] != forwards


def test_one_class_or_one_object_is_enough():
    assert make_sampler(np.array([-1, 2, -1]), seed=0)(7) == 1
    draw = make_sampler(np.array([1, 1]), seed=0)
    assert {draw(position) for position in range(40)} == {0, 1}


@pytest.mark.parametrize(
    ("label", "share", "message"),
    [
        ([-1, -1], 0.0, "No labelled object to train on. Check config.classes"),
        ([0, -1], 1.0, r"unlabelled_share 1.0 is not in \[0, 1\)"),
        ([0, -1], -0.1, "unlabelled_share -0.1 is not in"),
        ([0, 1], 0.2, "0.2, but every training object has a label. Set config"),
    ],
)
def test_impossible_samples_are_errors(label, share, message):
    with pytest.raises(ValueError, match=message):
        make_sampler(np.array(label), seed=0, unlabelled_share=share)
