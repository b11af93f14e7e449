"""Records in the order of their hashed names, without holding them in memory.

TFDS stores records in this order so that no file holds one class or one night. Its own
shuffler keeps the first gigabyte in memory, and beyond that opens its temporary files
with TensorFlow, which is not here: no larger data set could be built.
"""

import os
import tempfile
from array import array
from collections.abc import Iterator

import numpy as np
from tensorflow_datasets.core import hashing


class DiskShuffler:
    """Does for TFDS's writer what its `Shuffler` does, with one temporary file.

    Of each record 24 bytes stay in memory, whatever its size. Names are unique: the
    builder takes care of that.
    """

    def __init__(self, dirpath, hash_salt: str, **unused):
        is_here = os.path.isdir(dirpath)  # or else a bucket of a cloud
        self._hasher = hashing.Hasher(hash_salt)
        # Open until it has been read: no block of code could hold it.
        self._file = tempfile.TemporaryFile(  # noqa: SIM115
            dir=dirpath if is_here else None
        )
        self._keys = bytearray()
        self._ends = array("Q", [0])

    def add(self, key: str, data: bytes) -> None:
        """Writes the record of an object down."""
        self._keys += self._hasher.hash_key(key).to_bytes(16, "big")
        self._file.write(data)
        self._ends.append(self.size + len(data))

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Yields all records, by hashed name."""
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
        """Bytes of all records."""
        return self._ends[-1]

    @property
    def bucket_lengths(self) -> list[int]:
        """Numbers of records that lie in one place: all of them do."""
        return [self.num_examples]
