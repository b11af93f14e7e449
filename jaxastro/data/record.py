"""Records: objects as they are stored, with any number of epochs."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from jaxastro.data.alert import AlertRecord
from jaxastro.data.cutout import CutoutRecord
from jaxastro.data.light_curve import LightCurveRecord
from jaxastro.data.series import SeriesRecord

Record = SeriesRecord | LightCurveRecord | AlertRecord | CutoutRecord

RECORD_TYPES = {  # by the kind of a survey
    "series": SeriesRecord,
    "light_curve": LightCurveRecord,
    "alerts": AlertRecord,
    "cutout": CutoutRecord,
}


class Reading(NamedTuple):
    """Result of reading one object: a record, or the reason why there is none."""

    object_id: str  # or file and offset, if the name could not be read
    record: Record | None  # None: the object was set aside, see the notes
    notes: tuple[str, ...]  # faults and repairs, one sentence each
    raw: bytes = b""  # data of an object that was set aside and has no own file


def record_from_example(example: dict, kind: type = SeriesRecord) -> Record:
    """Returns the record of an example of a TFDS data source.

    Args:
        example: column -> value.
        kind: type of the record, a value of RECORD_TYPES.
    """
    plain = {
        name: value.decode() if isinstance(value, bytes) else value
        for name, value in example.items()
    }
    for name in ("ra", "dec", "redshift"):
        plain[name] = float(plain[name])
    return kind(**plain)


class Records:
    """Records of a TFDS data source, at random access."""

    def __init__(self, source, kind: type):
        """Stores a source of examples and the type of their records."""
        self._source, self._kind = source, kind

    def __len__(self) -> int:
        """Returns the number of records."""
        return len(self._source)

    def __getitem__(self, row: int) -> Record:
        """Returns the record in a row."""
        return record_from_example(self._source[int(row)], self._kind)

    def __iter__(self) -> Iterator[Record]:
        """Yields all records."""
        return map(self.__getitem__, range(len(self)))


def select_epochs(record: Record, which) -> Record:
    """Returns the record with some of its epochs.

    Args:
        which: indices, a slice, or a mask [t].
    """
    return record._replace(**{n: getattr(record, n)[which] for n in record.OF_EPOCHS})


def first_epochs(record: Record, count: int) -> Record:
    """Returns the record as it was after its first `count` epochs.

    Catalogue features were measured on all epochs, so they become NaN. The history of
    alerts ends at the last epoch.
    """
    return _with_fewer_epochs(record, slice(count))


def without_random_epochs(record: Record, share: float) -> Record:
    """Returns the record without a random share of its epochs.

    Each epoch has a random number that depends on the object alone, and is removed if
    it is below `share`. A larger share therefore removes all epochs that a smaller one
    removes. The epoch with the largest number is always kept.
    """
    seed = hashlib.sha256(record.object_id.encode()).digest()
    number = np.random.default_rng(list(seed)).random(len(record.mjd))
    keep = (number >= share) | (number == number.max(initial=0))
    return _with_fewer_epochs(record, keep)


def _with_fewer_epochs(record: Record, which) -> Record:
    selected = select_epochs(record, which)
    if len(selected.mjd) < len(record.mjd) and "features" in record._fields:
        selected = selected._replace(features=np.full_like(record.features, np.nan))
    if "history_mjd" in record._fields:
        known = record.history_mjd <= selected.mjd.max(initial=-np.inf)
        names = [n for n in record._fields if n.startswith("history_")]
        selected = selected._replace(**{n: getattr(record, n)[known] for n in names})
    return selected


def frames_of(record: Record) -> tuple:
    """Returns flux [t y x], bad_pixel [t y x] and band [t]; None for light curves.

    The frames of alerts are the science stamps, those of a cutout its layers.
    """
    if hasattr(record, "stamp"):
        return record.stamp[..., 0], record.bad_pixel[..., 0], record.band
    if hasattr(record, "bad_pixel"):
        return record.flux, record.bad_pixel, record.band
    if hasattr(record, "image"):
        layers = np.moveaxis(record.image, -1, 0)
        return layers, ~np.isfinite(layers), np.arange(len(layers))
    return None, None, None
