"""Index of a data set: one row of labels, groups and epoch counts per object.

Reading all records to select objects by label would take minutes for a large survey, at
every start of a training. So `prepare` writes index.npz into the folder of the data
set: the columns of Index, one row per object in the order of the data set, and a
checksum of these columns and of the data set's files. An index that is damaged or does
not match the files is made again.
"""

import hashlib
import os
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow_datasets as tfds
from tqdm import tqdm

from jaxastro.atomic_write import atomic_write

INDEX_FILE = "index.npz"
TAIL = 2**16  # bytes at the end of a file, which hold the positions of its records


class Index(NamedTuple):
    """Columns with one row per object: text, except for the last."""

    object_id: np.ndarray
    label: np.ndarray
    label_source: np.ndarray
    truth: np.ndarray
    group: np.ndarray
    epochs_of_band: np.ndarray  # [o, bands], number of epochs

    @property
    def num_epochs(self) -> np.ndarray:
        """Number of epochs of each object, [o]."""
        return self.epochs_of_band.sum(1)


def index_of(builder: tfds.core.DatasetBuilder, *, quiet: bool = False) -> Index:
    """Returns the index of a data set, which is made now if there is none.

    Args:
        builder: of a data set that is on disk.
        quiet: print nothing, not even that all objects have to be read.
    """
    index, reason = read_index(builder)
    if index is None:
        if not quiet:
            tqdm.write(
                f"{builder.info.full_name}: {reason}. All objects are read, once.",
                file=sys.stderr,
            )
        index = index_from(builder.as_data_source(split="all"), quiet=quiet)
        problem = write_index(builder, index)
        if problem and not quiet:
            tqdm.write(problem, file=sys.stderr)
    return index


def index_from(source, *, quiet: bool = True) -> Index:
    """Returns the index of a data source, by reading every record."""
    rows, counts = [], []
    for example in tqdm(source, desc="Reading the index", unit="object", disable=quiet):
        rows.append([example[name].decode() for name in Index._fields[:-1]])
        band = example["band"]
        if "image" in example and not len(band):  # a single image counts as one epoch
            band = np.zeros(1, int)
        counts.append(np.bincount(band))
    epochs = np.zeros((len(rows), max(map(len, counts))), np.int32)
    for row, count in zip(epochs, counts, strict=True):
        row[: len(count)] = count
    return Index(*map(np.array, zip(*rows, strict=True)), epochs)


def read_index(builder: tfds.core.DatasetBuilder) -> tuple[Index | None, str]:
    """Returns the stored index of a data set, or None and why it cannot be used."""
    path = _path(builder)
    if path is None or not path.exists():
        return None, f"it has no {INDEX_FILE}"
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            index = Index(*(file[name] for name in Index._fields))
            checksum = str(file["checksum"])
    # A damaged file may raise any error.
    except Exception as error:  # noqa: BLE001
        return None, f"{path} is damaged ({type(error).__name__})"
    if checksum != _checksum(builder, index):
        return None, f"{path} belongs to other files"
    return index, ""


def write_index(builder: tfds.core.DatasetBuilder, index: Index) -> str:
    """Writes the index of a data set; returns why if it cannot be written."""
    path = _path(builder)
    if path is None:
        return ""
    try:
        with atomic_write(path, "wb", unique=True) as file:
            checksum = _checksum(builder, index)
            np.savez_compressed(file, checksum=checksum, **index._asdict())
    except OSError as error:  # such as a folder without permission to write
        return f"The index could not be stored for the next start: {error}."
    return ""


def fingerprint(builder: tfds.core.DatasetBuilder) -> str:
    """Returns a hash of a data set's files.

    It differs between two builds; a copy of the files has the same.
    """
    digest = hashlib.sha256()
    for path in builder.info.splits["objects"].filepaths:
        digest.update(f"{path.name} {os.stat(path).st_size}\n".encode())
        digest.update(_tail(path))
    return digest.hexdigest()


def _path(builder: tfds.core.DatasetBuilder) -> Path | None:
    """Returns the path of the index; None in a bucket of a cloud."""
    if "://" in str(builder.data_dir):
        return None
    return Path(builder.data_dir) / INDEX_FILE


def _checksum(builder: tfds.core.DatasetBuilder, index: Index) -> str:
    digest = hashlib.sha256()
    for path in builder.info.splits["objects"].filepaths:
        found = os.stat(path)
        # A copy may keep its time in whole seconds only.
        digest.update(f"{path.name} {found.st_size} {int(found.st_mtime)}\n".encode())
        digest.update(_tail(path))
    for name, column in zip(Index._fields, index, strict=True):
        digest.update(f"{name} {column.dtype.str} {column.shape}\n".encode())
        digest.update(np.ascontiguousarray(column))
    return digest.hexdigest()


def _tail(path) -> bytes:
    with open(path, "rb") as file:
        file.seek(-min(TAIL, os.stat(path).st_size), os.SEEK_END)
        return file.read()
