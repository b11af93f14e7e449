"""Records: objects as they are stored, ragged in epochs, and readers of them."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from jaxastro.data.alert import AlertRecord
from jaxastro.data.cutout import CutoutRecord
from jaxastro.data.light_curve import LightCurveRecord
from jaxastro.data.series import SeriesRecord

Record = SeriesRecord | LightCurveRecord | AlertRecord | CutoutRecord

RECORD_TYPES = {
    "series": SeriesRecord,
    "light_curve": LightCurveRecord,
    "alerts": AlertRecord,
    "cutout": CutoutRecord,
}


class Reading(NamedTuple):
    """What a builder's `read` yields: a record, or why there is none."""

    object_id: str  # or file and offset, where not even a name could be read
    record: tuple | None  # a record of the kind; None: set aside, and the notes say why
    notes: tuple[str, ...]  # one sentence each: what was wrong or was mended
    raw: bytes = b""  # what was set aside, where it has no file of its own


def record_from_example(example: dict, kind: type = SeriesRecord) -> Record:
    """Returns the record that a TFDS data source gives as a dictionary."""
    plain = {
        name: value.decode() if isinstance(value, bytes) else value
        for name, value in example.items()
    }
    for name in ("ra", "dec", "redshift"):
        plain[name] = float(plain[name])
    return kind(**plain)


class Records:
    """Records at random access, of a data source of TFDS."""

    def __init__(self, source, kind: type):
        """Takes the source, whose items are dictionaries, and what they become."""
        self._source, self._kind = source, kind

    def __len__(self) -> int:
        """Returns the number of records."""
        return len(self._source)

    def __getitem__(self, row: int) -> tuple:
        """Returns a record."""
        return record_from_example(self._source[int(row)], self._kind)

    def __iter__(self) -> Iterator[tuple]:
        """Yields all records."""
        return map(self.__getitem__, range(len(self)))


def select_epochs(record: tuple, which) -> tuple:
    """Returns a record's epochs of these places, or where a mask is True."""
    return record._replace(**{n: getattr(record, n)[which] for n in record.OF_EPOCHS})


def first_epochs(record: tuple, count: int) -> tuple:
    """Returns the record as it was after its first `count` epochs.

    What a catalogue says of a light curve was measured on all of it: unknown then. The
    history of alerts ends with the last of them.
    """
    return _with_less(record, slice(count))


def without_random_epochs(record: tuple, share: float) -> tuple:
    """Returns the record without a share of its epochs, each left out by its own luck.

    The luck is the object's: what a smaller share leaves out, a larger one does too.
    The luckiest epoch always stays.
    """
    seed = hashlib.sha256(record.object_id.encode()).digest()
    luck = np.random.default_rng(list(seed)).random(len(record.mjd))
    keep = (luck >= share) | (luck == luck.max(initial=0))
    return _with_less(record, keep)


def _with_less(record: tuple, which) -> tuple:
    less = select_epochs(record, which)
    if len(less.mjd) < len(record.mjd) and "features" in record._fields:
        less = less._replace(features=np.full_like(record.features, np.nan))
    if "history_mjd" in record._fields:
        known = record.history_mjd <= less.mjd.max(initial=-np.inf)
        names = [n for n in record._fields if n.startswith("history_")]
        less = less._replace(**{n: getattr(record, n)[known] for n in names})
    return less


def frames_of(record: tuple) -> tuple:
    """Returns flux [t y x], bad_pixel [t y x] and band [t]; None where no images are.

    Of alerts these are the science stamps, of a cutout its layers, one per band.
    """
    if hasattr(record, "stamp"):
        return record.stamp[..., 0], record.bad_pixel[..., 0], record.band
    if hasattr(record, "bad_pixel"):
        return record.flux, record.bad_pixel, record.band
    if hasattr(record, "image"):
        layers = np.moveaxis(record.image, -1, 0)
        return layers, ~np.isfinite(layers), np.arange(len(layers))
    return None, None, None
