"""Collects the packets of each object from many files."""

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


def gather_packets(
    items: Iterable[Reading | tuple[str, Any]],
    assemble: Callable[[str, list], Reading],
    *,
    folder: str | None = None,
) -> Iterator[Reading]:
    """Yields the Readings among the items, then those assembled from packets.

    Packets are kept in a temporary file, so that memory holds those of one object.
    Assembled objects are in order of their names.

    Args:
        items: Readings of objects, or the name of an object and one of its packets;
            packets can be pickled.
        assemble: takes a name and all its packets, in the order of the items.
        folder: of the temporary file; None is the system's folder.
    """
    with (
        tempfile.TemporaryDirectory(prefix="packets-", dir=folder) as place,
        contextlib.closing(sqlite3.connect(Path(place) / "packets.sqlite")) as database,
    ):
        # The file is of no use after a crash, so writes need not reach the disk.
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("CREATE TABLE packet (name TEXT, data BLOB)")
        for item in items:
            if isinstance(item, Reading):
                yield item
            else:
                name, packet = item
                row = name, pickle.dumps(packet, pickle.HIGHEST_PROTOCOL)
                database.execute("INSERT INTO packet VALUES (?, ?)", row)
        database.execute("CREATE INDEX by_name ON packet (name)")
        rows = database.execute("SELECT name, data FROM packet ORDER BY name, rowid")
        for name, group in itertools.groupby(rows, key=operator.itemgetter(0)):
            yield assemble(name, [pickle.loads(data) for _, data in group])
