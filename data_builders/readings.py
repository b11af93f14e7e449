"""From what a reader yields to records, losing no object in silence."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from absl import logging

from jaxastro.data.record import Reading, Record


def records_of(readings: Iterable[Reading], *, report: Path | None) -> Iterator[Record]:
    """Yields the records; at the end counts and names what was set aside or mended.

    Args:
        readings: one per object, as a builder's `read` yields them. An object that
            was read before is set aside.
        report: a JSON file for the counts and, by object, every note; None for the
            log alone. Raw bytes of what was set aside go to a folder beside it, named
            by their sha256.

    Raises:
        ValueError: if objects were read but not one of them became a record.
    """
    num_read, set_aside, mended, seen = 0, {}, {}, set()
    for reading in readings:
        num_read += 1
        if reading.record is not None and reading.object_id in seen:
            twice = f"Object {reading.object_id} was read before: its name occurs twice"
            reading = reading._replace(record=None, notes=(f"{twice}. Rename it.",))
        if reading.record is not None:
            seen.add(reading.object_id)
            if reading.notes:
                mended[reading.object_id] = list(reading.notes)
            yield reading.record
        else:
            # A list: two objects of one name may both be set aside.
            set_aside.setdefault(reading.object_id, []).extend(reading.notes)
            logging.warning("Set aside: %s", " ".join(reading.notes))
            if reading.raw and report is not None:
                _keep(reading.raw, report.with_suffix(""))
    count = sum(map(len, set_aside.values()))
    logging.info(
        "%d objects read, %d set aside, %d mended.", num_read, count, len(mended)
    )
    if report is not None:
        found = {"objects_read": num_read, "set_aside": set_aside, "mended": mended}
        report.write_text(json.dumps(found, indent=1))
    if set_aside and count == num_read:
        first = next(iter(set_aside.values()))[0]
        raise ValueError(
            f"None of {num_read} objects could be read. The first: {first}"
        )


def _keep(raw: bytes, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / hashlib.sha256(raw).hexdigest()).write_bytes(raw)
