"""Reads parts of raw data in several processes, in the order of one process."""

import collections
import itertools
import multiprocessing
import pickle
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from jaxastro.errors import InputError

AHEAD = 2  # parts per process that are read before their turn; they are kept on disk

_stop = None  # in a worker: an event that is set when its work is no longer needed


class ReadingError(Exception):
    """An error in a worker process that cannot be pickled; holds its type and text."""


def read_in_order(
    read_part: Callable, parts: Iterable, *, processes: int, folder: str | None = None
) -> Iterator:
    """Yields the items of each part, in the order of a loop over the parts.

    Each process writes the items of a part to a file, which this process reads in the
    order of the parts. So memory holds one item per process, and the order does not
    depend on the number of processes. An error in a worker process is raised here.

    Args:
        read_part: yields the items of a part; it and the items can be pickled.
        parts: independent pieces of work.
        processes: number of processes; 1 reads in this process.
        folder: of the temporary files; None is the system's folder.

    Raises:
        InputError: if a process was killed.
        ReadingError: in place of an error that cannot be pickled.
    """
    if processes == 1:
        yield from itertools.chain.from_iterable(map(read_part, parts))
        return
    # Not forked: a forked process inherits locks held by threads of this one.
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with tempfile.TemporaryDirectory(prefix="parts-", dir=folder) as temporary:
        pool = ProcessPoolExecutor(processes, context, _start, (stop,))
        try:
            waiting: collections.deque[Future] = collections.deque()
            for number, part in enumerate(parts):
                path = Path(temporary) / str(number)
                waiting.append(pool.submit(_write_part, read_part, part, path))
                if len(waiting) > AHEAD * processes:
                    yield from _read_back(waiting.popleft())
            while waiting:
                yield from _read_back(waiting.popleft())
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def _start(stop) -> None:
    global _stop
    _stop = stop
    # An interruption reaches the parent too, which then sets the event.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _write_part(read_part: Callable, part, path: Path) -> Path:
    try:
        with path.open("wb") as file:
            for item in read_part(part):
                if _stop.is_set():
                    break
                pickle.dump(item, file, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        if _can_be_pickled(error):
            raise
        raise ReadingError(f"{type(error).__name__}: {error}") from error
    return path


def _can_be_pickled(error: Exception) -> bool:
    """Returns whether the parent process can restore an error with its message."""
    try:
        return str(pickle.loads(pickle.dumps(error))) == str(error)
    # A class of errors may raise anything when it is pickled.
    except Exception:  # noqa: BLE001
        return False


def _read_back(written: Future) -> Iterator:
    try:
        path = written.result()
    except BrokenProcessPool as error:
        raise InputError(
            "A process that read raw data was killed, most often because memory was "
            "exhausted. Give fewer --processes, or use a machine with more memory."
        ) from error
    with path.open("rb") as file:
        size = path.stat().st_size
        while file.tell() < size:
            yield pickle.load(file)
    path.unlink()
