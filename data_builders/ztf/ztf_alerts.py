"""Alerts of the Zwicky Transient Facility: stamps, metadata and history of each object.

Read on 223 real packets of schemas 1 to 4.01 in 54 files, as ZTF and three brokers
publish them: single packets, containers of many, nights in tar.gz. The data card, with
the traps of these alerts, is ztf_alerts.md.
"""

import collections
import csv
import functools
import itertools
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from data_builders.engine.builder import SurveyBuilder
from data_builders.engine.gather import whole_readings
from data_builders.engine.raw import find_raw
from jaxastro.alerts.archive import (
    Found,
    alert_files,
    containers_in,
    containers_of,
)
from jaxastro.alerts.avro import Reader, reader_of
from jaxastro.alerts.container import read_packets
from jaxastro.alerts.ztf import make_ztf_record, read_packet, wanted_fields
from jaxastro.data.record import Reading
from jaxastro.data.sky import sky_groups
from jaxastro.errors import InputError, MissingFileError, RecordError
from jaxastro.surveys import SURVEYS, UNLABELLED

SURVEY = SURVEYS["ztf_alerts"]
LABELS = "labels.csv"  # beside the alerts: object_id, label
WANTED = wanted_fields(SURVEY)
PLACE = {"objectId": True, "candidate": {"ra": True, "dec": True}}
MAX_FAILED = 1000  # packets of a container, beyond those read: no file of alerts
PART_BYTES = 2**26  # files are gathered to parts of this size; a larger one is alone


class Part(NamedTuple):
    """Some files of alerts, and what is known of all files together."""

    folder: Path  # messages name files as seen from here
    files: tuple[Path, ...]
    labels: dict[str, str]
    clusters: dict[str, str]  # object -> group, of those that have a neighbour


class ZtfAlerts(SurveyBuilder):
    """Alert packets of ZTF's stream, gathered by object."""

    SURVEY = SURVEY
    DESCRIPTION = "Alerts of the Zwicky Transient Facility, by object."
    HOMEPAGE = "https://ztf.uw.edu/alerts/public"

    def parts(self, manual_dir: Path | None) -> list[Part]:
        """Returns the files of the folder, some to a part."""
        folder = find_raw(
            "",
            survey="ztf_alerts",
            manual_dir=manual_dir,
            source="ztf.uw.edu/alerts/public, a night to a file, or an alert broker",
        )
        return parts_of(folder)

    def read_part(self, part: Part) -> Iterator[Reading | tuple]:
        """Yields an object's name and a packet, or what was set aside."""
        return read_part(part)

    def assemble(self, object_id: str, packets: list) -> Reading:
        """Returns the object that has these packets."""
        return assemble(object_id, packets)


def read(path: Path) -> Iterator[Reading]:
    """Yields the objects whose alerts lie in a file, or anywhere in a folder."""
    things = itertools.chain.from_iterable(map(read_part, parts_of(Path(path))))
    return whole_readings(things, assemble)


def read_each(path: Path, stream: BinaryIO | None = None) -> Iterator[Reading]:
    """Yields each alert by itself, as they come; nothing is gathered or kept.

    The name of a reading is the alert's number, that of its record the object's.

    Args:
        path: a file, or a folder with some; of no use where there is a stream.
        stream: a container, tar or gzip of them, read to its end.
    """
    if stream is not None:
        found = containers_of(stream, "standard input")
    else:
        found = itertools.chain.from_iterable(
            containers_in(file, file.name) for file in alert_files(Path(path))
        )
    decode = functools.partial(read_packet, survey=SURVEY)
    for where, packet, raw in _packets_of(found, full_reader, decode):
        if isinstance(packet, RecordError):
            note = f"Alert {where}: {packet} Fetch it again, or leave it out."
            yield Reading(where, None, (note,), raw)
        else:
            one = assemble(packet.object_id, [(None, packet.object_id, packet)])
            yield one._replace(object_id=str(packet.alert.alert_id))


def recognises(path: Path) -> bool:
    """Says whether this is a file of ZTF's alerts, or a folder with one in it."""
    try:
        files = itertools.islice(alert_files(Path(path)), 20)
        return any(_is_ztf(file) for file in files)
    # Asked of every raw file there is, so whatever ails this one is no answer.
    except Exception:  # noqa: BLE001
        return False


def parts_of(path: Path) -> list[Part]:
    """Returns the files of alerts at a path, with the groups of close neighbours.

    Raises:
        FileNotFoundError: if there are none.
        ValueError: if the table of labels beside them cannot be used.
    """
    folder = path if path.is_dir() else path.parent
    files = list(alert_files(path)) if path.exists() else []
    if not files:
        raise MissingFileError(
            f"No alerts at {path}. ZTF's are Avro files, alone or in a tar.gz of a "
            "night. Name the file, or a folder with some."
        )
    labels, clusters = _labels(folder / LABELS), _clusters(folder, files)
    parts, size = [[]], 0
    for file in files:
        size += file.stat().st_size
        if parts[-1] and size > PART_BYTES:
            parts, size = [*parts, []], file.stat().st_size
        parts[-1].append(file)
    return [Part(folder, tuple(part), labels, clusters) for part in parts]


def read_part(part: Part) -> Iterator[Reading | tuple[str, tuple]]:
    """Yields an object's name with its label, group and a packet, or what failed."""
    decode = functools.partial(read_packet, survey=SURVEY)
    for where, packet, raw in _packets(part.folder, part.files, full_reader, decode):
        if isinstance(packet, RecordError):
            note = f"Alert {where}: {packet} Fetch it again, or leave it out."
            yield Reading(where, None, (note,), raw)
        else:
            name = packet.object_id
            yield name, (part.labels.get(name), part.clusters.get(name), packet)


def assemble(object_id: str, packets: list[tuple]) -> Reading:
    """Returns the object that has these packets, with their label and group."""
    label, group, first = packets[0]
    if group is None and math.isfinite(first.ra + first.dec):
        (group,) = sky_groups([first.ra], [first.dec])
    try:
        record, notes = make_ztf_record(
            object_id,
            SURVEY,
            [packet for _, _, packet in packets],
            label=label or UNLABELLED,
            group=group or "",
        )
    except RecordError as error:
        return Reading(object_id, None, (str(error),))
    return Reading(object_id, record, notes)


@functools.lru_cache(maxsize=16)  # a night has one schema, a folder a few
def full_reader(schema: bytes) -> Reader:
    """Returns what reads a record's fields from packets of a schema."""
    return reader_of(schema, WANTED)


@functools.lru_cache(maxsize=16)
def _place_reader(schema: bytes) -> Reader:
    return reader_of(schema, PLACE)


def _packets(folder: Path, files, reader, decode) -> Iterator[tuple]:
    """Yields where each packet lies, what decode makes of it or why not, its bytes."""
    found = itertools.chain.from_iterable(
        containers_in(file, file.relative_to(folder).as_posix()) for file in files
    )
    return _packets_of(found, reader, decode)


def _packets_of(containers: Iterable[Found], reader, decode) -> Iterator[tuple]:
    for found in containers:
        if found.stream is None:
            yield found.name, RecordError(found.reason), b""
            continue
        failed = 0
        for packet in read_packets(found.stream, reader):
            where = f"{found.name}@{packet.where}"
            try:
                if packet.row is None:
                    raise RecordError(packet.reason)
                decoded = decode(packet.row)
            except RecordError as error:
                failed += 1
                candid = (packet.row or {}).get("candid")
                where += f" (candid {candid})" if isinstance(candid, int) else ""
                yield where, error, packet.raw
            else:
                failed -= 1
                yield where, decoded, packet.raw
            if failed == MAX_FAILED:
                left = (
                    f"{failed} more failed than were read: what follows was not read."
                )
                yield found.name, RecordError(left), b""
                break


def _clusters(folder: Path, files: list[Path]) -> dict[str, str]:
    """Returns object -> group, of the objects that have another within reach."""
    places = {}
    for _, found, _ in _packets(folder, files, _place_reader, _place):
        if not isinstance(found, RecordError):
            places.setdefault(found[0], found[1:])
    groups = sky_groups(*zip(*places.values(), strict=True)) if places else []
    members = collections.Counter(groups)
    named = zip(places, groups, strict=True)
    return {name: group for name, group in named if members[group] > 1}


def _place(packet: dict) -> tuple[str, float, float]:
    name, place = packet.get("objectId"), packet.get("candidate") or {}
    ra, dec = place.get("ra"), place.get("dec")
    if not (isinstance(name, str) and isinstance(ra, float) and isinstance(dec, float)):
        raise RecordError("no place.")
    return name, ra, dec


def _is_ztf(file: Path) -> bool:
    for found in itertools.islice(containers_in(file, file.name), 3):
        if found.stream is not None:
            for packet in itertools.islice(read_packets(found.stream, full_reader), 1):
                return bool(packet.row) and {"objectId", "candid"} <= packet.row.keys()
    return False


def _labels(file: Path) -> dict[str, str]:
    """Returns object -> class from the table of labels; empty if there is none."""
    if not file.exists():
        return {}
    labels = {}
    try:
        with file.open(newline="", encoding="utf-8") as table:
            for row in csv.DictReader(table):
                name, label = row["object_id"], row["label"]
                if label not in (*SURVEY.classes, UNLABELLED):
                    raise InputError(f"{name} has the label {label!r}")
                if labels.setdefault(name, label) != label:
                    raise InputError(f"{name} is both {labels[name]} and {label}")
    except (ValueError, KeyError, csv.Error) as error:
        raise InputError(
            f"{file}: {error!s}. A row for each object was expected, with the columns "
            f"object_id and label, one of {', '.join(SURVEY.classes)}. Mend the table."
        ) from error
    return labels
