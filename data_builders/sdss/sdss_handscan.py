"""SDSS hand scanning: 21,785 small images of transient candidates, classified by eye.

No image was accessible during development. The reader follows the notebook of
github.com/yosrinegm/Astronomical-Images-Classification, which reads sdss.hdf5, and its
table classes.csv with the order of the classes. It also reads image files in one folder
per class, a format of this project. Data card, with the published score:
sdss_handscan.md.
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
    """Returns "Real" or "Not-Real", as in classes.csv."""
    return "Not-Real" if label in NOT_REAL else "Real"


def visual_class(label: str) -> str:
    """Returns the visually distinct class: "Artefact", "Dipole/Saturated" or "Real"."""
    if binary_class(label) == "Real":
        return "Real"
    return "Artefact" if label == "Artefact" else "Dipole/Saturated"


class Part(NamedTuple):
    """Some images: rows of an HDF5 file, or one image file."""

    path: Path
    rows: range | None = None


class SdssHandscan(SurveyBuilder):
    """Images of candidates of the SDSS-II supernova survey, in ten classes."""

    RELEASE_NOTES: ClassVar = {"1.0.0": "Grey levels 0 to 255; original classes."}
    SURVEY = SURVEY
    DESCRIPTION = "Images of transient candidates of SDSS-II, classified by eye."
    HOMEPAGE = "https://github.com/yosrinegm/Astronomical-Images-Classification"

    def parts(self, manual_dir: Path | None) -> list[Part]:
        """Returns parts of the HDF5 file, or the image files if there is none."""
        folder = find_raw(
            "",
            survey="sdss_handscan",
            manual_dir=manual_dir,
            source=(
                "the authors of du Buisson et al. 2015, MNRAS 454, 2026, or of "
                f"{self.HOMEPAGE}; neither has published the images ({RAW_FILE})"
            ),
        )
        return parts_of(folder)

    def read_part(self, part: Part) -> Iterator[Reading]:
        """Yields the images of a part."""
        return read_part(part)


def read(path: Path) -> Iterator[Reading]:
    """Yields the images of an HDF5 file, or of a folder with it or with image files."""
    for part in parts_of(path):
        yield from read_part(part)


def recognises(path: Path) -> bool:
    """Returns whether a path is such a file, or a folder with it or with images."""
    try:
        if path.is_dir():
            return (path / RAW_FILE).is_file() or bool(_image_files(path))
        return path.name == RAW_FILE and path.is_file()
    except OSError:
        return False


def parts_of(path: Path) -> list[Part]:
    """Returns the parts of an HDF5 file, or of a folder.

    Raises:
        MissingFileError: if a folder has neither the file nor image files.
        InputError: if the file is damaged or has other arrays.
    """
    if path.is_dir() and not (path / RAW_FILE).exists():
        images = _image_files(path)
        if not images:
            raise MissingFileError(
                f"No {RAW_FILE} in {path}, and no image ({', '.join(SUFFIXES)}) in a "
                f"folder named like a class: {', '.join(SURVEY.classes)}. Put either "
                "there."
            )
        return list(map(Part, images))
    path = path / RAW_FILE if path.is_dir() else path
    with _open(path) as file:
        count = len(file["classes"])
    numbers = range(count)
    return [Part(path, numbers[i : i + PART_SIZE]) for i in numbers[::PART_SIZE]]


def read_part(part: Part) -> Iterator[Reading]:
    """Yields the images of a part."""
    if part.rows is None:
        yield _reading(
            part.path.stem, part.path.parent.name, _read_image_file(part.path)
        )
        return
    rows = slice(part.rows.start, part.rows.stop)
    with _open(part.path) as file:
        images, numbers = file["images"][rows], file["classes"][rows]
    for row, image, number in zip(part.rows, images, numbers, strict=True):
        known = 0 <= number < len(SURVEY.classes)
        label = SURVEY.classes[number] if known else f"number {number}"
        yield _reading(f"image{row:05d}", label, image)


def _open(path: Path):
    """Returns the open HDF5 file, after checking shapes and types of its arrays."""
    try:
        import h5py  # an optional package
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
            f"{SHAPE[2]}] and 'classes' [n] of whole numbers are expected. Download it "
            "again."
        )
    return file


def _image_files(folder: Path) -> list[Path]:
    return sorted(
        path
        for label in SURVEY.classes
        for path in (folder / label).glob("*")
        if path.suffix.lower() in SUFFIXES
    )


def _read_image_file(path: Path) -> np.ndarray | str:
    """Returns the image [y x 3], or its fault."""
    try:
        with Image.open(path) as image:
            # The size is known before the pixels are decompressed.
            if image.size != SHAPE[:2]:
                return f"{path.name}: an image of {image.size} pixels"
            return np.asarray(image.convert("RGB"))
    # A damaged image may raise any error.
    except Exception as error:  # noqa: BLE001
        return f"{path.name}: damaged: {type(error).__name__}: {error}"


def _reading(object_id: str, label: str, image: np.ndarray | str) -> Reading:
    fault = image if isinstance(image, str) else ""
    if label not in SURVEY.classes:
        fault = f"class {label}; known are {', '.join(SURVEY.classes)}"
    if fault:
        note = (
            f"Object {object_id}: {fault}. An image of {SHAPE[0]}x{SHAPE[1]} pixels "
            "in one of the ten classes is expected. Correct or remove it."
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
        # Which images are of one object is unknown; equal images certainly are.
        group=hashlib.sha256(image.tobytes()).hexdigest()[:16],
        image=image,
    )
    return Reading(object_id, record, ())
