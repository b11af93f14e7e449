"""Avro object container files: a schema, and blocks of packets that follow it.

Read as a stream, with a limit on everything a foreign file can claim. Damage costs the
packets it hits, never those before it.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from jaxastro.alerts.avro import MAX_SCHEMA, Reader, read_long
from jaxastro.data.record import RecordError

MAGIC = b"Obj\x01"
MAX_HEADER_ENTRIES = 1000
MAX_BLOCK = 2**26  # bytes, packed or unpacked: hundreds of packets


class Packet(NamedTuple):
    """One packet of a container, or one piece of damage."""

    where: str  # the byte at which its block begins, and its number in the block
    schema: bytes  # JSON
    raw: bytes  # the packet as its schema has it; of damage, what can be shown of it
    row: dict | None  # the wanted fields; None: damaged
    reason: str = ""  # of the damage


class _Source:
    """A stream that knows how far it was read, and what was read of this block."""

    def __init__(self, stream: BinaryIO):
        self.stream, self.at, self.taken = stream, 0, []

    def take(self, size: int, limit: int, what: str) -> bytes:
        if not 0 <= size <= limit:
            raise RecordError(f"{what} of {size} bytes; up to {limit} are read.")
        data = self.stream.read(size)
        self.at += len(data)
        self.taken.append(data)
        if len(data) < size:
            raise RecordError(f"{what} lacks its last {size - len(data)} bytes.")
        return data

    def long(self, raw: bytes = b"") -> int:
        while not raw or (raw[-1] > 127 and len(raw) < 10):
            raw += self.take(1, 1, "a number")
        return read_long(raw, 0)[0]


def read_packets(
    stream: BinaryIO, compile_schema: Callable[[bytes], Reader]
) -> Iterator[Packet]:
    """Yields the packets of a container, and what damage there is, in their order.

    A block that cannot be unpacked or decoded is one piece of damage. Where it is not
    even known where the next block begins, the rest of the file is.

    Args:
        stream: of the whole container.
        compile_schema: returns the reader of a schema, or raises RecordError.
    """
    source, schema = _Source(stream), b""
    try:
        header = _read_header(source)
        schema = header["avro.schema"]
        read, unpack = compile_schema(schema), _codec(header["avro.codec"])
        sync = source.take(16, 16, "the sync marker")
        while first := stream.read(1):
            source.taken, start = [first], source.at
            source.at += 1
            count = source.long(first)
            packed = source.take(source.long(), MAX_BLOCK, "a block")
            if source.take(16, 16, "the sync marker") != sync:
                raise RecordError("a block does not end with the sync marker.")
            yield from _packets_of_block(start, count, packed, unpack, schema, read)
    except RecordError as error:
        raw = b"".join(source.taken)
        where = f"{source.at - len(raw)}"
        yield Packet(where, schema, raw, None, f"the rest cannot be read: {error}")


def _packets_of_block(start, count, packed, unpack, schema, read) -> Iterator[Packet]:
    data, at, number = packed, 0, 0
    try:
        data = unpack(packed)
        for number in range(max(count, 0)):
            row, end = read(data, at)
            if end == at:
                raise RecordError("packets without a size.")
            yield Packet(f"{start}:{number}", schema, data[at:end], row)
            at = end
        if at < len(data):
            raise RecordError(f"{len(data) - at} bytes after the last of {count}.")
    except RecordError as error:
        yield Packet(f"{start}:{number}", schema, data[at:], None, str(error))


def _read_header(source: _Source) -> dict:
    magic = source.take(4, 4, "the first word")
    if magic != MAGIC:
        raise RecordError(f"it begins with {magic!r}, Avro containers with {MAGIC!r}.")
    found, entries = {"avro.codec": b"null"}, 0
    while count := source.long():
        if count < 0:
            source.long()  # its size in bytes, which we do not trust
        entries += abs(count)
        if entries > MAX_HEADER_ENTRIES:
            raise RecordError(f"a header of {entries} entries.")
        for _ in range(abs(count)):
            key = source.take(source.long(), 1000, "a name in the header")
            value = source.take(source.long(), MAX_SCHEMA, "an entry of the header")
            found[key.decode("ascii", "replace")] = value
    if "avro.schema" not in found:
        raise RecordError("a header without a schema.")
    return found


def _codec(name: bytes) -> Callable[[bytes], bytes]:
    codecs = {b"null": _as_it_is, b"deflate": _inflate, b"snappy": _unsnap}
    if name not in codecs:
        raise RecordError(f"its codec is {name!r}; null, deflate and snappy are known.")
    return codecs[name]


def _as_it_is(packed: bytes) -> bytes:
    return packed


def _inflate(packed: bytes) -> bytes:
    inflater = zlib.decompressobj(-15)  # no header, as Avro has it
    try:
        data = inflater.decompress(packed, MAX_BLOCK)
    except zlib.error as error:
        raise RecordError(f"a block cannot be inflated: {error}.") from error
    if not inflater.eof:
        raise RecordError(f"a block breaks off, or inflates beyond {MAX_BLOCK} bytes.")
    return data


def _unsnap(packed: bytes) -> bytes:
    import pyarrow  # takes longer to load than most files to read

    size = shift = 0
    for byte in packed[:5]:  # the size that snappy says it will unpack to
        size |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    if size > MAX_BLOCK:
        raise RecordError(f"a block that unpacks to {size} bytes; at most {MAX_BLOCK}.")
    try:
        codec = pyarrow.Codec("snappy")
        data = codec.decompress(packed[:-4], decompressed_size=size, asbytes=True)
        (checksum,) = struct.unpack(">I", packed[-4:])
    except Exception as error:  # of pyarrow's own types
        raise RecordError(f"a block is no snappy data: {error!s:.200}.") from error
    if zlib.crc32(data) != checksum:
        raise RecordError("a block's checksum is wrong.")
    return data
