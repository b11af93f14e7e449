"""Keeps other processes out of a run folder."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import filelock

from jaxastro.errors import RunLockedError


@contextlib.contextmanager
def run_lock(workdir: Path) -> Iterator[None]:
    """Makes the folder if it does not exist, and locks it against other processes.

    Raises:
        RunLockedError: if another process holds the lock.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(workdir / ".lock")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout as error:
        raise RunLockedError(
            f"Another process trains in {workdir}. Wait for it, or use another "
            "--workdir."
        ) from error
    try:
        yield
    finally:
        lock.release()
