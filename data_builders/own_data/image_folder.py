"""Data of any team: a folder of cutouts and a table of objects.

The folder has objects.csv, with one row per epoch, and the image files named in it;
optionally survey.json, with facts of the survey. image_folder.md shows an example. This
format is defined by this project.

    import data_builders
    records = data_builders.load("image_folder/my_survey", manual_dir="my_folder")

The name my_survey can be chosen freely. Bands, classes and image size are found from
the data and stored with the data set, so that it can be used without the folder.
"""

import collections
import dataclasses
import re
import sys
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import NamedTuple

import numpy as np
import tensorflow_datasets as tfds
from absl import logging

from data_builders.engine.builder import SURVEY_FILE, OwnFacts
from data_builders.engine.image_files import (
    MAX_PIXELS,
    ImageError,
    image_shape,
    read_image,
)
from data_builders.engine.raw import find_raw
from jaxastro.data.record import Reading
from jaxastro.data.series import SeriesRecord, make_series_record
from jaxastro.data.survey_json import survey_from_json
from jaxastro.data.text_table import Row, cells_of, rows_of
from jaxastro.errors import InputError, RecordError
from jaxastro.surveys import SURVEYS, UNLABELLED, Survey
from jaxastro.units import MJD_ZERO

TABLE = "objects.csv"
REQUIRED = ("object", "file", "mjd", "band")
OF_OBJECTS = ("label", "label_source", "ra", "dec", "redshift", "group")
OF_EPOCHS = ("psf_fwhm", "noise", "gain", "zero_point")
OF_FILES = ("hdu", "index")
NUMBERS = ("ra", "dec", "redshift")
PART_SIZE = 32  # objects that one process reads at a time
FIRST_JULIAN_DATE = 1e6  # modified Julian dates are below, Julian dates above
# First characters of text that a spreadsheet would run as a formula.
FORMULA = "=+-@\t\r"


@dataclasses.dataclass(kw_only=True)
class ImageFolderConfig(tfds.core.BuilderConfig):
    """A data set of images: its name, and its folder if it is not manual_dir."""

    folder: str = ""


class Part(NamedTuple):
    """Some objects of a folder, and the columns of their rows."""

    folder: Path
    survey: Survey
    columns: tuple[str, ...]
    objects: dict[str, list[tuple]]  # name -> rows: line number, then cells


class ImageFolder(OwnFacts):
    """Image time series from a folder of FITS, npy or npz cutouts and a CSV file."""

    SURVEY = SURVEYS["image_folder"]
    CONFIG = ImageFolderConfig
    DESCRIPTION = "Image time series of any team, from a folder and objects.csv."

    def parts(self, manual_dir: Path | None) -> list[Part]:
        """Returns the folder's objects, PART_SIZE to a part."""
        config = self.builder_config
        name = config.name if config else ""
        if not re.fullmatch(r"\w[\w.+-]*", name):
            raise InputError(
                f"{name!r} is no name for a data set of your own images. A name of "
                "letters, digits and _ . + - is expected. Write image_folder/NAME, "
                "with a NAME of your choice."
            )
        folder = Path(config.folder or find_folder(name, manual_dir))
        table = read_table(folder, name=name)
        objects = list(table.objects.items())
        return [
            table._replace(objects=dict(objects[i : i + PART_SIZE]))
            for i in range(0, len(objects), PART_SIZE)
        ]

    def read_part(self, part: Part) -> Iterator[Reading]:
        """Yields the objects of a part."""
        return read_objects(part)

    def facts_of(self, parts: list[Part]) -> Survey:
        """Returns the facts of the folder, with the size of its images."""
        survey = parts[0].survey
        return survey._replace(image_size=survey.image_size or common_size(parts))


def read(path: Path, survey: Survey | None = None) -> Iterator[Reading]:
    """Yields the objects of a folder.

    Args:
        path: a folder with objects.csv.
        survey: with bands and classes, for new objects of the survey of a trained
            model; by default those of the folder.
    """
    part = read_table(path, name=path.resolve().name)
    return read_objects(part._replace(survey=survey) if survey else part)


def recognises(path: Path) -> bool:
    """Returns whether a path is a folder with a table of objects."""
    try:
        with open(path / TABLE, encoding="utf-8-sig") as file:
            return set(REQUIRED) <= set(_header(cells_of(file.readline(10000))))
    except (OSError, ValueError):
        return False


def find_folder(name: str, manual_dir: Path | None) -> Path:
    """Returns the given folder, or the one of that name in it.

    Raises:
        MissingFileError: if neither has an objects.csv.
    """
    if manual_dir and (manual_dir / TABLE).exists():
        return manual_dir
    return find_raw(
        f"{name}/{TABLE}",
        survey="image_folder",
        manual_dir=manual_dir,
        source="you: data_builders/own_data/image_folder.md describes its format",
    ).parent


def read_table(folder: Path, *, name: str) -> Part:
    """Returns all rows of objects.csv by object, and the facts of the survey.

    Memory holds the table, 0.4 GB for a million epochs, but no images.

    Raises:
        InputError: if the table cannot be read.
    """
    path, objects = folder / TABLE, collections.defaultdict(list)
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = rows_of(file, strict=True)
            columns = _header(next(rows, Row(0, [])).cells)
            for line, cells in rows:
                cells = [sys.intern(cell.strip()) for cell in cells]
                row = dict(zip(columns, cells, strict=False))
                objects[row.get("object", "")].append((line, *cells))
    except (InputError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: {error}. A table in UTF-8 with cells separated by commas is "
            "expected. Save it as CSV UTF-8."
        ) from error
    known = (*REQUIRED, *OF_OBJECTS, *OF_EPOCHS, *OF_FILES)
    faults = [f"no column {name!r}" for name in REQUIRED if name not in columns]
    faults += [f"two columns {name!r}" for name in known if columns.count(name) > 1]
    if faults or not objects:
        raise InputError(
            f"{path}: {faults[0] if faults else 'no row'}. A table with the columns "
            f"{', '.join(REQUIRED)}, separated by commas, and one row per epoch is "
            "expected. Correct the table."
        )
    unknown = [column for column in columns if column not in known]
    if unknown:
        logging.warning("%s: columns ignored: %s", path, ", ".join(unknown))
    survey = _survey_of(folder, columns, objects, name)
    return Part(folder, survey, columns, dict(objects))


def common_size(parts: list[Part]) -> int:
    """Returns the size of the square images of all objects, 0 if sizes differ."""
    sizes = set()
    for part in parts:
        for rows in part.objects.values():
            try:
                first = _cells(part.columns, rows)[0]
                path = _inside(part.folder, first["file"])
                y, x = image_shape(path, first.get("hdu", ""))[-2:]
            except (RecordError, ImageError):
                y, x = 0, 1  # read_objects sets it aside
            sizes |= {x} if x == y else set()
    return sizes.pop() if len(sizes) == 1 else 0


def read_objects(part: Part) -> Iterator[Reading]:
    """Yields the objects of a part; unreadable ones are set aside."""
    for object_id, rows in part.objects.items():
        lines = f"{TABLE}, line {rows[0][0]}"
        try:
            cells = _cells(part.columns, rows)
            _check_text("name", object_id)
            record, notes = _record(object_id, cells, part)
        except (RecordError, ImageError) as error:
            why = str(error).removeprefix(f"Object {object_id}: ")
            record, notes = None, (f"Object {object_id!r} ({lines}): {why}",)
        yield Reading(object_id, record, notes)


def _header(cells) -> tuple[str, ...]:
    return tuple(cell.strip().lower() for cell in cells)


def _survey_of(folder, columns, objects, name) -> Survey:
    """Returns the survey's facts: those of survey.json, or else of the table."""

    def values_of(column):
        if column not in columns:
            return ()
        i = 1 + columns.index(column)
        values = {row[i] for rows in objects.values() for row in rows if len(row) > i}
        values = values - {"", UNLABELLED}
        return tuple(sorted(value for value in values if value[0] not in FORMULA))

    bands = values_of("band")
    survey = SURVEYS["image_folder"]._replace(
        name=name,
        bands=bands,
        wavelength=(np.nan,) * len(bands),
        classes=values_of("label"),
    )
    path = folder / SURVEY_FILE
    if path.exists():
        try:
            survey = survey_from_json(path.read_text("utf-8"), otherwise=survey)
        except (InputError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: {error}") from error
    if survey.kind != "series":
        raise InputError(
            f"{path}: kind is {survey.kind!r}. A folder of images has the kind "
            "'series'. Remove the entry."
        )
    return survey


def _cells(columns, rows) -> list[dict[str, str]]:
    for line, *cells in rows:
        if len(cells) != len(columns):
            raise RecordError(
                f"line {line} has {len(cells)} cells, the header {len(columns)}. Give "
                "every row one cell per column."
            )
    return [dict(zip(columns, row[1:], strict=True)) for row in rows]


def _check_text(what: str, text: str) -> None:
    if not text or text[0] in FORMULA or not text.isprintable():
        raise RecordError(
            f"its {what} is {text!r}. Printable text that does not start with = + - @ "
            "is expected: a spreadsheet would run it as a formula. Rename it."
        )


def _record(
    object_id: str, cells: list[dict], part: Part
) -> tuple[SeriesRecord, tuple]:
    fields = {}
    for column in OF_OBJECTS:
        values = {row.get(column, "") for row in cells} - {""}
        if len(values) > 1:
            raise RecordError(
                f"{column} is {' and '.join(sorted(values))}. An object has one value. "
                "Give the same in all its rows."
            )
        for value in values:
            is_number = column in NUMBERS
            fields[column] = _number(column, value) if is_number else value
    fields.setdefault("label", UNLABELLED)
    _check_text("label", fields["label"])
    if fields["label"] != UNLABELLED:
        fields.setdefault("label_source", "catalogue")
    for column in ("mjd", *OF_EPOCHS):
        if column in cells[0]:
            fields[column] = [_number(column, row[column]) for row in cells]
    if np.nanmax([*fields["mjd"], 0.0]) > FIRST_JULIAN_DATE:
        raise RecordError(
            f"mjd is {max(fields['mjd'])}, a Julian Date. A Modified Julian Date is "
            f"expected. Subtract {MJD_ZERO}."
        )
    flux = np.stack(_frames(part.folder, cells))
    return make_series_record(
        object_id, part.survey, flux=flux, band=[row["band"] for row in cells], **fields
    )


def _number(column: str, cell: str) -> float:
    try:
        return float(cell) if cell else np.nan
    except ValueError:
        raise RecordError(
            f"{column} is {cell!r}. A number or an empty cell is expected. Correct it."
        ) from None


def _frames(folder: Path, cells: list[dict]) -> list[np.ndarray]:
    """Returns the images [y x] of an object's rows.

    The file of a row is an image, or a cube of which `index`, from 0, selects a frame.
    If the index is empty, the rows with the same cube are all its frames in order.
    """
    images, taken, frames = {}, collections.Counter(), []
    for row in cells:
        key = row["file"], row.get("hdu", "")
        if key not in images:
            images[key] = read_image(_inside(folder, key[0]), key[1])
        index = row.get("index", "")
        cube = images[key] if images[key].ndim == 3 else images[key][None]
        if not index and images[key].ndim == 3:
            index, taken[key] = str(taken[key]), taken[key] + 1
        if not re.fullmatch(r"\d{0,9}", index) or int(index or 0) >= len(cube):
            raise RecordError(
                f"frame {index} of {key[0]}, which has {len(cube)}, counted from 0. "
                "Give each frame one row, or the number of the frame as its index."
            )
        frames.append(cube[int(index or 0)])
        if sum(image.size for image in images.values()) > MAX_PIXELS:
            raise RecordError(f"more than {MAX_PIXELS} pixels. Cut its images.")
    for key, count in taken.items():
        if count != len(images[key]):
            raise RecordError(
                f"{count} rows for {key[0]}, which has {len(images[key])} frames. Give "
                "each frame one row, or the number of the frame as its index."
            )
    shapes = sorted({frame.shape for frame in frames})
    if len(shapes) > 1:
        raise RecordError(
            f"images of shape {shapes[0]} and {shapes[-1]}. An object has one size. "
            "Cut them to the same."
        )
    return frames


def _inside(folder: Path, name: str) -> Path:
    """Returns the path of a file in the folder.

    Raises:
        RecordError: if it is outside of the folder or does not exist.
    """
    try:
        path = (folder / name).resolve()
        outside = ".." in PurePath(name).parts or PurePath(name).is_absolute()
        outside = outside or not path.is_relative_to(folder.resolve())
        exists = path.is_file()
    except (OSError, ValueError, RuntimeError):  # such as a loop of links
        outside, exists = False, False
    if outside or not exists:
        fault = "is outside the folder" if outside else "is no file in the folder"
        raise RecordError(
            f"{name!r} {fault}. Paths are relative to the folder of {TABLE}, and files "
            "are in it. Put the file there."
        )
    return path
