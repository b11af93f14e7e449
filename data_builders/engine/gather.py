"""Packets of one object that lie scattered over many files, brought together."""

import contextlib
import itertools
import operator
import pickle
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from jaxastro.data.record import Reading


def whole_readings(
    things: Iterable[Reading | tuple[str, Any]],
    assemble: Callable[[str, list], Reading],
    *,
    folder: str | None = None,
) -> Iterator[Reading]:
    """Yields the Readings among some things, then those of what must be assembled.

    Packets wait in a file, so that memory holds those of one object. Objects that are
    assembled come in the order of their names.

    Args:
        things: Readings of whole objects, or an object's name and one of its packets,
            which can be anything that can be pickled.
        assemble: takes a name and all its packets, in the order they came.
        folder: where that file lies; None is the system's for such things.
    """
    with (
        tempfile.TemporaryDirectory(prefix="packets-", dir=folder) as place,
        contextlib.closing(sqlite3.connect(Path(place) / "packets.sqlite")) as database,
    ):
        # Nobody needs this file after a crash, so nothing waits for the disk.
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("CREATE TABLE packet (name TEXT, data BLOB)")
        for thing in things:
            if isinstance(thing, Reading):
                yield thing
            else:
                name, packet = thing
                row = name, pickle.dumps(packet, pickle.HIGHEST_PROTOCOL)
                database.execute("INSERT INTO packet VALUES (?, ?)", row)
        database.execute("CREATE INDEX by_name ON packet (name)")
        rows = database.execute("SELECT name, data FROM packet ORDER BY name, rowid")
        for name, group in itertools.groupby(rows, key=operator.itemgetter(0)):
            yield assemble(name, [pickle.loads(data) for _, data in group])
