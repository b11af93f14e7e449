"""SDSS hand-scanning: 21,785 small images of transient candidates, judged by eye.

No image could be had where this was written. The reader follows the notebook of
github.com/yosrinegm/Astronomical-Images-Classification, which reads them from
sdss.hdf5, and its table classes.csv, which names the classes in the order of their
numbers. It also reads a folder of picture files, one folder per class, which is ours.
The data card, with what the published score means, is sdss_handscan.md.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from PIL import Image

from data_builders.engine.builder import SurveyBuilder
from data_builders.engine.raw import find_raw
from jaxastro.data.cutout import CutoutRecord
from jaxastro.data.record import Reading
from jaxastro.errors import InputError, MissingFileError, MissingPackageError
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["sdss_handscan"]
RAW_FILE = "sdss.hdf5"
SHAPE = (SURVEY.image_size, SURVEY.image_size, len(SURVEY.bands))
SUFFIXES = (".gif", ".jpeg", ".jpg", ".png")
PART_SIZE = 500  # images that one process reads at a time
NOT_REAL = ("Artefact", "Dipole", "Saturated Star")


def binary_class(label: str) -> str:
    """Returns "Real" or "Not-Real", as classes.csv has it."""
    return "Not-Real" if label in NOT_REAL else "Real"


def visual_class(label: str) -> str:
    """Returns what the eye tells apart: "Artefact", "Dipole/Saturated" or "Real"."""
    if binary_class(label) == "Real":
        return "Real"
    return "Artefact" if label == "Artefact" else "Dipole/Saturated"


class Part(NamedTuple):
    """Some images: numbers of rows of an HDF5 file, or the path of one picture."""

    path: Path
    rows: range | None = None


class SdssHandscan(SurveyBuilder):
    """Images of what the supernova survey of SDSS-II found, in ten classes."""

    RELEASE_NOTES: ClassVar = {"1.0.0": "Grey levels 0 to 255; original classes."}
    SURVEY = SURVEY
    DESCRIPTION = "Images of transient candidates of SDSS-II, classified by eye."
    HOMEPAGE = "https://github.com/yosrinegm/Astronomical-Images-Classification"

    def parts(self, manual_dir: Path | None) -> list[Part]:
        """Returns pieces of the HDF5 file, or the pictures where there is none."""
        folder = find_raw(
            "",
            survey="sdss_handscan",
            manual_dir=manual_dir,
            source=(
                "the authors of du Buisson et al. 2015, MNRAS 454, 2026, or of "
                f"{self.HOMEPAGE}: the images ({RAW_FILE}) are published in neither"
            ),
        )
        return parts_of(folder)

    def read_part(self, part: Part) -> Iterator[Reading]:
        """Yields the images of a part."""
        return read_part(part)


def read(path: Path) -> Iterator[Reading]:
    """Yields the images of an HDF5 file, or of the folder that holds it or pictures."""
    for part in parts_of(path):
        yield from read_part(part)


def recognises(path: Path) -> bool:
    """Returns whether a path is such a file, or a folder with it or with pictures."""
    try:
        if path.is_dir():
            return (path / RAW_FILE).is_file() or bool(_pictures(path))
        return path.name == RAW_FILE and path.is_file()
    except OSError:
        return False


def parts_of(path: Path) -> list[Part]:
    """Returns the pieces of an HDF5 file, or of a folder.

    Raises:
        FileNotFoundError: if a folder holds neither the file nor pictures.
        ValueError: if the file is damaged or is none of ours.
    """
    if path.is_dir() and not (path / RAW_FILE).exists():
        pictures = _pictures(path)
        if not pictures:
            raise MissingFileError(
                f"No {RAW_FILE} in {path}, and no picture ({', '.join(SUFFIXES)}) in a "
                f"folder named after a class: {', '.join(SURVEY.classes)}. Put either "
                "there."
            )
        return list(map(Part, pictures))
    path = path / RAW_FILE if path.is_dir() else path
    with _opened(path) as file:
        count = len(file["classes"])
    numbers = range(count)
    return [Part(path, numbers[i : i + PART_SIZE]) for i in numbers[::PART_SIZE]]


def read_part(part: Part) -> Iterator[Reading]:
    """Yields the images of a part."""
    if part.rows is None:
        yield _reading(part.path.stem, part.path.parent.name, _picture(part.path))
        return
    rows = slice(part.rows.start, part.rows.stop)
    with _opened(part.path) as file:
        images, numbers = file["images"][rows], file["classes"][rows]
    for row, image, number in zip(part.rows, images, numbers, strict=True):
        known = 0 <= number < len(SURVEY.classes)
        label = SURVEY.classes[number] if known else f"number {number}"
        yield _reading(f"image{row:05d}", label, image)


def _opened(path: Path):
    """Returns the open HDF5 file, after holding its arrays against what they claim."""
    try:
        import h5py  # an extra
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"{path} is an HDF5 file, and h5py is not installed. Install it with: pip "
            "install 'jaxastro[hdf5]'"
        ) from error
    try:
        file = h5py.File(path, "r")
        images, classes = file["images"], file["classes"]
        fits = images.shape[1:] == SHAPE and classes.shape == images.shape[:1]
        fits = fits and images.dtype.kind in "fiu" and classes.dtype.kind in "iu"
        found = f"images {images.shape}, classes {classes.shape}"
    except (OSError, KeyError, AttributeError, RuntimeError, ValueError) as error:
        fits, found = False, f"{type(error).__name__}: {error}"
    if not fits:
        raise InputError(
            f"{path}: {found}. Arrays 'images' of shape [n, {SHAPE[0]}, {SHAPE[1]}, "
            f"{SHAPE[2]}] and 'classes' [n] of whole numbers are expected. Fetch it "
            "again."
        )
    return file


def _pictures(folder: Path) -> list[Path]:
    return sorted(
        path
        for label in SURVEY.classes
        for path in (folder / label).glob("*")
        if path.suffix.lower() in SUFFIXES
    )


def _picture(path: Path) -> np.ndarray | str:
    """Returns the picture [y x 3], or what is wrong with it."""
    try:
        with Image.open(path) as picture:
            # The size is known before a pixel is unpacked.
            if picture.size != SHAPE[:2]:
                return f"{path.name}: a picture of {picture.size} pixels"
            return np.asarray(picture.convert("RGB"))
    # A damaged picture raises a dozen types of error, which all mean the same.
    except Exception as error:  # noqa: BLE001
        return f"{path.name}: damaged: {type(error).__name__}: {error}"


def _reading(object_id: str, label: str, image: np.ndarray | str) -> Reading:
    wrong = image if isinstance(image, str) else ""
    if label not in SURVEY.classes:
        wrong = f"class {label}; known are {', '.join(SURVEY.classes)}"
    if wrong:
        note = (
            f"Object {object_id}: {wrong}. A picture of {SHAPE[0]}x{SHAPE[1]} pixels "
            "in one of the ten classes is expected. Mend or remove it."
        )
        return Reading(object_id, None, (note,))
    image = np.asarray(image, np.float32)
    record = CutoutRecord(
        object_id=object_id,
        ra=np.nan,
        dec=np.nan,
        label=label,
        label_source="catalogue",
        truth="",
        redshift=np.nan,
        # Nobody tells which images are of one object; equal ones are, for certain.
        group=hashlib.sha256(image.tobytes()).hexdigest()[:16],
        image=image,
    )
    return Reading(object_id, record, ())
