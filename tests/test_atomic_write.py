"""A file or folder written atomically is complete, or it is as it was before."""

import os
import stat

import pytest

from jaxastro.atomic_write import atomic_folder, atomic_write


def test_a_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "a.txt"
    with atomic_write(path) as file:
        file.write("é\n")
        assert not path.exists()
        assert (tmp_path / "a.txt.partial").exists()
    assert path.read_bytes() == "é\n".encode()
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]


def test_bytes_and_line_ends_are_written_as_they_are(tmp_path):
    with atomic_write(tmp_path / "a.bin", "wb") as file:
        file.write(b"\0\r\n")
    with atomic_write(tmp_path / "a.csv", newline="") as file:
        file.write("a\r\n")
    assert (tmp_path / "a.bin").read_bytes() == b"\0\r\n"
    assert (tmp_path / "a.csv").read_bytes() == b"a\r\n"


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_error_leaves_the_file_of_before(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("before")

    def write():
        with atomic_write(path) as file:
            file.write("after")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]


def test_others_may_read_it(tmp_path):
    (tmp_path / "plain").touch()
    with atomic_write(tmp_path / "a.txt") as file:
        file.write("a")
    modes = {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    assert len(modes) == 1


def test_processes_that_write_the_same_file_have_temporary_files_of_their_own(tmp_path):
    with atomic_write(tmp_path / "a.txt", unique=True) as file:
        assert file.name.endswith(f"a.txt.{os.getpid()}.partial")


def test_what_a_killed_process_left_is_replaced(tmp_path):
    (tmp_path / "a.txt.partial").write_text("a long text of before")
    with atomic_write(tmp_path / "a.txt") as file:
        file.write("short")
    assert (tmp_path / "a.txt").read_text() == "short"
    (tmp_path / "b.partial").mkdir()
    (tmp_path / "b.partial" / "old").touch()
    with atomic_folder(tmp_path / "b") as folder:
        (folder / "new").touch()
    assert [each.name for each in (tmp_path / "b").iterdir()] == ["new"]


def test_a_folder_appears_when_it_is_complete(tmp_path):
    (tmp_path / "a").mkdir()  # an empty one may be there
    with atomic_folder(tmp_path / "a") as folder:
        (folder / "x").touch()
        assert not list((tmp_path / "a").iterdir())
    assert (tmp_path / "a" / "x").exists()
    with pytest.raises(OSError, match="not empty"), atomic_folder(tmp_path / "a"):
        pass
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "none" / "a.txt"):
        pass
