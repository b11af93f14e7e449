import pytest

from jaxastro.runs import input_timer
from jaxastro.runs.input_timer import InputTimer


@pytest.fixture
def clock(monkeypatch):
    """A clock that only the test moves."""
    now = [100.0]
    monkeypatch.setattr(input_timer.time, "monotonic", lambda: now[0])

    def pass_by(seconds):
        now[0] += seconds

    return pass_by


def items(clock, seconds, closed=None):
    try:
        for number in range(6):
            clock(seconds)
            yield number
    finally:
        if closed is not None:
            closed.append(True)


def test_the_share_is_of_the_time_between_items_and_starts_anew(clock):
    stream = InputTimer(items(clock, 1))
    for expected in (0, 1):
        assert next(stream) == expected
        clock(3)  # the loop works
    assert stream.share() == pytest.approx(2 / 8)
    clock(1000)  # a validation does not count
    assert next(stream) == 2
    assert stream.share() == 1
    assert stream.share() == 0  # nothing was requested since


def test_all_items_come_and_the_end_is_not_an_error(clock):
    assert list(InputTimer(items(clock, 0))) == list(range(6))


def test_closing_ends_what_is_waited_for(clock):
    closed = []
    stream = InputTimer(items(clock, 1, closed))
    next(stream)
    stream.close()
    assert closed == [True]


def test_an_error_of_the_reader_is_not_swallowed():
    def broken():
        yield 1
        raise OSError("the disk is gone")

    stream = InputTimer(broken())
    next(stream)
    with pytest.raises(OSError, match="the disk is gone"):
        next(stream)
