"""Finds Avro containers in folders, tar archives and gzip, without unpacking to disk.

Python's tarfile reads names of any length into memory, and follows links. Here members
are streams, their names are used in messages only, and everything but plain files is
skipped.
"""

import io
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from jaxastro.alerts.container import MAGIC

GZIP = b"\x1f\x8b"
BLOCK = 512  # bytes of a block of a tar file
FILE, NOT_A_FILE = (b"0", b"\0"), (b"1", b"2", b"3", b"4", b"6")  # types of members
MAX_NESTING = 4  # a .tar.gz of .avro.gz is three
MAX_OTHERS = 1000  # other members minus containers, after which to stop
# Limits of the uncompressed size of a file. Alerts contain compressed stamps, so their
# compression ratio is small.
MAX_UNPACKED, MAX_RATIO = 2**28, 100
SUFFIXES = (".avro", ".tar", ".gz", ".tgz")


class Found(NamedTuple):
    """One container, or the reason why there is none."""

    name: str  # of the file, and of the members that contain it
    stream: BinaryIO | None  # to be read before the next one is requested
    reason: str = ""


def alert_files(path: Path) -> Iterator[Path]:
    """Yields a file, or the files of a folder that may have alerts, sorted by name.

    These are files at any depth with one of SUFFIXES or the first bytes of a container.
    """
    if not path.is_dir():
        yield path
        return
    for file in sorted(path.rglob("*")):
        if file.is_file() and (file.name.endswith(SUFFIXES) or _is_container(file)):
            yield file


def containers_in(file: Path, name: str) -> Iterator[Found]:
    """Yields the containers of a file, with its name for messages."""
    try:
        with open(file, "rb") as stream:
            limit = max(MAX_UNPACKED, MAX_RATIO * file.stat().st_size)
            yield from _unwrapped(name, stream, [limit], 0)
    except OSError as error:
        yield Found(name, None, f"it cannot be read: {error.strerror}.")


def containers_of(stream: BinaryIO, name: str) -> Iterator[Found]:
    """Yields the containers of a stream, such as standard input, to its end.

    Its size is unknown, so the uncompressed size has no limit; nothing is kept.
    """
    buffered = stream if hasattr(stream, "peek") else io.BufferedReader(stream)
    yield from _unwrapped(name, buffered, [sys.maxsize], 0)


def _is_container(file: Path) -> bool:
    try:
        with open(file, "rb") as stream:
            return stream.read(len(MAGIC)) == MAGIC
    except OSError:
        return False  # other files need not be readable


def _unwrapped(
    name: str, stream: io.BufferedReader, budget: list[int], nesting: int
) -> Iterator[Found]:
    head = stream.peek(BLOCK)[:BLOCK]
    if head.startswith(MAGIC):
        yield Found(name, stream)
    elif head.startswith(GZIP) and nesting < MAX_NESTING:
        inside = _Gunzip(stream, budget)
        yield from _unwrapped(name, io.BufferedReader(inside), budget, nesting + 1)
        if inside.damage:
            yield Found(name, None, inside.damage)
    elif _size_of_member(head) is not None and nesting < MAX_NESTING:
        yield from _members(name, stream, budget, nesting)
    else:
        begins = f"it begins with {head[:8]!r}" if head else "it is empty"
        yield Found(name, None, f"{begins}; Avro, gzip or tar is expected.")


def _members(name, stream, budget, nesting) -> Iterator[Found]:
    others = 0
    while (header := stream.read(BLOCK)).strip(b"\0"):
        size = _size_of_member(header)
        if size is None or others > MAX_OTHERS:
            yield Found(name, None, "the rest is no tar archive of alerts.")
            return
        text = header[:100].partition(b"\0")[0].decode("ascii", "replace")
        inside = f"{name}!{''.join(c if c.isprintable() else '?' for c in text)}"
        kind, member = header[156:157], _Member(stream, size)
        found = ()
        if kind in NOT_A_FILE:
            found = (Found(inside, None, "it is a link or a device, not a file."),)
        elif kind in FILE and not text.endswith("/"):
            reader = io.BufferedReader(member)
            found = _unwrapped(inside, reader, budget, nesting + 1)
        for one in found:
            others += 1 if one.stream is None else -1
            yield one
        member.skip()
        stream.read(-size % BLOCK)


def _size_of_member(header: bytes) -> int | None:
    """Returns the size in a tar header; None if it is no tar header."""
    try:
        size, checksum = (int(header[a:b].strip(b" \0"), 8) for a, b in _SIZE_CHECKSUM)
    except ValueError:
        return None
    counted = sum(header) - sum(header[148:156]) + 8 * ord(" ")
    return size if len(header) == BLOCK and checksum == counted and size >= 0 else None


_SIZE_CHECKSUM = ((124, 136), (148, 156))  # bytes of a header, octal numbers


class _Member(io.RawIOBase):
    """A part of a stream."""

    def __init__(self, stream: BinaryIO, size: int):
        self.stream, self.left = stream, size

    def readable(self):
        return True

    def readinto(self, buffer):
        data = self.stream.read(min(len(buffer), self.left))
        self.left -= len(data)
        buffer[: len(data)] = data
        return len(data)

    def skip(self):
        while self.left and (data := self.stream.read(min(self.left, 2**16))):
            self.left -= len(data)


class _Gunzip(io.RawIOBase):
    """The content of a gzip stream, up to its damage if it has some.

    An exception would lose the data before the damage in the same read; `damage` has
    the reason instead.
    """

    def __init__(self, packed: BinaryIO, budget: list[int]):
        self.packed, self.budget, self.damage = packed, budget, ""
        self.inflater, self.rest = zlib.decompressobj(31), b""

    def readable(self):
        return True

    def readinto(self, buffer):
        data = b""
        while not data and not self.damage:
            if self.inflater.eof:  # more gzip may follow, or padding
                self.rest = self.inflater.unused_data or self.packed.read(2**16)
                if not self.rest.strip(b"\0"):
                    return 0
                self.inflater = zlib.decompressobj(31)
            packed = self.rest or self.packed.read(2**16)
            data = self._inflate(packed, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _inflate(self, packed: bytes, size: int) -> bytes:
        try:
            data = self.inflater.decompress(packed, size)
        except zlib.error as error:
            self.damage = f"its gzip data are damaged: {error}."
            return b""
        self.rest = self.inflater.unconsumed_tail
        self.budget[0] -= len(data)
        if not packed and not data:
            self.damage = "its gzip data are incomplete."
        if self.budget[0] < 0:
            self.damage = "its uncompressed size is far larger than that of alerts."
            return b""
        return data
