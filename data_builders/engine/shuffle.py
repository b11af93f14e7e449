"""Sorts records by their hashed names, with little memory.

TFDS stores records in this order, so that no file holds one class or one night only.
Its own shuffler keeps the first gigabyte in memory, and opens further temporary files
with TensorFlow, which is not installed here.
"""

import os
import tempfile
from array import array
from collections.abc import Iterator

import numpy as np
from tensorflow_datasets.core import hashing


class DiskShuffler:
    """Replacement of TFDS's `Shuffler`, with one temporary file.

    Memory holds 24 bytes per record. Names are unique, which the builder ensures.
    """

    def __init__(self, dirpath, hash_salt: str, **unused):
        is_local = os.path.isdir(dirpath)  # else a bucket of a cloud
        self._hasher = hashing.Hasher(hash_salt)
        # Open until it is read: no `with` block can hold it.
        self._file = tempfile.TemporaryFile(  # noqa: SIM115
            dir=dirpath if is_local else None
        )
        self._keys = bytearray()
        self._ends = array("Q", [0])

    def add(self, key: str, data: bytes) -> None:
        """Writes the record of an object to the temporary file."""
        self._keys += self._hasher.hash_key(key).to_bytes(16, "big")
        self._file.write(data)
        self._ends.append(self.size + len(data))

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Yields hashed name and content of all records, in order of hashed names."""
        high, low = np.frombuffer(self._keys, ">u8").reshape(-1, 2).T
        with self._file:
            for i in np.lexsort([low, high]).tolist():
                self._file.seek(self._ends[i])
                key = int.from_bytes(self._keys[16 * i : 16 * i + 16], "big")
                yield key, self._file.read(self._ends[i + 1] - self._ends[i])

    @property
    def num_examples(self) -> int:
        """Number of records."""
        return len(self._ends) - 1

    @property
    def size(self) -> int:
        """Size of all records, bytes."""
        return self._ends[-1]

    @property
    def bucket_lengths(self) -> list[int]:
        """Number of records in each temporary file: one file has all."""
        return [self.num_examples]
