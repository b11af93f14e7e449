"""HiTS: image sequences of 622 real objects in one band, 24 to 29 epochs each.

Data card: hits.md.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np

from data_builders.engine.builder import SurveyBuilder
from data_builders.engine.npz_sequences import holds_sequences, read_sequences
from data_builders.engine.raw import find_raw
from jaxastro.data.record import Reading
from jaxastro.data.series import SeriesRecord
from jaxastro.surveys import SURVEYS

RAW_FILE = "hits_image_sequences.npz"
# Supernovae were found by image subtraction and classified by eye and light curve; the
# stars are from the survey's catalogue of variables, which is based on light curves.
LABEL_SOURCE = {"SN": "photometric"}
OTHER_LABEL_SOURCE = "catalogue"
# An overwritten star has pixels above BRIGHT times the median of the frame that are
# exact copies of others: 14 epochs have 10 to 64 of them, all others at most 7.
BRIGHT, MIN_COPIES = 2.0, 10
PER_EPOCH = (
    "flux",
    "bad_pixel",
    "mjd",
    "band",
    "psf_fwhm",
    "noise",
    "gain",
    "zero_point",
)


class Hits(SurveyBuilder):
    """Stamps of supernovae, eclipsing binaries, RR Lyrae and constant stars."""

    RELEASE_NOTES: ClassVar = {
        "1.0.0": "Raw ADU; pixels that are no measurements are masked."
    }
    SURVEY = SURVEYS["hits"]
    DESCRIPTION = "Image sequences of the High cadence Transient Survey."
    HOMEPAGE = "https://github.com/rodrigcd/HiTS_simulations"

    def parts(self, manual_dir: Path | None) -> list[Path]:
        """Returns the raw file, as one part."""
        return [find_hits(manual_dir)]

    def read_part(self, part: Path) -> Iterator[Reading]:
        """Yields the objects of the file."""
        return read(part)


def read(path: Path) -> Iterator[Reading]:
    """Yields the objects of a HiTS file, cleaned, and with the origin of their labels.

    Epochs with an overwritten saturated star are dropped, with a note: the rest of the
    star looks like an eclipse. Columns that `read_sequences` does not list are ignored:
    mjd_source, the origin of the times, would reveal the supernovae.
    """
    for reading in read_sequences(path, SURVEYS["hits"]):
        yield reading if reading.record is None else _cleaned(reading)


def recognises(path: Path) -> bool:
    """Returns whether a path is a file of such sequences."""
    return holds_sequences(path, SURVEYS["hits"])


def overwritten_epochs(record: SeriesRecord) -> np.ndarray:
    """Returns [t] bool, True where the survey's pipeline overwrote the star.

    It replaces saturated pixels by linear interpolation along rows or columns, which
    gives many bright pixels of equal value. Two measured bright pixels are rarely
    equal.
    """
    overwritten = np.zeros(len(record.flux), bool)
    for t, (frame, bad) in enumerate(zip(record.flux, record.bad_pixel, strict=True)):
        good = frame[~bad]
        bright = good[good > BRIGHT * np.median(good)]
        overwritten[t] = len(bright) - len(np.unique(bright)) >= MIN_COPIES
    return overwritten


def _cleaned(reading: Reading) -> Reading:
    object_id, record, notes, _ = reading
    overwritten = overwritten_epochs(record)
    if overwritten.any():
        note = f"{overwritten.sum()} epochs of a saturated, overwritten star: dropped."
        notes = (*notes, note)
    if overwritten.all():
        return Reading(object_id, None, (f"Object {object_id}:", *notes))
    kept = {name: getattr(record, name)[~overwritten] for name in PER_EPOCH}
    if record.label in SURVEYS["hits"].classes:
        kept["label_source"] = LABEL_SOURCE.get(record.label, OTHER_LABEL_SOURCE)
    return Reading(object_id, record._replace(**kept), notes)


def find_hits(manual_dir: Path | None) -> Path:
    """Returns the raw file, in the given folder or else in JAXASTRO_DATA.

    Raises:
        MissingFileError: if it is in neither; the message has its source.
    """
    return find_raw(
        RAW_FILE,
        survey="hits",
        manual_dir=manual_dir,
        source=(
            "the image sequences of github.com/rodrigcd/HiTS_simulations (MIT), stored "
            "as the arrays listed in data_builders/engine/npz_sequences.py"
        ),
    )
