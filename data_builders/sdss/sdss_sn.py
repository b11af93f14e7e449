"""SDSS-II Supernova Survey: image time series in ugriz of 10,217 real candidates.

The reader of the catalogue was tested on the published one; the reader of frames
follows their data model, as no frame was accessible (sdss_sn_frames.py). Frames are cut
first:

    python -m data_builders.sdss.sdss_sn_cut --manual_dir FOLDER --download

Data card, with the query that finds all frames of an object: sdss_sn.md.
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
    "cutting the survey's frames: python -m data_builders.sdss.sdss_sn_cut "
    "--manual_dir FOLDER; the data card lists the files to put there"
)
PART_SIZE = 64  # objects that one process reads at a time


@dataclasses.dataclass(kw_only=True)
class SdssSnConfig(tfds.core.BuilderConfig):
    """The nights that are used."""

    minimum_score: float  # of a field; only fields above it are used


class Part(NamedTuple):
    """Some candidates, and the path of their stamps."""

    store: Path
    minimum_score: float
    candidates: tuple[tuple[Candidate, str], ...]  # with their group


class SdssSn(SurveyBuilder):
    """Stamps of supernovae, active nuclei and variable stars, all runs of Stripe 82."""

    RELEASE_NOTES: ClassVar = {"1.0.0": "Fluxes in microjansky."}
    BUILDER_CONFIGS: ClassVar = [
        SdssSnConfig(
            name="all_nights",
            description="Every usable field: score above 0.",
            minimum_score=0.0,
        ),
        SdssSnConfig(
            name="photometric_nights",
            description="Fields that are photometric in all bands.",
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
    """Returns whether a folder has stamps cut from SDSS frames, or frames to cut."""
    return any((path / name).is_file() for name in (STORE_FILE, FIELDS_FILE))


def places_of(candidates: list[Candidate]) -> list[Place]:
    """Returns the positions to cut: all candidates with a position, of any class."""
    return [
        Place(c.object_id, c.ra, c.dec)
        for c in candidates
        if math.isfinite(c.ra + c.dec)
    ]


def parts_of(store: Path, *, minimum_score: float) -> list[Part]:
    """Returns the candidates of the catalogue in the folder of the stamps, in parts."""
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
    if candidate.fault:
        return Reading(candidate.object_id, None, (candidate.fault,))
    place = Place(candidate.object_id, candidate.ra, candidate.dec)
    planned, cut = store.frames_of(place)
    epochs = store.epochs_of(place, minimum_score=minimum_score)
    cut_of_planned = f"{cut} of the {planned} frames that contain it were cut"
    if not epochs:
        why = (
            f"Object {candidate.object_id}: no stamp of a field above {minimum_score}; "
            f"{cut_of_planned}. One is needed. Cut more frames or use more nights."
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
        notes = (*notes, f"{cut_of_planned}: the others are missing or damaged.")
    return Reading(candidate.object_id, record, notes)
