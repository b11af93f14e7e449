"""Files and folders that are written completely or not at all.

    with atomic_write("table.csv", newline="") as file:
        csv.writer(file).writerows(rows)

The content goes to PATH.partial in the same folder, is flushed to disk, and is renamed
to PATH when the block ends. An error removes PATH.partial and leaves PATH unchanged.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def atomic_write(
    path: str | os.PathLike,
    mode: str = "w",
    *,
    newline: str | None = None,
    unique: bool = False,
) -> Iterator[IO]:
    """Opens a file that replaces `path` when the block ends without an error.

    Args:
        path: the file to write, in a folder that exists.
        mode: "w" for UTF-8 text, "wb" for bytes.
        newline: as for `open`; "" for the csv module.
        unique: adds the process number to the temporary name, for a file that several
            processes may write at the same time.

    Raises:
        OSError: if the file cannot be written.
    """
    encoding = None if "b" in mode else "utf-8"
    with (
        atomic_path(path, unique=unique) as partial,
        open(partial, mode, encoding=encoding, newline=newline) as file,
    ):
        yield file


@contextlib.contextmanager
def atomic_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Gives a new folder, which is renamed to `path` when the block ends.

    Args:
        path: the folder to make; it does not exist or is empty.

    Raises:
        OSError: if the folder cannot be made, or `path` has files.
    """
    with atomic_path(path) as partial:
        partial.mkdir()
        yield partial


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike, *, unique: bool = False) -> Iterator[Path]:
    """Gives the temporary path, for functions that write to a path.

    Arguments and errors are those of `atomic_write`.
    """
    path = Path(path)
    process = f".{os.getpid()}" if unique else ""
    partial = path.with_name(f"{path.name}{process}.partial")
    try:
        _remove(partial)  # left by a process that was killed
        yield partial
        if partial.is_file():
            _flush_to_disk(partial)
        elif path.is_dir():
            path.rmdir()  # empty, or this raises
        partial.replace(path)
    except BaseException:  # also of an interruption
        _remove(partial)
        raise


def _flush_to_disk(path: Path) -> None:
    """Without this, a crash of the machine could leave an empty file."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
