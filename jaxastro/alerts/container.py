"""Reads Avro object container files: a schema, then blocks of packets.

The file is read as a stream, with limits on all declared sizes. Damage affects only the
packets in which it occurs: if a length is lost, reading continues after the next sync
marker.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from jaxastro.alerts.avro import MAX_SCHEMA, Reader, read_long
from jaxastro.errors import RecordError

MAGIC = b"Obj\x01"
MAX_HEADER_ENTRIES = 1000
MAX_BLOCK = 2**26  # bytes, compressed or not: hundreds of packets
MAX_SEARCHED = 2**28  # bytes of a file that are searched for sync markers
CHUNK = 2**16  # bytes that are searched at a time


class Packet(NamedTuple):
    """One packet of a container, or one piece of damage."""

    where: str  # first byte of its block, and its number in the block
    schema: bytes  # JSON
    raw: bytes  # encoded packet, or the damaged bytes
    row: dict | None  # the selected fields; None if damaged
    reason: str = ""  # of the damage


class _Source:
    """A stream that can return to the beginning of the current block.

    Attributes:
        at: position in the stream.
        taken: bytes that were read since the beginning of the block.
    """

    def __init__(self, stream: BinaryIO):
        self.stream, self.at, self.taken = stream, 0, []
        # Bytes of the stream that are read again, from `place` on.
        self.buffer, self.place, self.num_searched = b"", 0, 0

    def begin(self) -> bytes:
        """Returns the first byte of a block; b"" at the end of the stream."""
        first = self._read(1)
        self.taken = [first]
        return first

    def take(self, size: int, limit: int, what: str) -> bytes:
        if not 0 <= size <= limit:
            raise RecordError(f"{what} of {size} bytes; at most {limit} are read.")
        data = self._read(size)
        self.taken.append(data)
        if len(data) < size:
            raise RecordError(f"{what} misses its last {size - len(data)} bytes.")
        return data

    def long(self, raw: bytes = b"") -> int:
        while not raw or raw[-1] & 0x80:
            raw += self.take(1, 1, "a number")
        return read_long(raw, 0)[0]

    def skip_to_next_block(self, sync: bytes) -> tuple[bytes, str]:
        """Moves behind the next sync marker, if there is one.

        If the length of the block was wrong, the marker may be in the bytes that were
        read already, so the search starts at the beginning of the block. In total, at
        most MAX_SEARCHED bytes of a stream are searched.

        Returns: the bytes before the marker, and why there is none; "" if there is one.
        """
        taken = b"".join(self.taken)
        if self.place >= len(taken):  # they are in the buffer
            self.place -= len(taken)
        else:
            self.buffer, self.place = taken + self.buffer[self.place :], 0
            self.num_searched += len(taken)
        begin = self.at = self.at - len(taken)
        found = -1
        while found < 0:
            if self.num_searched > MAX_SEARCHED:
                return taken, f"; {MAX_SEARCHED} bytes were searched for the next block"
            found = self.buffer.find(sync, self.place)
            if found < 0:
                kept = self.buffer[self.place :][1 - len(sync) :]
                self._search(len(self.buffer) - self.place - len(kept))
                more = self.stream.read(CHUNK)
                if not more:
                    return taken, "; no block follows"
                self.buffer, self.place = kept + more, 0
        self._search(found + len(sync) - self.place)
        return taken[: self.at - begin], ""

    def _search(self, size: int) -> None:
        self.at, self.place = self.at + size, self.place + size
        self.num_searched += size

    def _read(self, size: int) -> bytes:
        data = self.buffer[self.place : self.place + size]
        self.place += len(data)
        if self.place == len(self.buffer):
            self.buffer, self.place = b"", 0
        if len(data) < size:
            data += self.stream.read(size - len(data))
        self.at += len(data)
        return data


def read_packets(
    stream: BinaryIO, compile_schema: Callable[[bytes], Reader]
) -> Iterator[Packet]:
    """Yields the packets of a container, and its damaged parts, in order.

    A block that cannot be decompressed or decoded is one damaged part. If the beginning
    of the next block is unknown, reading continues after the next sync marker: a block
    without its own marker is lost together with the next block.

    Args:
        stream: of the container.
        compile_schema: returns the reader of a schema, or raises RecordError.
    """
    source, schema = _Source(stream), b""
    try:
        header = _read_header(source)
        schema = header["avro.schema"]
        read, unpack = compile_schema(schema), _codec(header["avro.codec"])
        sync = source.take(16, 16, "the sync marker")
    except RecordError as error:
        raw, reason = b"".join(source.taken), f"the rest cannot be read: {error}"
        yield Packet(f"{source.at - len(raw)}", schema, raw, None, reason)
        return
    while first := source.begin():
        start = source.at - 1
        try:
            count = source.long(first)
            packed = source.take(source.long(), MAX_BLOCK, "a block")
            if source.take(16, 16, "the sync marker") != sync:
                raise RecordError("a block does not end with the sync marker.")
        except RecordError as error:
            raw, end = source.skip_to_next_block(sync)
            lost = "the rest" if end else "a block"
            reason = f"{lost} cannot be read: {error}{end}"
            yield Packet(f"{start}", schema, raw, None, reason)
            if end:
                return
        else:
            yield from _packets_of_block(start, count, packed, unpack, schema, read)


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
            source.long()  # its size in bytes, which may be wrong
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
    codecs = {b"null": _unchanged, b"deflate": _inflate, b"snappy": _unsnap}
    if name not in codecs:
        raise RecordError(f"its codec is {name!r}; null, deflate and snappy are known.")
    return codecs[name]


def _unchanged(packed: bytes) -> bytes:
    return packed


def _inflate(packed: bytes) -> bytes:
    inflater = zlib.decompressobj(-15)  # Avro has no zlib header
    try:
        data = inflater.decompress(packed, MAX_BLOCK)
    except zlib.error as error:
        raise RecordError(f"a block cannot be inflated: {error}.") from error
    if not inflater.eof:
        raise RecordError(
            f"a block is incomplete, or inflates beyond {MAX_BLOCK} bytes."
        )
    return data


def _unsnap(packed: bytes) -> bytes:
    import pyarrow  # takes longer to load than most files take to read

    size = shift = 0
    for byte in packed[:5]:  # the uncompressed size declared by snappy
        size |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    if size > MAX_BLOCK:
        raise RecordError(f"a block of {size} bytes uncompressed; at most {MAX_BLOCK}.")
    try:
        codec = pyarrow.Codec("snappy")
        data = codec.decompress(packed[:-4], decompressed_size=size, asbytes=True)
        (checksum,) = struct.unpack(">I", packed[-4:])
    except Exception as error:  # pyarrow has its own types of error
        raise RecordError(f"a block is no snappy data: {error!s:.200}.") from error
    if zlib.crc32(data) != checksum:
        raise RecordError("a block's checksum is wrong.")
    return data
