"""SDSS-II Supernova Survey: ugriz light curves of 10,217 real candidates.

They are read from SNANA's tables HEAD and PHOT, or from the folder SMP_Data with
master_data.txt. The reader was tested on the published HEAD table; PHOT and SMP files
were not accessible, and their readers follow the descriptions (sdss_sn_tables.py). Data
card: sdss_sn_photometry.md.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_builders.engine.builder import SurveyBuilder
from data_builders.engine.raw import find_raw
from data_builders.sdss.sdss_sn_tables import (
    MASTER,
    ROWS,
    SOURCE,
    Candidate,
    Epochs,
    find_catalogue,
    groups_of,
    is_outlier,
    read_candidates,
    read_outliers,
    read_phot,
    read_smp,
)
from jaxastro.data.light_curve import make_light_curve_record
from jaxastro.data.record import Reading
from jaxastro.errors import MissingFileError, RecordError
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["sdss_sn_photometry"]
SMP_FOLDER = "SMP_Data"
PART_SIZE = 1024  # candidates that one process reads at a time
# This bit of the flag of the scene modelling, and higher ones, mark unusable epochs.
BAD_FLAG = 1024


class Part(NamedTuple):
    """Some candidates, and the path of their light curves."""

    photometry: Path  # a PHOT table or a folder of SMP files
    outliers: dict[str, list[tuple[float, str]]]
    candidates: tuple[tuple[Candidate, str], ...]  # with their group


class SdssSnPhotometry(SurveyBuilder):
    """Light curves of supernovae, active nuclei and variable stars, scene modelling."""

    SURVEY = SURVEY
    DESCRIPTION = "Light curves of the SDSS-II Supernova Survey."
    HOMEPAGE = "https://portal.nersc.gov/project/dessn/SDSS/dataRelease/"

    def parts(self, manual_dir: Path | None) -> list[Part]:
        """Returns the candidates, PART_SIZE to a part."""
        survey, source = "sdss_sn_photometry", SOURCE
        return parts_of(
            find_raw("", survey=survey, manual_dir=manual_dir, source=source)
        )

    def read_part(self, part: Part) -> Iterator[Reading]:
        """Yields the objects of a part."""
        return read_objects(part)


def read(path: Path) -> Iterator[Reading]:
    """Yields the objects of an unpacked release."""
    for part in parts_of(path):
        yield from read_objects(part)


def recognises(path: Path) -> bool:
    """Returns whether a folder has light curves of this survey."""
    try:
        return _photometry_of(find_catalogue(path)).exists()
    except (OSError, ValueError):
        return False


def parts_of(folder: Path) -> list[Part]:
    """Returns the candidates of a release, in parts.

    Raises:
        MissingFileError: if catalogue or light curves are missing; says which.
    """
    catalogue = find_catalogue(folder)
    photometry = _photometry_of(catalogue)
    if not photometry.exists():
        raise MissingFileError(
            f"No {photometry.name} in the folder of {catalogue}. It has the light "
            f"curves. Get it from {SOURCE}, and unpack it there."
        )
    outliers = {}
    for path in catalogue.parent.glob("*.IGNORE"):
        outliers |= read_outliers(path)
    candidates = read_candidates(catalogue)
    pairs = tuple(zip(candidates, groups_of(candidates), strict=True))
    return [
        Part(photometry, outliers, pairs[i : i + PART_SIZE])
        for i in range(0, len(pairs), PART_SIZE)
    ]


def read_objects(part: Part) -> Iterator[Reading]:
    """Yields a Reading for each candidate of a part."""
    candidates = [candidate for candidate, _ in part.candidates]
    if part.photometry.name == SMP_FOLDER:
        curves = (_read_smp_of(part.photometry, c) for c in candidates)
    else:
        curves = read_phot(part.photometry, candidates)
    for (candidate, group), epochs in zip(part.candidates, curves, strict=True):
        why = candidate.fault or (epochs if isinstance(epochs, str) else "")
        if why:
            yield Reading(candidate.object_id, None, (why,))
            continue
        try:
            outliers = part.outliers.get(candidate.object_id, [])
            yield _reading(candidate, group, epochs, outliers)
        except RecordError as error:
            yield Reading(candidate.object_id, None, (str(error),))


def _reading(candidate, group, epochs: Epochs, outliers) -> Reading:
    reasons = {
        f"a flag of {BAD_FLAG} or more": epochs.flag >= BAD_FLAG,
        "a row in the survey's list of outliers": is_outlier(epochs, outliers),
        "no band of ugriz": ~np.isin(epochs.band, SURVEY.bands),
    }
    notes = [
        f"{bad.sum()} epochs have {why}: dropped."
        for why, bad in reasons.items()
        if bad.any()
    ]
    good = ~np.any(list(reasons.values()), axis=0)
    label, label_source = ROWS[candidate.row]
    curve, repairs = make_light_curve_record(
        candidate.object_id,
        SURVEY,
        flux=epochs.flux[good],
        flux_error=epochs.flux_error[good],
        mjd=epochs.mjd[good],
        band=epochs.band[good],
        features=candidate.features,
        label=label,
        label_source=label_source,
        ra=candidate.ra,
        dec=candidate.dec,
        redshift=candidate.redshift,
        group=group,
    )
    return Reading(candidate.object_id, curve, (*notes, *repairs))


def _photometry_of(catalogue: Path) -> Path:
    """Returns the path of the light curves of a catalogue, which may not exist."""
    if catalogue.name == MASTER:
        return catalogue.parent / SMP_FOLDER
    paths = catalogue.parent.glob(catalogue.name.split("_HEAD.")[0] + "_PHOT.FITS*")
    return next(paths, catalogue.with_name(catalogue.name.replace("_HEAD.", "_PHOT.")))


def _read_smp_of(folder: Path, candidate: Candidate) -> Epochs | str:
    """Returns the light curve of a candidate, or why there is none."""
    number = candidate.object_id
    path = (
        folder / f"SMP_{int(number):06d}.dat" if number.isdigit() else folder / number
    )
    if path.is_file():
        return read_smp(path)
    return (
        f"Object {number}: no {path.name} in {SMP_FOLDER}, which has one file per "
        f"candidate. Unpack SMP_Data.tar.gz of {SOURCE} again."
    )
