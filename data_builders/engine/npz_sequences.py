"""Reads image sequences of several objects from one npz file.

The frames of all objects are concatenated; `offsets` has the start of each object:

| array | shape | meaning |
|---|---|---|
| images | sum t, y, x | flux, survey's unit per pixel |
| offsets | n + 1 | object i has the frames offsets[i] to offsets[i + 1] - 1 |
| mjd | sum t | modified Julian date, days |
| name | n | names of the objects, unique |
| band | sum t | names or indices of bands; optional if the survey has one |
| psf_fwhm noise gain zero_point | sum t | arcsec, flux, electrons per ADU, AB mag |
| ra dec redshift | n | degrees, degrees |
| label label_source truth | n | text |
| field | n | text or number; objects of one field stay in one fold |

The first four are required. Arrays of other names are ignored.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jaxastro.data.record import Reading
from jaxastro.data.series import make_series_record
from jaxastro.errors import InputError, MissingFileError, RecordError
from jaxastro.surveys import Survey

REQUIRED = ("images", "offsets", "mjd", "name")
PER_FRAME = ("band", "psf_fwhm", "noise", "gain", "zero_point")
PER_OBJECT = ("ra", "dec", "redshift", "label", "label_source", "truth", "field")
TEXT = ("name", "label", "label_source", "truth")
KINDS = {"band": "USfiu", "field": "USiu"}  # NumPy's codes for text and numbers
MAX_GIGABYTES = 16  # uncompressed; memory holds the complete file


def read_sequences(path: Path, survey: Survey) -> Iterator[Reading]:
    """Yields one Reading per object of the file, in its order.

    Args:
        path: npz file with the arrays of the table above.
        survey: with bands, classes, image size and sentinels.

    Raises:
        MissingFileError: if there is no such file.
        InputError: if the file cannot be read; a single bad object is set aside.
    """
    columns = _checked(path, _load(path), survey)
    per_frame = [name for name in ("mjd", *PER_FRAME) if name in columns]
    per_object = [name for name in PER_OBJECT if name in columns]
    offsets, seen = columns["offsets"], set()
    for i, object_id in enumerate(columns["name"].tolist()):
        if object_id in seen or not object_id:
            wrong = "its name occurs twice" if object_id else "it has no name"
            note = (
                f"Object {object_id!r} ({path.name}, number {i}): {wrong}. Rename it."
            )
            yield Reading(object_id, None, (note,))
            continue
        seen.add(object_id)
        frames = slice(offsets[i], offsets[i + 1])
        fields = {name: columns[name][i].item() for name in per_object}
        fields |= {name: columns[name][frames] for name in per_frame}
        if "field" in fields:
            fields["group"] = _group_of(fields.pop("field"))
        fields.setdefault("band", np.zeros(frames.stop - frames.start, np.int32))
        try:
            record, notes = make_series_record(
                object_id, survey, flux=columns["images"][frames], **fields
            )
        except RecordError as error:
            record, notes = None, (str(error),)
        yield Reading(object_id, record, notes)


def holds_sequences(path: Path, survey: Survey) -> bool:
    """Returns whether a file has image sequences of a survey, by its array headers.

    Images have the size of the survey; a survey of several bands needs `band`.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open("images.npy") as file:
            names = {name.removesuffix(".npy") for name in archive.namelist()}
            np.lib.format.read_magic(file)
            shape, _, _ = np.lib.format.read_array_header_1_0(file)
    # A file of another format may raise any error.
    except Exception:  # noqa: BLE001
        return False
    has_bands = "band" in names or len(survey.bands) == 1
    size = survey.image_size
    return set(REQUIRED) <= names and shape[1:] == (size, size) and has_bands


def _load(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        problem = "is a folder" if path.is_dir() else "does not exist"
        raise MissingFileError(
            f"{path} {problem}. An npz file of image sequences is expected. Give the "
            "path of the file."
        )
    if not zipfile.is_zipfile(path):
        raise InputError(
            f"{path} is not a complete npz file ({path.stat().st_size} bytes). An npz "
            "is a zip archive of arrays. Download the file again, or write it with "
            "numpy.savez_compressed."
        )
    try:
        # Without allow_pickle=False an untrusted file could run code.
        with np.load(path, allow_pickle=False) as raw:
            gigabytes = sum(item.file_size for item in raw.zip.infolist()) / 2**30
            wanted = (*REQUIRED, *PER_FRAME, *PER_OBJECT)
            present = [name for name in wanted if name in raw.files]
            missing = [name for name in REQUIRED if name not in raw.files]
            fits = gigabytes <= MAX_GIGABYTES
            columns = {name: raw[name] for name in present} if fits else {}
    # A damaged zip file may raise any error.
    except Exception as error:
        raise InputError(
            f"{path}: damaged or unsafe npz file: {type(error).__name__}: {error}. "
            "Plain numeric and text arrays are expected. Download the file again, or "
            "write it without Python objects."
        ) from error
    if missing:
        raise InputError(
            f"{path}: no array named {missing[0]!r}. A file of image sequences has "
            f"{', '.join(REQUIRED)}. Add it; the docstring of "
            "data_builders/engine/npz_sequences.py describes it."
        )
    if not fits:
        raise InputError(
            f"{path}: {gigabytes:.0f} GiB uncompressed. At most {MAX_GIGABYTES} GiB "
            "are read at once. Split it into files of fewer objects."
        )
    return columns


def _checked(path: Path, columns: dict, survey: Survey) -> dict[str, np.ndarray]:
    images, offsets = columns["images"], columns["offsets"]
    columns = dict(columns)
    if images.ndim != 3 or images.dtype.kind not in "fiu":
        raise InputError(
            f"{path}: images has shape {images.shape} and type {images.dtype}. Numbers "
            "of shape [frames, y, x] are expected. Stack all frames on the first axis."
        )
    in_order = (
        offsets.ndim == 1
        and offsets.dtype.kind in "iu"
        and len(offsets) > 0
        and (offsets[1:] >= offsets[:-1]).all()
        and (offsets[0], offsets[-1]) == (0, len(images))
    )
    if not in_order:
        raise InputError(
            f"{path}: offsets has shape {offsets.shape}, type {offsets.dtype}, first "
            f"{offsets.ravel()[:1]}, last {offsets.ravel()[-1:]}. Whole numbers that "
            f"rise from 0 to the {len(images)} frames are expected. Rebuild offsets."
        )
    if "band" not in columns and len(survey.bands) > 1:
        raise InputError(
            f"{path}: no array named 'band', but {survey.name} has "
            f"{', '.join(survey.bands)}. Add the band of every frame."
        )
    for name in columns.keys() - {"images", "offsets"}:
        of_frames = name == "mjd" or name in PER_FRAME
        length = len(images) if of_frames else len(offsets) - 1
        columns[name] = _checked_column(
            path, name, columns[name], length, "frame" if of_frames else "object"
        )
    return columns


def _checked_column(path, name, column, length, one_per) -> np.ndarray:
    if column.shape != (length,):
        raise InputError(
            f"{path}: {name} has shape {column.shape}, but there are {length} "
            f"{one_per}s. Give one value per {one_per}."
        )
    kinds = "US" if name in TEXT else KINDS.get(name, "fiu")
    if column.dtype.kind not in kinds:
        wanted = "text" if kinds == "US" else "numbers"
        raise InputError(
            f"{path}: {name} has type {column.dtype}, not {wanted}. Convert it."
        )
    if column.dtype.kind != "S":
        return column
    try:
        return np.char.decode(column, "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: {name} is not UTF-8 text. Convert it.") from error


def _group_of(field: int | str) -> str:
    """Returns "field07" for the number 7; text unchanged."""
    return field if isinstance(field, str) else f"field{field:02d}"
