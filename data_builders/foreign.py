"""What a file of unknown origin is, from its first bytes. Believes nothing it reads."""

import io
import re
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

HEAD = 4096  # bytes that are looked at
NAMES = 5  # of members or columns that are shown
SIGNATURES = {  # first bytes -> what begins so
    b"Obj\x01": "an Avro container, as alerts are sent in",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"BZh": "something compressed by bzip2",
    b"\xfd7zXZ\x00": "something compressed by xz",
    b"\x28\xb5\x2f\xfd": "something compressed by zstd",
    b"SQLite format 3\x00": "an SQLite database",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"%PDF": "a PDF document",
}


def kind_of(path: Path) -> str:
    """Returns what a file seems to be, in a few words."""
    if not path.is_file():  # reading from a pipe or a device could wait for ever
        return "no file" if not path.exists() else "neither a file nor a folder"
    with path.open("rb") as file:
        head = file.read(HEAD)
    try:
        return _detailed(path, head) or kind_of_bytes(head)
    # A damaged file raises a dozen types of error; each says the same.
    except Exception as error:
        return f"{kind_of_bytes(head)}, damaged ({type(error).__name__})"


def kind_of_bytes(head: bytes) -> str:
    """Returns what a file that begins so seems to be."""
    for signature, kind in SIGNATURES.items():
        if head.startswith(signature):
            return kind
    if not head:
        return "an empty file"
    if head.startswith(b"SIMPLE  ="):
        return _fits(head)
    if head.startswith(b"\x1f\x8b"):
        inside = zlib.decompressobj(wbits=31).decompress(head, HEAD)
        return f"compressed by gzip: {kind_of_bytes(inside)}"
    if head.startswith(b"PK\x03\x04"):
        return "a zip archive"
    if head.startswith(b"PAR1"):
        return "a Parquet file"
    if head.startswith(b"\x93NUMPY"):
        return _npy(head)
    if head[257:262] == b"ustar":
        return "a tar archive"
    if re.match(rb"\s*<(!doctype|html|\?xml)", head, re.IGNORECASE):
        return "a web page or XML: perhaps what a server sent in place of the file"
    if head.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS, not the file itself"
    return _text(head) or _message(head)


def _detailed(path: Path, head: bytes) -> str:
    """Returns more of files whose list of contents is cheap, else nothing."""
    if head.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        is_npz = all(name.endswith(".npy") for name in names)
        kind = "NumPy arrays in an npz" if is_npz else "a zip archive"
        return f"{kind}: {_first(names)}"
    if head.startswith(b"PAR1"):
        with pq.ParquetFile(path) as table:
            rows, names = table.metadata.num_rows, table.schema_arrow.names
        return f"a Parquet table of {rows:,} rows: {_first(names)}"
    return ""


def _first(names: list[str]) -> str:
    more = f" and {len(names) - NAMES:,} more" if len(names) > NAMES else ""
    return ", ".join(names[:NAMES]) + more


def _fits(head: bytes) -> str:
    cards = dict(re.findall(rb"(BITPIX|NAXIS\d*)\s*=\s*(-?\d+)", head))
    sizes = [cards.get(b"NAXIS%d" % axis, b"?") for axis in range(1, 10)]
    count = int(cards.get(b"NAXIS", b"0")[:3])
    shape = " x ".join(size[:12].decode() for size in sizes[:count])
    return f"a FITS file, first an image of {shape}" if shape else "a FITS file"


def _npy(head: bytes) -> str:
    file = io.BytesIO(head)
    np.lib.format.read_magic(file)
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    return f"a NumPy array of shape {shape} and type {dtype}"


def _text(head: bytes) -> str:
    """Returns what text it is, nothing if it is none."""
    whole, last, _ = head.rpartition(b"\n")
    try:
        text = (whole if last else head).decode("utf-8")
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
    if head[0] == 0 and len(head) > 5:  # Confluent's frame: 0, then the schema's number
        schema = int.from_bytes(head[1:5], "big")
        if schema < 10**6:
            return f"perhaps one message of a stream, of schema {schema}"
    return f"bytes of no kind that is known here: {head[:16].hex(' ')}"
