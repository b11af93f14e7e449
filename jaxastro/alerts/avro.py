"""Reads selected fields of Avro data: fast, and with limits on memory and time.

An alert has a thousand numbers, of which a record uses about a tenth; most time of a
general reader is spent on Python objects for the others. Adjacent fields of simple
types are matched by one regular expression, which captures only the selected fields.

The schema comes with the file and is as untrusted as the data: no code in it is run,
and its size, depth and number of fields are limited. Every pattern advances or fails,
and no type can take zero bytes without end, so time and memory are proportional to the
input.
"""

import json
import re
import struct
from collections.abc import Callable
from typing import NamedTuple

from jaxastro.errors import RecordError

MAX_SCHEMA = 2**20  # bytes; ZTF's has 20 to 40 kB
MAX_DEPTH = 32  # of types within types
MAX_FIELDS = 5000  # of a schema, with each use of a named type counted
MAX_ITEMS = 10_000  # of a selected array, such as a history

Reader = Callable[[bytes, int], tuple]  # (data, start) -> (value, end)


class _Simple(NamedTuple):
    """A type that a regular expression can match."""

    pattern: bytes
    convert: Callable  # from the bytes to the value


_VARINT = rb"[\x80-\xff]{0,9}+[\x00-\x7f]"  # 10 bytes are enough for 64 bits


_MATCH_VARINT = re.compile(_VARINT).match


def _unzigzag(raw: bytes) -> int:
    n = 0
    for byte in reversed(raw):
        n = n << 7 | byte & 127
    return (n >> 1) ^ -(n & 1)


def _unpack(code: str) -> Callable:
    unpack = struct.Struct(code).unpack
    return lambda raw: unpack(raw)[0]


_SIMPLE = {
    "null": _Simple(b"", lambda raw: None),
    "boolean": _Simple(rb"[\x00\x01]", lambda raw: raw == b"\x01"),
    "int": _Simple(_VARINT, _unzigzag),
    "long": _Simple(_VARINT, _unzigzag),
    "float": _Simple(rb".{4}", _unpack("<f")),
    "double": _Simple(rb".{8}", _unpack("<d")),
}


def reader_of(schema: bytes, wanted: dict) -> Reader:
    """Returns read(data, start) -> (dict of the selected fields, end of the datum).

    A selected field that the schema does not have is not in the dict. Reading raises
    RecordError if the data do not follow the schema.

    Args:
        schema: of a record, as JSON.
        wanted: field -> True for a number, text or bytes; a dict like this one for a
            record, a list of one such dict for an array of records. Each may be null.

    Raises:
        RecordError: if it is no schema, exceeds the limits above, or a selected field
            has another type.
    """
    if len(schema) > MAX_SCHEMA:
        raise RecordError(f"a schema of {len(schema)} bytes; at most {MAX_SCHEMA}.")
    try:
        read = _as_reader(_Schema().compiled(json.loads(schema), wanted, "", 0))
    except RecordError:
        raise
    # Any JSON is possible here, and invalid schemas raise many types of error.
    except Exception as error:
        raise RecordError(f"no Avro schema: {error!r:.200}.") from error

    def read_datum(data: bytes, at: int) -> tuple:
        try:
            row, end = read(data, at)
            return row or {}, end
        except (LookupError, UnicodeDecodeError) as error:
            raise RecordError(
                f"data are incomplete or invalid: {error!r:.200}."
            ) from error

    return read_datum


class _Schema:
    """Compiles a schema, part by part, into patterns and readers."""

    def __init__(self):
        self.named, self.fields = {}, 0

    def compiled(self, node, wanted, space: str, depth: int) -> _Simple | Reader:
        """Returns the reader of a type; without selected fields, it skips the value."""
        self.fields += 1
        if depth > MAX_DEPTH or self.fields > MAX_FIELDS:
            raise RecordError(
                f"a schema deeper than {MAX_DEPTH} types, one that contains itself, or "
                f"of more than {MAX_FIELDS} fields."
            )
        if isinstance(node, list):
            return self._union(node, wanted, space, depth)
        if isinstance(node, str):
            if node in _SIMPLE or node in ("string", "bytes"):
                return self._plain(node, wanted)
            name = node if "." in node else f"{space}.{node}"
            space, node = self.named[name if name in self.named else f".{node}"]
        kind = node["type"]
        if kind in ("record", "enum", "fixed", "error"):
            space = self._define(node, space)
        if kind in ("record", "error"):
            return self._record(node["fields"], wanted, space, depth)
        if kind in ("enum", "fixed"):
            _expect(wanted, (), kind)
            if kind == "enum":
                return _Simple(_VARINT, len)
            if not 0 <= node["size"] <= MAX_SCHEMA:
                raise RecordError(f"a type of fixed size {node['size']!r:.50}.")
            return _Simple(b".{%d}" % node["size"], len)
        if kind == "array":
            _expect(wanted, list, kind)
            kept = wanted[0] if wanted else None
            return _array(self.compiled(node["items"], kept, space, depth + 1), kept)
        if kind == "map":
            pair = ("", "string"), ("", node["values"])
            fields = [{"name": name, "type": of_type} for name, of_type in pair]
            _expect(wanted, (), kind)
            return _array(self._record(fields, None, space, depth + 1), None)
        return self.compiled(kind, wanted, space, depth + 1)  # {"type": "long", ...}

    def _define(self, node: dict, space: str) -> str:
        """Stores a named type; returns the name space inside it."""
        name = node["name"]
        space = name.rpartition(".")[0] or node.get("namespace", space)
        self.named[f"{space}.{name.rpartition('.')[2]}"] = space, node
        return space

    def _plain(self, kind: str, wanted) -> _Simple | Reader:
        _expect(wanted, bool, kind)
        if kind == "string":
            return _read_text if wanted else _skip_bytes
        if kind == "bytes":
            return _read_bytes if wanted else _skip_bytes
        pattern, convert = _SIMPLE[kind]
        return _Simple(b"(%s)" % pattern if wanted else pattern, convert)

    def _union(self, node: list, wanted, space: str, depth: int) -> _Simple | Reader:
        if len(node) > 64:  # then the number of a branch is one byte
            raise RecordError(f"a union of {len(node)} types; at most 64.")
        branches = [
            _SIMPLE["null"]
            if branch == "null"
            else self.compiled(branch, wanted, space, depth + 1)
            for branch in node
        ]
        real = [i for i, branch in enumerate(node) if branch != "null"]
        simple = all(isinstance(how, _Simple) for how in branches)
        if simple and (not wanted or len(real) == 1):
            marked = [rb"\x%02x" % (2 * i) + how[0] for i, how in enumerate(branches)]
            convert = branches[real[0] if real else 0].convert
            return _Simple(b"(?>%s)" % b"|".join(marked), convert)
        readers = {2 * i: _as_reader(how) for i, how in enumerate(branches)}
        return lambda data, at: readers[data[at]](data, at + 1)

    def _record(self, fields: list, wanted, space: str, depth: int):
        _expect(wanted, dict, "record")
        steps, run, kept = [], [], []  # a run of simple types, and its captured fields

        def close_run():
            if run:
                match = re.compile(b"".join(run), re.DOTALL).match
                steps.append((match, tuple(kept), None))
                run.clear()
                kept.clear()

        for field in fields:
            name = field["name"]
            want = wanted.get(name) if wanted else None
            how = self.compiled(field["type"], want, space, depth + 1)
            if isinstance(how, _Simple):
                run.append(how.pattern)
                kept.extend([(name, how.convert)] if want else [])
            else:
                close_run()
                steps.append((None, name if want else None, how))
        if not steps and not wanted:
            return _Simple(b"".join(run), len)
        close_run()
        return _record_reader(steps)


def _record_reader(steps: list) -> Reader:
    def read_record(data, at):
        row = {}
        for match, kept, read in steps:
            if match:
                found = match(data, at)
                if found is None:
                    raise RecordError(f"data do not follow the schema at byte {at}.")
                at = found.end()
                if kept:
                    for (name, convert), raw in zip(kept, found.groups(), strict=True):
                        row[name] = None if raw is None else convert(raw)
            else:
                value, at = read(data, at)
                if kept:
                    row[kept] = value
        return row, at

    return read_record


def _expect(wanted, kind: type | tuple, found: str) -> None:
    if wanted and not isinstance(wanted, kind):
        raise RecordError(f"a selected field has the unexpected type {found}.")


def _array(item: _Simple | Reader, wanted: dict | None) -> Reader:
    read = _as_reader(item)

    def read_array(data, at):
        rows = []
        while True:
            count, at = read_long(data, at)
            if count == 0:
                return rows, at
            if count < 0:  # then the size in bytes follows, which may be wrong
                count, (_, at) = -count, read_long(data, at)
            if wanted and len(rows) + count > MAX_ITEMS:
                raise RecordError(f"an array of more than {MAX_ITEMS} items.")
            for _ in range(count):
                row, end = read(data, at)
                if end == at:
                    raise RecordError(f"items without a size, at byte {at}.")
                at = end
                if wanted:
                    rows.append(row)

    return read_array


def _as_reader(how: _Simple | Reader) -> Reader:
    """Returns the reader of a type that is not part of a run of simple types."""
    if not isinstance(how, _Simple):
        return how
    if not how.pattern:
        return lambda data, at: (None, at)
    match = re.compile(how.pattern, re.DOTALL).match

    def read_simple(data, at):
        found = match(data, at)
        if found is None:
            raise RecordError(f"data do not follow the schema at byte {at}.")
        raw = found[1] if found.re.groups else None
        return None if raw is None else how.convert(raw), found.end()

    return read_simple


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """Returns the number that begins at a byte, and its end."""
    byte = data[at]
    if byte < 128:  # nearly always
        return (byte >> 1) ^ -(byte & 1), at + 1
    found = _MATCH_VARINT(data, at)
    if found is None:
        raise RecordError(f"no number at byte {at}.")
    return _unzigzag(found[0]), found.end()


def _skip_bytes(data: bytes, at: int) -> tuple:
    size, at = read_long(data, at)
    end = at + size
    if size < 0 or end > len(data):
        raise RecordError(f"{size} bytes of text or data at byte {at}: missing.")
    return None, end


def _read_bytes(data: bytes, at: int) -> tuple:
    size, at = read_long(data, at)
    if not 0 <= size <= len(data) - at:
        raise RecordError(f"{size} bytes of text or data at byte {at}: missing.")
    return data[at : at + size], at + size


def _read_text(data: bytes, at: int) -> tuple:
    raw, end = _read_bytes(data, at)
    return raw.decode(), end
