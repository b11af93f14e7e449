"""ASAS: 13,909 light curves of variable stars in one band, from one Parquet file.

The reader was tested on this complete file. Data card: asas.md.
"""

import collections
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow_datasets as tfds
from scipy.cluster.hierarchy import DisjointSet

from data_builders.engine.builder import SurveyBuilder
from data_builders.engine.raw import find_raw
from jaxastro.data.light_curve import LightCurveRecord, make_light_curve_record
from jaxastro.data.record import Reading
from jaxastro.errors import InputError, RecordError
from jaxastro.photometry.period import find_period, shape_at
from jaxastro.surveys import SURVEYS
from jaxastro.units import MJD_ZERO, flux_error_of, flux_of

SURVEY = SURVEYS["asas"]
RAW_FILE = "asas.parquet"
COLUMNS = ("object_id", "class_short", "time", "mag", "magerr")
BATCH_SIZE = 256  # objects in memory at a time
NOT_MEASURED = 29.0  # magnitudes; ASAS writes 29.999; the faintest star has 17.6
WORST_ERROR = 9.9  # magnitudes; 9.99 and 99 mean "unknown" in many catalogues
# Flux of a star of V = 0, Vega system, microjansky: Bessell, Castelli & Plez 1998,
# A&A 333, 231, table A2.
ZERO_FLUX = 3636e6
# Number of points by which a light curve is compared with all others, and of equal
# points of the same star. Light curves of one star share more than half of their
# points, those of different stars at most one in fifty.
NUM_POINTS, MIN_SHARED = 16, 4


class Part(NamedTuple):
    """A row group of the file, and the groups of stars with several names."""

    path: Path
    row_group: int
    group_of: dict[str, str] = {}  # noqa: RUF012 - never changed


class Asas(SurveyBuilder):
    """Light curves of eclipsing binaries and pulsating stars in V."""

    VERSION = tfds.core.Version("1.1.0")
    RELEASE_NOTES: ClassVar = {
        "1.0.0": "Repeated points dropped; V in microjansky.",
        "1.1.0": "Period and shape, measured on each light curve, as columns.",
    }
    SURVEY = SURVEY
    DESCRIPTION = (
        "V-band light curves of variable stars of the All Sky Automated Survey."
    )
    HOMEPAGE = "http://www.astrouw.edu.pl/asas/"

    def parts(self, manual_dir: Path | None) -> list[Part]:
        """Returns the file's row groups."""
        path = find_raw(
            RAW_FILE,
            survey="asas",
            manual_dir=manual_dir,
            source=(
                "the light curves of the ASAS catalogue of variable stars, in one "
                "Parquet file with the columns listed in data_builders/asas/asas.md"
            ),
        )
        return parts_of(path)

    def read_part(self, part: Part) -> Iterator[Reading]:
        """Yields the light curves of a row group."""
        return read_part(part)

    def _generate_examples(self, parts: list[Part]):
        groups = same_stars(parts)
        return super()._generate_examples(
            [part._replace(group_of=groups) for part in parts]
        )


def read(path: Path) -> Iterator[Reading]:
    """Yields the light curves of a file."""
    parts = parts_of(path)
    groups = same_stars(parts)
    return itertools.chain.from_iterable(
        read_part(part._replace(group_of=groups)) for part in parts
    )


def recognises(path: Path) -> bool:
    """Returns whether a path is such a Parquet file."""
    try:
        return path.is_file() and set(COLUMNS) <= set(pq.read_schema(path).names)
    except (OSError, ValueError):
        return False


def parts_of(path: Path) -> list[Part]:
    """Returns the row groups of a file.

    Raises:
        InputError: if it is no Parquet file, or has other columns.
    """
    if not recognises(path):
        raise InputError(
            f"{path} is no Parquet file with the columns {', '.join(COLUMNS)}. "
            "Download or write it again; data_builders/asas/asas.md describes them."
        )
    count = pq.read_metadata(path).num_row_groups
    return [Part(path, number) for number in range(count)]


def read_part(part: Part) -> Iterator[Reading]:
    """Yields the light curves of a row group."""
    for row in _rows(part, COLUMNS):
        object_id = str(row["object_id"])
        try:
            record, notes = _light_curve(object_id, row, part.group_of)
        except RecordError as error:
            record, notes = None, (str(error),)
        yield Reading(object_id, record, notes)


def same_stars(parts: Iterable[Part]) -> dict[str, str]:
    """Returns the group of each star that the catalogue lists under several names.

    Each light curve is represented by its NUM_POINTS points of smallest hash. Two light
    curves that share MIN_SHARED of them are of one star; groups are transitive.
    """
    owners = collections.defaultdict(list)
    for part in parts:
        for row in _rows(part, ("object_id", "time", "mag")):
            for point in _point_hashes(row["time"], row["mag"]):
                owners[point].append(str(row["object_id"]))
    shared = collections.Counter(
        pair for names in owners.values() for pair in itertools.combinations(names, 2)
    )
    pairs = [pair for pair, count in shared.items() if count >= MIN_SHARED]
    stars = DisjointSet(name for pair in pairs for name in pair)
    for pair in pairs:
        stars.merge(*pair)
    return {name: f"star{min(names)}" for names in stars.subsets() for name in names}


def _point_hashes(time: np.ndarray | None, mag: np.ndarray | None) -> list[int]:
    """Returns the smallest hashes of the points, without repeats."""
    if np.shape(time) != np.shape(mag) or time is None:
        return []  # it is set aside by read_part
    time, mag = time.view(np.uint64), mag.view(np.uint64)
    # Multiplication by odd constants mixes the bits; both are from splitmix64.
    mixed = (time * np.uint64(0x9E3779B97F4A7C15)) ^ mag
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = mixed ^ (mixed >> np.uint64(27))
    return np.unique(mixed)[:NUM_POINTS].tolist()


def _rows(part: Part, columns) -> Iterator[dict]:
    file = pq.ParquetFile(part.path)
    batches = file.iter_batches(
        BATCH_SIZE, row_groups=[part.row_group], columns=list(columns)
    )
    for batch in batches:
        for i in range(batch.num_rows):
            yield {name: _value(batch.column(name)[i]) for name in columns}


def _value(cell: pa.Scalar):
    """Returns a list as an array, other values as Python objects."""
    if pa.types.is_list(cell.type) and cell.is_valid:
        return cell.values.to_numpy(zero_copy_only=False).astype(float)
    return cell.as_py()


def _light_curve(object_id: str, row: dict, group_of: dict):
    time, mag, mag_error = row["time"], row["mag"], row["magerr"]
    lengths = {np.shape(column) for column in (time, mag, mag_error)}
    if len(lengths) > 1 or lengths == {()}:
        raise RecordError(
            f"Object {object_id}: times, magnitudes and errors have shapes {lengths}. "
            "The same is expected. Write the file again."
        )
    mag = np.where(mag > NOT_MEASURED, np.nan, mag)
    mag_error = np.where(mag_error > WORST_ERROR, np.nan, mag_error)
    flux = ZERO_FLUX * flux_of(mag, 0.0)
    record, notes = make_light_curve_record(
        object_id,
        SURVEY,
        flux=flux,
        flux_error=flux_error_of(flux, mag_error),
        # From heliocentric Julian dates. The light travel time to the Sun, at most 8.3
        # minutes, is not corrected: the file has no positions.
        mjd=time - MJD_ZERO,
        band=np.zeros(time.shape, int),
        label=row["class_short"],
        label_source="catalogue",
        group=group_of.get(object_id, ""),
    )
    return record._replace(features=measured(record)), notes


def measured(record: LightCurveRecord) -> np.ndarray:
    """Returns the survey's columns: period and shape, measured on the light curve."""
    curve = record.mjd, record.flux, record.flux_error
    period = find_period(*curve)
    return np.array([*period, *shape_at(*curve, period.days)])
