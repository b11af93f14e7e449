"""Deep-TAO: image sequences of 16,307 objects of the Catalina survey, one FITS each.

No complete file was accessible during development. The reader follows the header, table
and image extensions of one published file, data/AGN/CSS071204:100029+071116, seen as
text, and the notebook that wrote all files (Create_dataset.ipynb of
github.com/MachineLearningUniandes/TAO_transients). Data card: deep_tao.md.
"""

import datetime
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
from astropy.io import fits

from data_builders.engine.builder import SurveyBuilder
from data_builders.engine.raw import find_raw
from jaxastro.data.record import Reading
from jaxastro.data.series import make_series_record
from jaxastro.errors import MissingFileError, RecordError
from jaxastro.surveys import SURVEYS, UNLABELLED
from jaxastro.units import MJD_ZERO_DATE

SURVEY = SURVEYS["deep_tao"]
SIZE = SURVEY.image_size
COLUMNS = ("HDU_Ext", "MJD", "Date")
MAX_SIDE = 4096  # pixels; the published stamps have 64
MAX_EPOCHS = 10_000  # the longest published sequence has a few hundred
MAX_DAYS = 1.5  # between an epoch and noon of its date; time zones explain less
MONTHS = (
    "JAN",
    "FEB",
    "MAR",
    "APR",
    "MAY",
    "JUN",
    "JUL",
    "AUG",
    "SEP",
    "OCT",
    "NOV",
    "DEC",
)


class DeepTao(SurveyBuilder):
    """Sequences of active nuclei, blazars, cataclysmic variables and supernovae."""

    RELEASE_NOTES: ClassVar = {"1.0.0": "ADU, 64 pixels on a side."}
    SURVEY = SURVEY
    DESCRIPTION = (
        "Image sequences of the Catalina Real-time Transient Survey (Deep-TAO)."
    )
    HOMEPAGE = "https://github.com/MachineLearningUniandes/TAO_transients"

    def parts(self, manual_dir: Path | None) -> list[Path]:
        """Returns the FITS files of all objects."""
        folder = find_raw(
            "",
            survey="deep_tao",
            manual_dir=manual_dir,
            source="github.com/MachineLearningUniandes, repositories TAO_transients "
            "(1.5 GB) and TAO_non-transients (3.5 GB)",
        )
        return files_of(folder)

    def read_part(self, part: Path) -> Iterator[Reading]:
        """Yields the object of a file."""
        yield read_file(part)


def read(path: Path) -> Iterator[Reading]:
    """Yields the object of a file, or of each file of a folder at any depth."""
    return map(read_file, files_of(path) if path.is_dir() else [path])


def recognises(path: Path) -> bool:
    """Returns whether a path is such a file, or a folder with one."""
    try:
        places = ("*.fits", "*/*.fits", "data/*/*.fits") if path.is_dir() else ()
        inside = itertools.chain.from_iterable(map(path.glob, places))
        header = fits.getheader(next(inside, path), 1)
        names = {str(header.get(f"TTYPE{i}", "")).strip().upper() for i in range(1, 10)}
        return "CRTS_ID" in header and {name.upper() for name in COLUMNS} <= names
    # A file of another format may raise any error.
    except Exception:  # noqa: BLE001
        return False


def files_of(folder: Path) -> list[Path]:
    """Returns the FITS files of a folder at any depth.

    Raises:
        MissingFileError: if there are none.
    """
    files = sorted(folder.rglob("*.fits"))
    if not files:
        raise MissingFileError(
            f"No .fits file in {folder}. Deep-TAO has one per object, in data/AGN, "
            "data/SN and so on. Give the folder above them."
        )
    return files


def read_file(path: Path) -> Reading:
    """Returns the object of a file; its class is the name of the folder.

    CLASS in the header is a comment ("AGN? SDSS 22,1 mag Galaxy") and is not used.
    """
    label = path.parent.name if path.parent.name in SURVEY.classes else UNLABELLED
    object_id = path.stem
    try:
        with fits.open(path, memmap=False) as hdus:
            header = hdus[1].header
            found_with = str(header["CRTS_ID"])
            # An object that is no transient has no CLASS. Its name is that of the file,
            # and CRTS_ID is the transient in whose images it was found.
            object_id = found_with if "CLASS" in header else path.stem
            image, mjd, notes = _epochs(hdus)
            record, more = make_series_record(
                object_id,
                SURVEY,
                flux=image,
                mjd=mjd,
                band=np.zeros(len(mjd), int),
                label=label,
                label_source="none" if label == UNLABELLED else "catalogue",
                ra=float(header["RA_(J2000)"]),
                dec=float(header["Dec_(J2000)"]),
                group=found_with,
            )
    except RecordError as error:
        return Reading(object_id, None, (f"{path.name}: {error}",))
    # A damaged file may raise any error.
    except Exception as error:  # noqa: BLE001
        note = (
            f"{path.name}: damaged, or not a Deep-TAO file: {type(error).__name__}: "
            f"{error}. A table and its images are expected. Download it again."
        )
        return Reading(object_id, None, (note,))
    return Reading(object_id, record, (*notes, *more))


def _epochs(hdus) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Returns images [t y x] and times [t], sorted by time, and notes on repairs."""
    count = hdus[1].header["NAXIS2"]
    if not 0 < count <= MAX_EPOCHS:
        raise RecordError(
            f"{count} epochs. Between 1 and {MAX_EPOCHS} are expected. Download the "
            "file again."
        )
    table = hdus[1].data
    # Numbers are stored as text for objects that are no transients.
    mjd = np.array([float(cell) for cell in table["MJD"]])
    order = np.argsort(mjd, kind="stable")  # the table is sorted by telescope, month
    image = np.full((len(mjd), SIZE, SIZE), np.nan, np.float32)
    resized = 0
    for frame, row in zip(image, order, strict=True):
        hdu = hdus[int(table["HDU_Ext"][row])]
        if len(hdu.shape) != 2 or max(hdu.shape) > MAX_SIDE:
            raise RecordError(
                f"an image of shape {hdu.shape}. [y x] of at most {MAX_SIDE} pixels a "
                "side is expected. Download the file again."
            )
        resized += hdu.shape != (SIZE, SIZE)
        _centre(frame, hdu.data)
    notes = []
    if resized:
        notes.append(
            f"{resized} images were not {SIZE}x{SIZE}: cut or padded around the centre."
        )
    far = np.abs(mjd - [_noon(str(date)) for date in table["Date"]]) > MAX_DAYS
    if far.any():
        notes.append(f"{far.sum()} epochs lie days from the date in their file name.")
    return image, mjd[order], notes


def _centre(frame: np.ndarray, image: np.ndarray) -> None:
    """Copies an image into a frame with a common centre; other pixels are unchanged."""
    inner, outer = [], []
    for have, want in zip(image.shape, frame.shape, strict=True):
        # Pixel n // 2 is the centre, as in common FITS software.
        shift = want // 2 - have // 2
        inner.append(slice(max(0, -shift), min(have, want - shift)))
        outer.append(slice(max(0, shift), min(want, have + shift)))
    frame[tuple(outer)] = image[tuple(inner)]


def _noon(date: str) -> float:
    """Returns the MJD at noon of a date like 05APR06, NaN if it is no date."""
    try:
        month = MONTHS.index(date[2:5].upper()) + 1
        day = datetime.date(2000 + int(date[:2]), month, int(date[5:7]))
    except ValueError:
        return np.nan
    return (day - MJD_ZERO_DATE).days + 0.5
