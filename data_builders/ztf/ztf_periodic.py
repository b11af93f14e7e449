"""ZTF periodic variables: a catalogue of features, and light curves if downloaded.

The reader was tested on 9,634 rows of table 2 of Chen et al. 2020 (table2_subset.csv).
The official Table2.txt.zip and the light curves of IRSA were not accessible during
development; both are read by their published format. Data card: ztf_periodic.md.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import tensorflow_datasets as tfds
from etils import epath

from data_builders.engine.builder import SurveyBuilder
from data_builders.engine.raw import find_raw
from data_builders.ztf import ztf_periodic_table
from data_builders.ztf.ztf_periodic_clean import clean, merged_type
from data_builders.ztf.ztf_periodic_table import numbers_of
from jaxastro.data.light_curve import make_light_curve_record
from jaxastro.data.record import Reading
from jaxastro.data.text_table import Row, rows_of
from jaxastro.errors import InputError, RecordError
from jaxastro.surveys import SURVEYS
from jaxastro.units import flux_error_of, flux_of

SURVEY = SURVEYS["ztf_periodic"]
RAW_FILES = ("Table2.txt.zip", "Table2.txt", "table2_subset.csv")
LIGHT_CURVES = "light_curves"  # folder next to the catalogue, with SourceID.csv
CLEANING_FILE = "cleaning.json"  # in the folder of the built data set
# A value of 0 means that nothing was fitted: phases are between pi and 3 pi, the other
# numbers are positive.
NEVER_ZERO = ("gmag", "rmag", "Per", "R21", "phi21", "Amp")
OF_BAND = ("{}mag", "Per_{}", "R21_{}", "phi21_{}", "R2_{}", "Amp_{}", "log_FAP_{}")
BAD_EPOCH = 32768  # the bit of catflags that marks unusable epochs
BAND_OF = {"zg": "g", "zr": "r"}
MAX_BYTES = 2**26  # of a light curve; the longest have some thousand rows


class Part(NamedTuple):
    """A catalogue, and its selected lines, with types merged; None for all lines."""

    path: Path
    lines: frozenset[int] | None = None


class ZtfPeriodic(SurveyBuilder):
    """Periodic variable stars, with the features that define their types."""

    RELEASE_NOTES: ClassVar = {"1.0.0": "Features; light curves if downloaded."}
    BUILDER_CONFIGS: ClassVar = [
        tfds.core.BuilderConfig(
            name="clean", description="Well observed; at most 1,000 of ten types each."
        ),
        tfds.core.BuilderConfig(
            name="all", description="All stars, of the eleven types as published."
        ),
    ]
    SURVEY = SURVEY
    DESCRIPTION = "Periodic variable stars of the Zwicky Transient Facility."
    HOMEPAGE = "https://zenodo.org/record/3886372"

    def parts(self, manual_dir: Path | None) -> list[Part]:
        """Returns the catalogue, as one part."""
        return [Part(find_catalogue(manual_dir))]

    def read_part(self, part: Part) -> Iterator[Reading]:
        """Yields the selected stars."""
        return read_part(part)

    def _generate_examples(self, parts: list[Part]):
        if self.builder_config.name == "clean":
            lines, steps = clean(parts[0].path)
            report = epath.Path(self.data_dir) / CLEANING_FILE
            report.write_text(json.dumps(steps, indent=1))
            parts = [parts[0]._replace(lines=lines)]
        return super()._generate_examples(parts)


def read(path: Path) -> Iterator[Reading]:
    """Yields all stars of a catalogue."""
    return read_part(Part(path))


def recognises(path: Path) -> bool:
    """Returns whether a path is a catalogue with these columns."""
    try:
        is_table = path.is_file() and path.suffix in (".csv", ".txt", ".zip")
        return is_table and bool(next(ztf_periodic_table.rows_of(path), None))
    except ValueError:
        return False


def find_catalogue(manual_dir: Path | None) -> Path:
    """Returns the file of the catalogue, in any of its formats.

    Raises:
        MissingFileError: if there is none; the message has its source.
    """

    def find(name):
        return find_raw(
            name,
            survey="ztf_periodic",
            manual_dir=manual_dir,
            source="zenodo.org/record/3886372; python -m "
            "data_builders.ztf.ztf_periodic_fetch downloads it",
        )

    existing = [name for name in RAW_FILES if (find("") / name).exists()]
    return find(existing[0] if existing else RAW_FILES[0])


def read_part(part: Part) -> Iterator[Reading]:
    """Yields the selected stars of a catalogue."""
    for number, row in ztf_periodic_table.rows_of(part.path):
        if part.lines is None or number in part.lines:
            yield _reading(f"{part.path.name}, line {number}", row, part)


def _reading(where: str, row: dict | str, part: Part) -> Reading:
    try:
        numbers = numbers_of(row)
    except (ValueError, TypeError):
        line = row if isinstance(row, str) else " ".join(row.values())
        note = (
            f"{where}: {line.strip()[:60]!r} is no row of the table. Correct or remove "
            "it."
        )
        return Reading(where, None, (note,), raw=line.encode())
    name = row["Type"] if part.lines is None else merged_type(row["Type"])
    path = part.path.parent / LIGHT_CURVES / f"{row['SourceID']}.csv"
    curve, notes = _light_curve(path)
    try:
        record, more = make_light_curve_record(
            row["ID"],
            SURVEY,
            **curve,
            features=_features(numbers),
            label=name,
            label_source="catalogue",
            ra=numbers["RAdeg"],
            dec=numbers["DEdeg"],
        )
    except RecordError as error:
        return Reading(row["ID"], None, (f"{where}: {error}",))
    return Reading(row["ID"], record, (*notes, *more))


def _features(numbers: dict[str, float]) -> dict[str, float]:
    """Returns the survey's columns, NaN where the table has 0 for "unknown".

    Delta_min, the difference of the two minima of an eclipsing binary, is left out: it
    is above 0 for types EA and EW only.
    """
    found = {name: numbers[name] for name, _ in SURVEY.columns}
    for name, number in found.items():
        if number == 0 and name.split("_")[0] in NEVER_ZERO:
            found[name] = np.nan
    for band in SURVEY.bands:
        if np.isnan(found[f"{band}mag"]):
            found |= {name.format(band): np.nan for name in OF_BAND}
    return found


def _light_curve(path: Path) -> tuple[dict, tuple[str, ...]]:
    """Returns flux, error, time and band of the epochs in a CSV file, and notes."""
    usable, count, notes = [], 0, []
    try:
        for row in _epochs(path) if path.exists() else ():
            count += 1
            is_bad = int(row["catflags"]) & BAD_EPOCH
            if row["filtercode"] in BAND_OF and not is_bad:
                numbers = (float(row[name]) for name in ("mjd", "mag", "magerr"))
                usable.append((*numbers, BAND_OF[row["filtercode"]]))
    except (OSError, ValueError, KeyError) as error:
        usable, count = [], 0
        why = f"{type(error).__name__}: {error}"
        notes.append(f"light curve {path.name} left out: {why}. Download it again.")
    if len(usable) < count:
        lost = count - len(usable)
        notes.append(f"{lost} epochs are flagged bad or in another band: dropped.")
    mjd, mag, mag_error = np.array([row[:3] for row in usable]).reshape(-1, 3).T
    return {
        **in_microjansky(mag, mag_error),
        "mjd": mjd,
        "band": np.array([band for *_, band in usable], "U1"),
    }, tuple(notes)


def in_microjansky(mag: np.ndarray, mag_error: np.ndarray) -> dict[str, np.ndarray]:
    """Returns flux and flux_error, microjansky, from AB magnitudes and their errors."""
    flux = flux_of(mag)
    return {"flux": flux, "flux_error": flux_error_of(flux, mag_error)}


def _epochs(path: Path) -> Iterator[dict[str, str]]:
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"more than {MAX_BYTES} bytes")
    with open(path, newline="", encoding="utf-8") as file:
        rows = rows_of(file)
        header = next(rows, Row(0, [])).cells
        for row in rows:
            yield dict(zip(header, row.cells, strict=False))
