"""Alerts of the Vera C. Rubin Observatory: stamps, metadata and history of objects.

The reader was tested on 75 real alerts of schemas 7.1 and 10.0, as Parquet of a broker
and as messages written from it with the public schemas, and on Rubin's sample packets
of schemas 7.4 to 11.0. Data card: rubin_alerts.md.
"""

import collections
import functools
import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow
import pyarrow.parquet
from pyarrow import types

from data_builders.engine.builder import SurveyBuilder
from data_builders.engine.file_groups import group_files
from data_builders.engine.gather import gather_packets
from data_builders.engine.raw import find_raw
from data_builders.rubin.rubin_schemas import Schemas, schemas_for
from jaxastro.alerts import rubin
from jaxastro.alerts.archive import containers_in
from jaxastro.alerts.container import read_packets
from jaxastro.data.record import Reading
from jaxastro.data.sky import sky_groups
from jaxastro.errors import InputError, MissingFileError, RecordError
from jaxastro.surveys import SURVEYS

SCHEMA_FOLDER = "schema"  # in the folder of the alerts or above; it has no alerts
NO_ALERTS = {".avsc", ".csv", ".json", ".md", ".txt"}  # suffixes of other files
PARQUET = b"PAR1"  # the first bytes of such a file
MAX_MESSAGE = 2**26  # bytes; a real one has 0.1 MB
ROWS_AT_ONCE = 32
NEARBY = 2.0  # arcsec


class Part(NamedTuple):
    """Some files of alerts, and facts of all files together."""

    folder: Path
    files: tuple[Path, ...]
    schema_folders: tuple[Path, ...]
    clusters: dict[str, str]  # object -> group, of objects with a close neighbour


class Found(NamedTuple):
    """One packet, or the reason why it cannot be read."""

    where: str
    packet: dict | None
    raw: bytes = b""  # empty for rows of a table
    reason: str = ""


class RubinAlerts(SurveyBuilder):
    """Alert packets of Rubin's stream, grouped by object."""

    SURVEY = SURVEYS["rubin_alerts"]
    DESCRIPTION = "Alerts of the Rubin Observatory: stamps, metadata and history."
    HOMEPAGE = "https://rubinobservatory.org/for-scientists/data-products/alerts"

    def parts(self, manual_dir: Path | None) -> list[Part]:
        """Returns the files of the folder, in groups."""
        folder = find_raw(
            "",
            survey="rubin_alerts",
            manual_dir=manual_dir,
            source="Rubin's alert brokers, and the archive of its alerts",
        )
        if not recognises(folder):  # it may have alerts of another survey
            raise _no_alerts(folder)
        return parts_of(folder)

    def read_part(self, part: Part) -> Iterator[Reading | tuple[str, tuple]]:
        """Yields the name of an object and a packet, or a Reading if it has a fault."""
        return read_part(part)

    def assemble(self, object_id: str, packets: list) -> Reading:
        """Returns the object of these packets."""
        return assemble(object_id, packets)


def read(path: Path) -> Iterator[Reading]:
    """Yields the objects whose alerts are in a file, or in a folder at any depth."""
    items = itertools.chain.from_iterable(map(read_part, parts_of(Path(path))))
    return gather_packets(items, assemble)


def recognises(path: Path) -> bool:
    """Returns whether a path is a file of Rubin alerts, or a folder with such a file.

    Of a folder, only the first files are tested.
    """
    try:
        return any(map(_is_of_rubin, itertools.islice(_files(Path(path)), 20)))
    # A file of another format may raise any error.
    except Exception:  # noqa: BLE001
        return False


def parts_of(path: Path) -> list[Part]:
    """Returns the files of alerts at a path, in groups, with clusters of objects.

    Raises:
        MissingFileError: if there are none.
    """
    files = list(_files(path))
    if not files:
        raise _no_alerts(path)
    here = path if path.is_dir() else path.parent
    folders = (here / SCHEMA_FOLDER, here.parent / SCHEMA_FOLDER)
    folders = tuple(folder for folder in folders if folder.is_dir())
    clusters = _clusters(files, schemas_for(folders))
    return [Part(here, group, folders, clusters) for group in group_files(files)]


def read_part(part: Part) -> Iterator[Reading | tuple[str, tuple]]:
    """Yields the name of an object with its group and a packet, or a Reading."""
    schemas = schemas_for(part.schema_folders)
    for file in part.files:
        name = file.relative_to(part.folder).as_posix()
        for found in _packets(file, name, schemas):
            try:
                if found.packet is None:
                    raise RecordError(found.reason)
                packet = rubin.read_packet(found.packet)
            except RecordError as error:
                note = f"Alert {found.where}: {error}"
                yield Reading(found.where, None, (note,), found.raw)
            else:
                yield packet.object_id, (part.clusters.get(packet.object_id), packet)


def assemble(object_id: str, packets: list[tuple]) -> Reading:
    """Returns the object of these packets, each with its group."""
    group, first = packets[0]
    if group is None and not first.moves and math.isfinite(first.ra + first.dec):
        (group,) = sky_groups([first.ra], [first.dec])
    try:
        record, notes = rubin.make_rubin_record(
            object_id, [packet for _, packet in packets], group=group or ""
        )
    except RecordError as error:
        return Reading(object_id, None, (str(error),))
    return Reading(object_id, record, notes)


def _no_alerts(path: Path) -> MissingFileError:
    return MissingFileError(
        f"No alerts at {path}. Rubin alerts are files of one message each, Avro "
        "containers, or Parquet. Give such a file, or a folder of files."
    )


def _clusters(files: list[Path], schemas: Schemas) -> dict[str, str]:
    """Returns object -> group, of the objects with a close neighbour."""
    positions = {}
    for file in files:
        for found in _packets(file, file.name, schemas, position_only=True):
            object_id, moves, *position = _position_of(found)
            if object_id and not moves:
                positions.setdefault(object_id, position)
    if not positions:
        return {}
    groups = sky_groups(*zip(*positions.values(), strict=True), radius=NEARBY)
    size = collections.Counter(groups)
    return {o: g for o, g in zip(positions, groups, strict=True) if size[g] > 1}


def _position_of(found: Found) -> tuple[str, bool, float, float]:
    try:
        return rubin.position_of(found.packet or {})
    except RecordError:
        return "", False, math.nan, math.nan  # reported when the packet is read


def _files(path: Path) -> Iterator[Path]:
    """Yields the files that may have alerts, in the order of their names."""
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        names = file.relative_to(path).parts
        is_ignored = SCHEMA_FOLDER in names or any(name[0] == "." for name in names)
        if file.is_file() and not is_ignored and file.suffix not in NO_ALERTS:
            yield file


def _is_of_rubin(file: Path) -> bool:
    with file.open("rb") as opened:
        start = opened.read(16)
    if start.startswith(PARQUET):
        return "diaSource" in pyarrow.parquet.read_schema(file).names
    if rubin.schema_id_of(start) is not None:
        return True
    found = itertools.islice(
        _packets(file, file.name, Schemas(), position_only=True), 3
    )
    return any(_position_of(one)[0] for one in found)


def _packets(
    file: Path, name: str, schemas: Schemas, *, position_only: bool = False
) -> Iterator[Found]:
    """Yields the packets of a file, with the fields that are used."""
    with file.open("rb") as opened:
        start = opened.read(16)
    if start.startswith(PARQUET):
        yield from _rows_of_table(file, name, position_only)
    elif rubin.schema_id_of(start) is not None:
        yield _message(file, name, schemas, position_only)
    else:
        read = functools.partial(rubin.packet_reader, position_only=position_only)
        for container in containers_in(file, name):
            if container.stream is None:
                yield Found(container.name, None, reason=container.reason)
                continue
            for packet in read_packets(container.stream, read):
                where = f"{container.name}@{packet.where}"
                yield Found(where, packet.row, packet.raw, packet.reason)


def _message(file: Path, name: str, schemas: Schemas, position_only: bool) -> Found:
    with file.open("rb") as opened:
        raw = opened.read(MAX_MESSAGE)
    try:
        schema = schemas.find(rubin.schema_id_of(raw))
        read = rubin.packet_reader(schema, position_only=position_only)
        return Found(name, rubin.decode(raw, read), raw)
    except RecordError as error:
        return Found(name, None, raw, str(error))


def _rows_of_table(file: Path, name: str, position_only: bool) -> Iterator[Found]:
    """Yields the rows of a Parquet file, whose nested columns are fields of packets."""
    wanted, number = rubin.POSITION if position_only else rubin.PACKET, 0
    try:
        with pyarrow.parquet.ParquetFile(file) as table:
            _check_kinds(table.schema_arrow, wanted)
            leaves = [table.schema.column(i).path for i in range(len(table.schema))]
            columns = [leaf for leaf in leaves if _is_wanted(leaf.split("."), wanted)]
            for batch in table.iter_batches(ROWS_AT_ONCE, columns=columns):
                for row in batch.to_pylist():
                    yield Found(f"{name}@{number}", row)
                    number += 1
    except (OSError, ValueError) as error:  # raised by pyarrow
        reason = f"the rest of the table cannot be read: {error}. Download it again."
        yield Found(f"{name}@{number}", None, reason=reason)


def _check_kinds(schema: pyarrow.Schema, wanted: dict) -> None:
    kinds = {
        bool: (types.is_null, types.is_binary, types.is_large_binary),
        dict: (types.is_null, types.is_struct),
        list: (types.is_null, types.is_list, types.is_large_list),
    }
    for name in {*schema.names} & {*wanted}:
        kind = schema.field(name).type
        if not any(is_one(kind) for is_one in kinds[type(wanted[name])]):
            raise InputError(f"its column {name} has the type {kind}"[:200])


def _is_wanted(leaf: list[str], wanted: dict) -> bool:
    """Returns whether a column, such as prvDiaSources.list.element.psfFlux, is used."""
    fields = wanted.get(leaf[0], ())
    fields = fields[0] if isinstance(fields, list) else fields
    return fields is True or leaf[-1] in fields
