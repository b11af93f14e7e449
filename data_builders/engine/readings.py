"""From what a reader yields to records, losing no object in silence."""

import collections
import hashlib
import json
from collections.abc import Iterable, Iterator

from absl import logging
from etils import epath

from data_builders.engine.printable import printable
from jaxastro.data.record import Reading, Record
from jaxastro.errors import InputError

FIRST_FEW = 10  # told on the screen as they are set aside; the report tells of all


class Tally:
    """What became of the objects that were read: counts, and every note.

    Tallies of different parts add up, so that many machines can share the counting.
    """

    def __init__(self):
        self.objects_read = self.objects_set_aside = 0
        self.classes = collections.Counter()
        self.told: list[tuple] = []  # rank, object_id, is set aside, notes

    def count(self, reading: Reading, rank) -> None:
        """Counts an object; the report lists what is told by rank."""
        self.objects_read += 1
        is_set_aside = reading.record is None
        self.objects_set_aside += is_set_aside
        if not is_set_aside:
            self.classes[reading.record.label] += 1
        if is_set_aside or reading.notes:
            self.told.append((rank, reading.object_id, is_set_aside, reading.notes))

    def add(self, other: "Tally") -> None:
        """Takes over what another counted."""
        self.objects_read += other.objects_read
        self.objects_set_aside += other.objects_set_aside
        self.classes += other.classes
        self.told += other.told

    def report(self) -> dict:
        """Returns the counts and, by object, every note.

        Raises:
            ValueError: if objects were read but not one of them became a record.
        """
        set_aside, mended = collections.defaultdict(list), {}
        for _, object_id, is_set_aside, notes in sorted(self.told):
            if is_set_aside:  # two objects of one name may both be
                set_aside[object_id] += notes
            else:
                mended[object_id] = list(notes)
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
            "mended": mended,
        }


def records_of(
    readings: Iterable[Reading],
    *,
    report: epath.PathLike | None,
    tally: Tally | None = None,
) -> Iterator[Record]:
    """Yields the records; at the end counts and names what was set aside or mended.

    Args:
        readings: one per object, as a builder's `read` yields them. An object that
            was read before is set aside.
        report: a JSON file for the counts and, by object, every note; None for the
            log alone. Raw bytes of what was set aside go to a folder beside it, named
            by their sha256.
        tally: receives the counts and notes, for a caller that wants them itself.

    Raises:
        ValueError: if objects were read but not one of them became a record.
    """
    tally, seen = tally or Tally(), set()
    for number, reading in enumerate(readings):
        if reading.record is not None and reading.object_id in seen:
            reading = without_record(reading, "it was read before")
        tally.count(reading, number)
        if reading.record is None:
            _tell(reading, tally.objects_set_aside)
            keep_raw(reading, report)
        else:
            seen.add(reading.object_id)
            yield reading.record
    found = tally.report()
    logging.info(
        "%d objects read, %d set aside, %d mended.",
        *(found["objects_read"], found["objects_set_aside"], len(found["mended"])),
    )
    write_report(found, report)


def without_record(reading: Reading, reason: str) -> Reading:
    """Returns the reading of an object whose name another has, set aside."""
    note = f"Object {reading.object_id}: {reason}, its name occurs twice. Rename it."
    return reading._replace(record=None, notes=(note,))


def write_report(found: dict, report: epath.PathLike | None) -> None:
    """Writes the counts and notes as JSON."""
    if report is not None:
        epath.Path(report).write_text(json.dumps(found, indent=1))


def keep_raw(reading: Reading, report: epath.PathLike | None) -> None:
    """Keeps the bytes of what was set aside in a folder named like the report."""
    if reading.raw and report is not None:
        folder = epath.Path(report).with_suffix("")
        folder.mkdir(exist_ok=True)
        (folder / hashlib.sha256(reading.raw).hexdigest()).write_bytes(reading.raw)


def _tell(reading: Reading, number: int) -> None:
    if number <= FIRST_FEW:
        logging.warning("Set aside: %s", printable(" ".join(reading.notes)))
    elif number == FIRST_FEW + 1:
        logging.warning("Set aside: more than %d objects ...", FIRST_FEW)
