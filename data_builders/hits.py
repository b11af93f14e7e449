"""HiTS: image sequences of 622 real objects, one band, 24 to 29 epochs each.

The data card, with the traps of these stamps, is hits.md beside this file.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds
from absl import logging

from data_builders.npz_sequences import read_sequences
from data_builders.readings import records_of
from data_builders.schema import record_features
from jaxastro.data.record import Reading, Record
from jaxastro.surveys import SURVEYS

RAW_FILE = "hits_image_sequences.npz"
REPORT_FILE = "set_aside.json"  # beside the built data set
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


class Hits(tfds.core.GeneratorBasedBuilder):
    """Stamps of supernovae, eclipsing binaries, RR Lyrae and constant stars."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "Raw ADU; what is no measurement is masked."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"""\
    Put {RAW_FILE} into the folder given as manual_dir, or into the folder hits/ of
    the one that the environment variable JAXASTRO_DATA names. It packs the real image
    sequences of github.com/rodrigcd/HiTS_simulations (MIT licence); the arrays it
    holds are listed in data_builders/npz_sequences.py.
    """

    def _info(self) -> tfds.core.DatasetInfo:
        survey = SURVEYS["hits"]
        return tfds.core.DatasetInfo(
            builder=self,
            description="Image sequences of the High cadence Transient Survey.",
            features=record_features(survey),
            homepage="https://github.com/rodrigcd/HiTS_simulations",
            citation=survey.citation,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager):
        # The property manual_dir refuses a missing folder before we could look at
        # the environment variable.
        raw = find_raw(dl_manager._manual_dir)
        logging.info("Reading %s", raw)
        # One split; folds are made when training. Read it as split="all", a word that
        # TFDS keeps for itself and refuses here.
        return {"objects": self._generate_examples(raw)}

    def _generate_examples(self, path: Path):
        report = Path(self.data_dir) / REPORT_FILE
        for record in records_of(read(path), report=report):
            yield record.object_id, record._asdict()


def read(path: Path) -> Iterator[Reading]:
    """Yields the objects of a HiTS file, cleaned, and with their label's source.

    Epochs in which a saturated star was overwritten are dropped, and told: what is
    left of the star looks like an eclipse. Of the columns beside those that
    `read_sequences` names none is used: mjd_source, which tells how the times were
    found, would give the supernovae away.
    """
    for reading in read_sequences(path, SURVEYS["hits"]):
        yield reading if reading.record is None else _cleaned(reading)


def overwritten_epochs(record: Record) -> np.ndarray:
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
    object_id, record, notes = reading
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


def find_raw(manual_dir: str | os.PathLike | None) -> Path:
    """Returns the raw file, from the given folder or else from JAXASTRO_DATA.

    Raises:
        FileNotFoundError: if it lies in neither; says how to get it.
    """
    tried = []
    if manual_dir:
        tried += [Path(manual_dir) / RAW_FILE, Path(manual_dir) / "hits" / RAW_FILE]
    if os.environ.get("JAXASTRO_DATA"):
        tried.append(Path(os.environ["JAXASTRO_DATA"]) / "hits" / RAW_FILE)
    for path in tried:
        if path.is_file():
            return path
    looked = ", ".join(map(str, tried)) or "nowhere: no folder was given"
    raise FileNotFoundError(
        f"No {RAW_FILE}; looked at {looked}. Put the file into a folder and give it as "
        "--manual_dir, or name the folder above hits/ in JAXASTRO_DATA. It packs the "
        "image sequences of github.com/rodrigcd/HiTS_simulations (MIT)."
    )
