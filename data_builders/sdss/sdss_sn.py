"""SDSS-II Supernova Survey: image time series in ugriz of 10,217 real candidates.

The catalogue was read as published; the reader of frames was written after their
data model, as none was at hand (sdss_sn_frames.py). Frames are cut beforehand:

    python -m data_builders.sdss.sdss_sn_cut --manual_dir FOLDER --download

The data card, with the query that finds all frames of an object, is sdss_sn.md.
"""

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import tensorflow_datasets as tfds

from data_builders.engine.builder import SurveyBuilder
from data_builders.engine.raw import find_raw
from data_builders.sdss.sdss_sn_cutouts import STORE_FILE, Place, Store
from data_builders.sdss.sdss_sn_frames import FIELDS_FILE
from data_builders.sdss.sdss_sn_tables import (
    ROWS,
    Candidate,
    find_catalogue,
    groups_of,
    read_candidates,
)
from jaxastro.data.record import Reading
from jaxastro.data.series import make_series_record
from jaxastro.errors import MissingFileError, RecordError
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["sdss_sn"]
CUTTING = (
    "cutting the survey's frames: python -m data_builders.sdss.sdss_sn_cut --manual_dir "
    "FOLDER; its data card says what to put there"
)
PART_SIZE = 64  # objects that one process reads at a time


@dataclasses.dataclass(kw_only=True)
class SdssSnConfig(tfds.core.BuilderConfig):
    """Which nights count."""

    minimum_score: float  # of a field; only those above it count


class Part(NamedTuple):
    """Some candidates, and where their stamps lie."""

    store: Path
    minimum_score: float
    candidates: tuple[tuple[Candidate, str], ...]  # with their group


class SdssSn(SurveyBuilder):
    """Stamps of supernovae, active nuclei and variable stars, all runs of Stripe 82."""

    RELEASE_NOTES: ClassVar = {"1.0.0": "Nanomaggies became microjansky."}
    BUILDER_CONFIGS: ClassVar = [
        SdssSnConfig(
            name="all_nights",
            description="Every usable field: score above 0.",
            minimum_score=0.0,
        ),
        SdssSnConfig(
            name="photometric_nights",
            description="Fields that SDSS calls photometric in all bands.",
            minimum_score=0.6,
        ),
    ]
    SURVEY = SURVEY
    DESCRIPTION = "Image time series of the SDSS-II Supernova Survey."
    HOMEPAGE = "https://classic.sdss.org/supernova/aboutsn.html"

    def parts(self, manual_dir: Path | None) -> list[Part]:
        """Returns the candidates, PART_SIZE to a part."""
        store = find_raw(
            STORE_FILE,
            survey="sdss_sn",
            manual_dir=manual_dir,
            source=CUTTING,
        )
        return parts_of(store, minimum_score=self.builder_config.minimum_score)

    def read_part(self, part: Part) -> Iterator[Reading]:
        """Yields the objects of a part."""
        return read_objects(part)


def read(path: Path) -> Iterator[Reading]:
    """Yields the objects of a folder with a catalogue and the stamps cut for it."""
    store = path / STORE_FILE
    if not store.is_file():
        raise MissingFileError(f"{path} has no {STORE_FILE}. It comes from {CUTTING}.")
    for part in parts_of(store, minimum_score=0.0):
        yield from read_objects(part)


def recognises(path: Path) -> bool:
    """Returns whether a folder holds what is cut from SDSS frames, or what to cut."""
    return any((path / name).is_file() for name in (STORE_FILE, FIELDS_FILE))


def places_of(candidates: list[Candidate]) -> list[Place]:
    """Returns where to cut: every candidate with a position, whatever its class."""
    return [
        Place(c.object_id, c.ra, c.dec)
        for c in candidates
        if math.isfinite(c.ra + c.dec)
    ]


def parts_of(store: Path, *, minimum_score: float) -> list[Part]:
    """Returns the candidates whose catalogue lies beside the stamps, in parts."""
    candidates = read_candidates(find_catalogue(store.parent))
    pairs = tuple(zip(candidates, groups_of(candidates), strict=True))
    return [
        Part(store, minimum_score, pairs[i : i + PART_SIZE])
        for i in range(0, len(pairs), PART_SIZE)
    ]


def read_objects(part: Part) -> Iterator[Reading]:
    """Yields a Reading for each candidate of a part."""
    with Store(part.store, size=SURVEY.image_size) as store:
        for candidate, group in part.candidates:
            try:
                yield _reading(store, candidate, group, part.minimum_score)
            except RecordError as error:
                yield Reading(candidate.object_id, None, (str(error),))


def _reading(store, candidate, group, minimum_score) -> Reading:
    if candidate.wrong:
        return Reading(candidate.object_id, None, (candidate.wrong,))
    place = Place(candidate.object_id, candidate.ra, candidate.dec)
    planned, cut = store.frames_of(place)
    epochs = store.epochs_of(place, minimum_score=minimum_score)
    told = f"{cut} of the {planned} frames that show it were cut"
    if not epochs:
        why = (
            f"Object {candidate.object_id}: no stamp of a field above {minimum_score}; "
            f"{told}. An object needs one. Cut more frames or take more nights."
        )
        return Reading(candidate.object_id, None, (why,))
    label, label_source = ROWS[candidate.row]
    record, notes = make_series_record(
        candidate.object_id,
        SURVEY,
        label=label,
        label_source=label_source,
        ra=candidate.ra,
        dec=candidate.dec,
        redshift=candidate.redshift,
        group=group,
        **epochs,
    )
    if cut < planned:
        notes = (*notes, f"{told}: the others are missing or damaged.")
    return Reading(candidate.object_id, record, notes)
