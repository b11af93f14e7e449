"""From the readings of a builder to records, with a report of all other objects."""

import collections
import hashlib
import json
from collections.abc import Iterable, Iterator

from absl import logging
from etils import epath

from data_builders.engine.printable import printable
from jaxastro.data.record import Reading, Record
from jaxastro.errors import InputError

MAX_LOGGED = 10  # objects set aside that are logged; the report has all


class Tally:
    """Counts and notes of the objects that were read.

    Tallies of different parts can be added, for builds on several machines.
    """

    def __init__(self):
        self.objects_read = self.objects_set_aside = 0
        self.classes = collections.Counter()
        self.notes: list[tuple] = []  # rank, object_id, is set aside, notes

    def count(self, reading: Reading, rank) -> None:
        """Counts an object.

        Args:
            reading: of the object.
            rank: its place in the report.
        """
        self.objects_read += 1
        is_set_aside = reading.record is None
        self.objects_set_aside += is_set_aside
        if not is_set_aside:
            self.classes[reading.record.label] += 1
        if is_set_aside or reading.notes:
            self.notes.append((rank, reading.object_id, is_set_aside, reading.notes))

    def set_aside(self, object_id: str, reason: str) -> None:
        """Counts an object that was read as set aside after all."""
        self.objects_set_aside += 1
        self.notes.append((self.objects_read, object_id, True, (reason,)))

    def add(self, other: "Tally") -> None:
        """Adds the counts and notes of another tally."""
        self.objects_read += other.objects_read
        self.objects_set_aside += other.objects_set_aside
        self.classes += other.classes
        self.notes += other.notes

    def report(self) -> dict:
        """Returns the counts, and the notes of each object by name.

        Raises:
            InputError: if objects were read but none of them became a record.
        """
        set_aside, repaired = collections.defaultdict(list), {}
        for _, object_id, is_set_aside, notes in sorted(self.notes):
            if is_set_aside:  # several objects of one name may be set aside
                set_aside[object_id] += notes
            else:
                repaired[object_id] = list(notes)
        if self.objects_read and not self.classes:
            first = " ".join(next(iter(set_aside.values())))
            raise InputError(
                f"None of {self.objects_read} objects could be read. The first: {first}"
            )
        return {
            "objects_read": self.objects_read,
            "objects_set_aside": self.objects_set_aside,
            "classes": dict(sorted(self.classes.items())),
            "set_aside": set_aside,
            "repaired": repaired,
        }


def records_of(
    readings: Iterable[Reading],
    *,
    report: epath.PathLike | None,
    tally: Tally | None = None,
) -> Iterator[Record]:
    """Yields the records, then reports the objects that were set aside or repaired.

    Args:
        readings: one per object, from a builder's `read`. A second object of the same
            name is set aside.
        report: JSON file for the counts and the notes of each object; None writes
            none. Raw bytes of objects that were set aside go to a folder of that name
            without the suffix; their files are named by their sha256.
        tally: receives the counts and notes, for callers that need them.

    Raises:
        InputError: if objects were read but none of them became a record.
    """
    tally, seen = tally or Tally(), set()
    for number, reading in enumerate(readings):
        if reading.record is not None and reading.object_id in seen:
            reading = set_duplicate_aside(reading)
        tally.count(reading, number)
        if reading.record is None:
            _log(reading, tally.objects_set_aside)
            keep_raw(reading, report)
        else:
            seen.add(reading.object_id)
            yield reading.record
    counts = tally.report()
    logging.info(
        "%d objects read, %d set aside, %d repaired.",
        counts["objects_read"],
        counts["objects_set_aside"],
        len(counts["repaired"]),
    )
    write_report(counts, report)


def set_duplicate_aside(reading: Reading) -> Reading:
    """Returns the reading of an object whose name was read before, without record."""
    note = (
        f"Object {reading.object_id}: it was read before, its name occurs twice. "
        "Rename it."
    )
    return reading._replace(record=None, notes=(note,))


def write_report(counts: dict, report: epath.PathLike | None) -> None:
    """Writes counts and notes as JSON."""
    if report is not None:
        epath.Path(report).write_text(json.dumps(counts, indent=1))


def keep_raw(reading: Reading, report: epath.PathLike | None) -> None:
    """Writes the raw bytes of an object that was set aside, if it has some."""
    if reading.raw and report is not None:
        folder = epath.Path(report).with_suffix("")
        folder.mkdir(exist_ok=True)
        (folder / hashlib.sha256(reading.raw).hexdigest()).write_bytes(reading.raw)


def _log(reading: Reading, number: int) -> None:
    if number <= MAX_LOGGED:
        logging.warning("Set aside: %s", printable(" ".join(reading.notes)))
    elif number == MAX_LOGGED + 1:
        logging.warning("Set aside: more than %d objects ...", MAX_LOGGED)
