"""What must be known of all objects before one is chosen, kept beside the data set.

Reading every record only to learn its label would take minutes of a large survey, at
every start. So `prepare` writes index.npz: the columns of Index, one row per object in
the data set's order, and a seal. The seal is of the columns and of the data set's files
as they were: an index of other files, or a damaged one, is noticed and made anew.
"""

import hashlib
import os
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow_datasets as tfds
from tqdm import tqdm

INDEX_FILE = "index.npz"  # beside the built data set
TAIL = 2**16  # bytes at a file's end, which tell where each of its records begins


class Index(NamedTuple):
    """One row per object of a data set, without its frames; names, but for the last."""

    object_id: np.ndarray
    label: np.ndarray
    label_source: np.ndarray
    truth: np.ndarray
    group: np.ndarray
    epochs_of_band: np.ndarray  # [o, bands]: how many in each

    @property
    def num_epochs(self) -> np.ndarray:
        """How many epochs each object has."""
        return self.epochs_of_band.sum(1)


def index_of(builder: tfds.core.DatasetBuilder, *, quiet: bool = False) -> Index:
    """Returns the index of a data set that was built, made now if there is none.

    Args:
        quiet: say nothing, not even that all objects have to be read.
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
        if "image" in example and not len(band):  # a single picture: it is one epoch
            band = np.zeros(1, int)
        counts.append(np.bincount(band))
    epochs = np.zeros((len(rows), max(map(len, counts))), np.int32)
    for row, count in zip(epochs, counts, strict=True):
        row[: len(count)] = count
    return Index(*map(np.array, zip(*rows, strict=True)), epochs)


def read_index(builder: tfds.core.DatasetBuilder) -> tuple[Index | None, str]:
    """Returns the index beside a data set, or None and why it cannot be believed."""
    path = _path(builder)
    if path is None or not path.exists():
        return None, f"no {INDEX_FILE} lies beside it"
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            index = Index(*(file[name] for name in Index._fields))
            seal = str(file["seal"])
    # A damaged file raises a dozen types of error; each says the same.
    except Exception as error:  # noqa: BLE001
        return None, f"{path} is damaged ({type(error).__name__})"
    if seal != _seal(builder, index):
        return None, f"{path} is of other files than those beside it"
    return index, ""


def write_index(builder: tfds.core.DatasetBuilder, index: Index) -> str:
    """Writes the index beside its data set; returns why not, where that cannot be."""
    path = _path(builder)
    if path is None:
        return ""
    partial = path.with_name(f".{os.getpid()}.{INDEX_FILE}")
    try:
        np.savez_compressed(partial, seal=_seal(builder, index), **index._asdict())
        partial.replace(path)  # whole or not at all
    except OSError as error:  # such as a folder that others may only read
        partial.unlink(missing_ok=True)
        return f"The index could not be kept for the next start: {error}."
    return ""


def fingerprint(builder: tfds.core.DatasetBuilder) -> str:
    """Returns what tells a data set's files from those of another build.

    Copies of them, of whatever date, have the same.
    """
    digest = hashlib.sha256()
    for path in builder.info.splits["objects"].filepaths:
        digest.update(f"{path.name} {os.stat(path).st_size}\n".encode())
        digest.update(_tail(path))
    return digest.hexdigest()


def _path(builder: tfds.core.DatasetBuilder) -> Path | None:
    """Returns where the index lies; nowhere for a bucket of a cloud."""
    if "://" in str(builder.data_dir):
        return None
    return Path(builder.data_dir) / INDEX_FILE


def _seal(builder: tfds.core.DatasetBuilder, index: Index) -> str:
    digest = hashlib.sha256()
    for path in builder.info.splits["objects"].filepaths:
        found = os.stat(path)
        # A copy may keep no more of the time than seconds.
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
