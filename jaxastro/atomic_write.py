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
    partial = _partial_path(Path(path), unique=unique)
    encoding = None if "b" in mode else "utf-8"
    with _removed_on_error(partial):
        with open(partial, mode, encoding=encoding, newline=newline) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # or a crash could leave an empty file
        partial.replace(path)


@contextlib.contextmanager
def atomic_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Gives a new folder, which is renamed to `path` when the block ends.

    Args:
        path: the folder to make; it does not exist or is empty.

    Raises:
        OSError: if the folder cannot be made, or `path` holds files.
    """
    path = Path(path)
    partial = _partial_path(path)
    with _removed_on_error(partial):
        _remove(partial)  # left by a process that was killed
        partial.mkdir()
        yield partial
        if path.is_dir():
            path.rmdir()  # empty, or this raises
        partial.replace(path)


def _partial_path(path: Path, *, unique: bool = False) -> Path:
    process = f".{os.getpid()}" if unique else ""
    return path.with_name(f"{path.name}{process}.partial")


@contextlib.contextmanager
def _removed_on_error(partial: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:  # also of an interruption
        _remove(partial)
        raise


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
