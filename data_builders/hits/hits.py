"""HiTS: image sequences of 622 real objects, one band, 24 to 29 epochs each.

The data card, with the traps of these stamps, is hits.md beside this file.
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
# Supernovae were found by image subtraction and judged by eye and light curve; the
# stars are from the survey's catalogue of variables, itself made from light curves.
LABEL_SOURCE = {"SN": "photometric"}
OTHER_LABEL_SOURCE = "catalogue"
# How an overwritten star is told: pixels above BRIGHT times the frame's median that
# are exact copies of another. 14 epochs have 10 to 64 of them, no other more than 7.
BRIGHT, MIN_COPIES = 2.0, 10
PER_EPOCH = (
    *("flux", "bad_pixel", "mjd", "band"),
    *("psf_fwhm", "noise", "gain", "zero_point"),
)


class Hits(SurveyBuilder):
    """Stamps of supernovae, eclipsing binaries, RR Lyrae and constant stars."""

    RELEASE_NOTES: ClassVar = {"1.0.0": "Raw ADU; what is no measurement is masked."}
    SURVEY = SURVEYS["hits"]
    DESCRIPTION = "Image sequences of the High cadence Transient Survey."
    HOMEPAGE = "https://github.com/rodrigcd/HiTS_simulations"

    def parts(self, manual_dir: Path | None) -> list[Path]:
        """Returns the one raw file."""
        return [find_hits(manual_dir)]

    def read_part(self, part: Path) -> Iterator[Reading]:
        """Yields the objects of the file."""
        return read(part)


def read(path: Path) -> Iterator[Reading]:
    """Yields the objects of a HiTS file, cleaned, and with their label's source.

    Epochs in which a saturated star was overwritten are dropped, and told: what is
    left of the star looks like an eclipse. Of the columns beside those that
    `read_sequences` names none is used: mjd_source, which tells how the times were
    found, would give the supernovae away.
    """
    for reading in read_sequences(path, SURVEYS["hits"]):
        yield reading if reading.record is None else _cleaned(reading)


def recognises(path: Path) -> bool:
    """Returns whether a path is a file of such sequences."""
    return holds_sequences(path, SURVEYS["hits"])


def overwritten_epochs(record: SeriesRecord) -> np.ndarray:
    """Returns [t] bool, True where the survey's pipeline painted over the star.

    It replaces saturated pixels by straight lines between their neighbours, row by
    row or column by column, which leaves many bright pixels of equal value; in a
    frame that was measured two bright pixels are hardly ever the same number.
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
        lost = f"{overwritten.sum()} epochs of a saturated, overwritten star: dropped."
        notes = (*notes, lost)
    if overwritten.all():
        return Reading(object_id, None, (f"Object {object_id}:", *notes))
    kept = {name: getattr(record, name)[~overwritten] for name in PER_EPOCH}
    if record.label in SURVEYS["hits"].classes:
        kept["label_source"] = LABEL_SOURCE.get(record.label, OTHER_LABEL_SOURCE)
    return Reading(object_id, record._replace(**kept), notes)


def find_hits(manual_dir: Path | None) -> Path:
    """Returns the raw file, from the given folder or else from JAXASTRO_DATA.

    Raises:
        FileNotFoundError: if it lies in neither; says how to get it.
    """
    return find_raw(
        RAW_FILE,
        survey="hits",
        manual_dir=manual_dir,
        source=(
            "the image sequences of github.com/rodrigcd/HiTS_simulations (MIT), packed "
            "into the arrays that data_builders/engine/npz_sequences.py lists"
        ),
    )
