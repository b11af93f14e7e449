"""Finds the type of an untrusted file from its first bytes."""

import io
import re
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

HEAD = 4096  # bytes that are read
NAMES = 5  # names of members or columns that are shown
SIGNATURES = {  # first bytes -> type
    b"SIMPLE  =": "a FITS file",
    b"Obj\x01": "an Avro container, the format of alert packets",
    b"PAR1": "a Parquet table",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"PK\x03\x04": "a zip archive, such as npz",
    b"\x1f\x8b": "data compressed by gzip",
    b"BZh": "data compressed by bzip2",
    b"\xfd7zXZ\x00": "data compressed by xz",
    b"\x28\xb5\x2f\xfd": "data compressed by zstd",
    b"SQLite format 3\x00": "an SQLite database",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"%PDF": "a PDF document",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself",
}


def describe_file(path: Path) -> str:
    """Returns the type of a file and a short summary of its content."""
    if not path.is_file():  # reading a pipe or a device could block for ever
        return "no file" if not path.exists() else "neither a file nor a folder"
    with path.open("rb") as file:
        head = file.read(HEAD)
    kind = describe_bytes(head)
    try:
        detail = _detail(path, head)
    # A damaged file may raise any error.
    except Exception as error:  # noqa: BLE001
        return f"{kind}, damaged ({type(error).__name__})"
    return f"{kind}: {detail}" if detail else kind


def describe_bytes(head: bytes) -> str:
    """Returns the type of a file with these first bytes."""
    for signature, kind in SIGNATURES.items():
        if head.startswith(signature):
            return kind
    if not head:
        return "an empty file"
    if head[257:262] == b"ustar":
        return "a tar archive"
    if re.match(rb"\s*<(!doctype|html|\?xml)", head, re.IGNORECASE):
        return "a web page or XML, perhaps an error page in place of the file"
    return _text(head) or _message(head)


def _detail(path: Path, head: bytes) -> str:
    """Returns a summary of a file's content if it can be had cheaply, else ""."""
    if head.startswith(b"SIMPLE  ="):
        return _fits(head)
    if head.startswith(b"\x1f\x8b"):  # the start alone: all of it could fill the memory
        return describe_bytes(zlib.decompressobj(wbits=31).decompress(head, HEAD))
    if head.startswith(b"\x93NUMPY"):
        return _npy(head)
    if head.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(path) as archive:
            return _first(archive.namelist())
    if head.startswith(b"PAR1"):
        with pq.ParquetFile(path) as table:
            names = _first(table.schema_arrow.names)
            return f"{table.metadata.num_rows:,} rows of {names}"
    return ""


def _first(names: list[str]) -> str:
    more = f" and {len(names) - NAMES:,} more" if len(names) > NAMES else ""
    return ", ".join(names[:NAMES]) + more


def _fits(head: bytes) -> str:
    cards = dict(re.findall(rb"(NAXIS\d*) *= *(\d{1,12})", head))
    axes = range(1, 1 + min(int(cards.get(b"NAXIS", 0)), 9))
    sizes = [cards.get(b"NAXIS%d" % axis, b"?").decode() for axis in axes]
    return f"first image of {' x '.join(sizes)} pixels" if sizes else ""


def _npy(head: bytes) -> str:
    file = io.BytesIO(head)
    np.lib.format.read_magic(file)
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    return f"shape {shape}, type {dtype}"


def _text(head: bytes) -> str:
    """Returns the type of a text file, "" if it is no text."""
    lines, last, _ = head.rpartition(b"\n")
    try:
        text = (lines if last else head).decode("utf-8")
    except UnicodeDecodeError:
        return ""
    if not all(letter.isprintable() or letter in "\t\r\n\f" for letter in text):
        return ""
    line = text.strip().partition("\n")[0].strip()
    if line.startswith(("{", "[")):
        return f"text, perhaps JSON: {line}"
    columns = max((line.count(mark) for mark in ",;\t"), default=0)
    return f"{'a table as text' if columns else 'text'}: {line}"


def _message(head: bytes) -> str:
    if (
        head[0] == 0 and len(head) > 5
    ):  # Confluent's frame: 0, then the number of the schema
        schema = int.from_bytes(head[1:5], "big")
        if schema < 10**6:
            return f"perhaps one message of an alert stream, of schema {schema}"
    return f"of unknown type, first bytes {head[:16].hex(' ')}"
