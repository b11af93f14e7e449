"""An error in a worker process has the same type and message in the parent."""

import pytest

from data_builders.engine.download import DownloadError
from data_builders.engine.processes import ReadingError, read_in_order
from jaxastro.errors import InputError, MissingFileError, RecordError


class Unpicklable(Exception):
    """An error whose constructor takes two arguments and passes on one."""

    def __init__(self, name, reason):
        super().__init__(f"{name}: {reason}")


def fail(part):
    yield "an item"
    raise part[0](*part[1])


def error_of(*part):
    with pytest.raises(Exception) as caught:  # noqa: PT011
        list(read_in_order(fail, [part], processes=2))
    return caught.value


@pytest.mark.parametrize("kind", [InputError, MissingFileError, RecordError])
def test_errors_for_users_keep_type_and_message(kind):
    error = error_of(kind, ("a.csv: no column b. Add it.",))
    assert type(error) is kind
    assert str(error) == "a.csv: no column b. Add it."


def test_an_error_keeps_its_attributes():
    def download_error():
        return error_of(DownloadError, ("no such file",))

    assert type(download_error()) is DownloadError
    assert download_error().status == 0


def test_an_error_that_cannot_be_pickled_keeps_its_words():
    error = error_of(Unpicklable, ("star7", "no light"))
    assert type(error) is ReadingError
    assert str(error) == "Unpicklable: star7: no light"
    assert "Unpicklable" in str(error.__cause__)  # with the worker's traceback
