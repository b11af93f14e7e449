"""One process at a time in the folder of a run."""

from jaxastro.errors import RunLockedError
import contextlib
from collections.abc import Iterator
from pathlib import Path

import filelock


@contextlib.contextmanager
def alone_in(workdir: Path) -> Iterator[None]:
    """Makes the folder if need be, and keeps other processes out of it meanwhile."""
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
