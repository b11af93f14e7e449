"""Parts of raw data read by several processes, in the order of one."""

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

AHEAD = 2  # parts per process that are read before their turn; they wait on disk

_stop = None  # in a worker: set once nobody waits for its work any more


def read_in_order(
    read_part: Callable, parts: Iterable, *, processes: int, folder: str | None = None
) -> Iterator:
    """Yields what read_part yields of each part, as a loop over the parts would.

    A process writes a part down, one object after the other, and this one reads it
    when its turn comes. So memory holds an object per process, however unequal the
    parts, and the order depends neither on the number of processes nor on their luck.

    Args:
        read_part: takes a part; can be pickled, and so can what it yields.
        processes: how many read; 1 reads here and now.
        folder: where parts wait for their turn; None is the system's for such things.
    """
    if processes == 1:
        yield from itertools.chain.from_iterable(map(read_part, parts))
        return
    # Not forked: a fork takes over locks that threads of this process hold.
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with tempfile.TemporaryDirectory(prefix="parts-", dir=folder) as waiting_room:
        pool = ProcessPoolExecutor(processes, context, _start, (stop,))
        try:
            waiting: collections.deque[Future] = collections.deque()
            for number, part in enumerate(parts):
                path = Path(waiting_room) / str(number)
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
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told, and says stop


def _write_part(read_part: Callable, part, path: Path) -> Path:
    with path.open("wb") as file:
        for thing in read_part(part):
            if _stop.is_set():
                break
            pickle.dump(thing, file, pickle.HIGHEST_PROTOCOL)
    return path


def _read_back(written: Future) -> Iterator:
    try:
        path = written.result()
    except BrokenProcessPool as error:
        raise InputError(
            "A process that read raw data was ended from outside, most often for want "
            "of memory. Give fewer --processes, or a machine with more memory."
        ) from error
    with path.open("rb") as file:
        size = path.stat().st_size
        while file.tell() < size:
            yield pickle.load(file)
    path.unlink()
