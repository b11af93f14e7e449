"""Alerts of the Zwicky Transient Facility: stamps, metadata and history of each object.

The reader was tested on 223 real packets of schemas 1 to 4.01 in 54 files, in the
formats of ZTF and three brokers: single packets, containers of many, nights in tar.gz.
Data card: ztf_alerts.md.
"""

import collections
import functools
import itertools
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from data_builders.engine.builder import SurveyBuilder
from data_builders.engine.file_groups import group_files
from data_builders.engine.gather import gather_packets
from data_builders.engine.raw import find_raw
from jaxastro.alerts.archive import (
    Found,
    alert_files,
    containers_in,
    containers_of,
)
from jaxastro.alerts.avro import Reader, reader_of
from jaxastro.alerts.container import read_packets
from jaxastro.alerts.ztf import make_ztf_record, packet_reader, read_packet
from jaxastro.data.record import Reading
from jaxastro.data.sky import sky_groups
from jaxastro.data.text_table import Row, rows_of
from jaxastro.errors import InputError, MissingFileError, RecordError
from jaxastro.surveys import SURVEYS, UNLABELLED

SURVEY = SURVEYS["ztf_alerts"]
LABELS = "labels.csv"  # in the folder of the alerts, with object_id and label
POSITION = {"objectId": True, "candidate": {"ra": True, "dec": True}}
MAX_FAILED = 1000  # failed minus read packets of a container, after which to stop


class Part(NamedTuple):
    """Some files of alerts, and facts of all files together."""

    folder: Path  # messages have paths relative to it
    files: tuple[Path, ...]
    labels: dict[str, str]
    clusters: dict[str, str]  # object -> group, of objects with a close neighbour


class ZtfAlerts(SurveyBuilder):
    """Alert packets of ZTF's stream, grouped by object."""

    SURVEY = SURVEY
    DESCRIPTION = "Alerts of the Zwicky Transient Facility, by object."
    HOMEPAGE = "https://ztf.uw.edu/alerts/public"

    def parts(self, manual_dir: Path | None) -> list[Part]:
        """Returns the files of the folder, in groups."""
        folder = find_raw(
            "",
            survey="ztf_alerts",
            manual_dir=manual_dir,
            source="ztf.uw.edu/alerts/public, one file per night, or an alert broker",
        )
        return parts_of(folder)

    def read_part(self, part: Part) -> Iterator[Reading | tuple]:
        """Yields the name of an object and a packet, or a Reading if it has a fault."""
        return read_part(part)

    def assemble(self, object_id: str, packets: list) -> Reading:
        """Returns the object of these packets."""
        return assemble(object_id, packets)


def read(path: Path) -> Iterator[Reading]:
    """Yields the objects whose alerts are in a file, or in a folder at any depth."""
    items = itertools.chain.from_iterable(map(read_part, parts_of(Path(path))))
    return gather_packets(items, assemble)


def read_each(path: Path, stream: BinaryIO | None = None) -> Iterator[Reading]:
    """Yields one Reading per alert, in the order of the files; nothing is kept.

    The object_id of a Reading is the number of the alert; that of its record is the
    name of the object.

    Args:
        path: a file or a folder; not used if there is a stream.
        stream: Avro containers, or tar or gzip files of them, read to the end.
    """
    if stream is not None:
        found = containers_of(stream, "standard input")
    else:
        found = itertools.chain.from_iterable(
            containers_in(file, file.name) for file in alert_files(Path(path))
        )
    decode = functools.partial(read_packet, survey=SURVEY)
    for where, packet, raw in _packets_of(found, packet_reader, decode):
        if isinstance(packet, RecordError):
            note = f"Alert {where}: {packet} Download it again, or remove it."
            yield Reading(where, None, (note,), raw)
        else:
            one = assemble(packet.object_id, [(None, packet.object_id, packet)])
            yield one._replace(object_id=str(packet.alert.alert_id))


def recognises(path: Path) -> bool:
    """Returns whether a path is a file of ZTF alerts, or a folder with such a file."""
    try:
        files = itertools.islice(alert_files(Path(path)), 20)
        return any(_is_ztf(file) for file in files)
    # A file of another format may raise any error.
    except Exception:  # noqa: BLE001
        return False


def parts_of(path: Path) -> list[Part]:
    """Returns the files of alerts at a path, in groups, with labels and clusters.

    Raises:
        MissingFileError: if there are none.
        InputError: if the table of labels has a fault.
    """
    folder = path if path.is_dir() else path.parent
    files = list(alert_files(path)) if path.exists() else []
    if not files:
        raise MissingFileError(
            f"No alerts at {path}. ZTF alerts are Avro files, single or in a tar.gz of "
            "a night. Give a file or a folder of files."
        )
    labels, clusters = _labels(folder / LABELS), _clusters(folder, files)
    return [Part(folder, group, labels, clusters) for group in group_files(files)]


def read_part(part: Part) -> Iterator[Reading | tuple[str, tuple]]:
    """Yields the name of an object with label, group and packet, or a Reading."""
    decode = functools.partial(read_packet, survey=SURVEY)
    for where, packet, raw in _packets(part.folder, part.files, packet_reader, decode):
        if isinstance(packet, RecordError):
            note = f"Alert {where}: {packet} Download it again, or remove it."
            yield Reading(where, None, (note,), raw)
        else:
            name = packet.object_id
            yield name, (part.labels.get(name), part.clusters.get(name), packet)


def assemble(object_id: str, packets: list[tuple]) -> Reading:
    """Returns the object of these packets, with their label and group."""
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


@functools.lru_cache(maxsize=16)
def _position_reader(schema: bytes) -> Reader:
    return reader_of(schema, POSITION)


def _packets(folder: Path, files, reader, decode) -> Iterator[tuple]:
    """Yields place, decoded packet or error, and bytes of each packet in some files."""
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
                message = f"{failed} more failed than were read: the rest was not read."
                yield found.name, RecordError(message), b""
                break


def _clusters(folder: Path, files: list[Path]) -> dict[str, str]:
    """Returns object -> group, of the objects with a close neighbour."""
    positions = {}
    for _, found, _ in _packets(folder, files, _position_reader, _position):
        if not isinstance(found, RecordError):
            positions.setdefault(found[0], found[1:])
    groups = sky_groups(*zip(*positions.values(), strict=True)) if positions else []
    members = collections.Counter(groups)
    named = zip(positions, groups, strict=True)
    return {name: group for name, group in named if members[group] > 1}


def _position(packet: dict) -> tuple[str, float, float]:
    name, candidate = packet.get("objectId"), packet.get("candidate") or {}
    ra, dec = candidate.get("ra"), candidate.get("dec")
    if not (isinstance(name, str) and isinstance(ra, float) and isinstance(dec, float)):
        raise RecordError("no position.")
    return name, ra, dec


def _is_ztf(file: Path) -> bool:
    for found in itertools.islice(containers_in(file, file.name), 3):
        if found.stream is not None:
            for packet in itertools.islice(
                read_packets(found.stream, packet_reader), 1
            ):
                return bool(packet.row) and {"objectId", "candid"} <= packet.row.keys()
    return False


def _labels(file: Path) -> dict[str, str]:
    """Returns object -> class from the table of labels, {} if there is none."""
    if not file.exists():
        return {}
    labels = {}
    try:
        with file.open(newline="", encoding="utf-8") as table:
            rows = rows_of(table)
            header = next(rows, Row(0, [])).cells
            for row in rows:
                cells = dict(zip(header, row.cells, strict=False))
                name, label = cells["object_id"], cells["label"]
                if label not in (*SURVEY.classes, UNLABELLED):
                    raise InputError(f"{name} has the label {label!r}")
                if labels.setdefault(name, label) != label:
                    raise InputError(f"{name} is both {labels[name]} and {label}")
    except (ValueError, KeyError) as error:
        raise InputError(
            f"{file}: {error!s}. One row per object is expected, with the columns "
            f"object_id and label, one of {', '.join(SURVEY.classes)}. Correct it."
        ) from error
    return labels
