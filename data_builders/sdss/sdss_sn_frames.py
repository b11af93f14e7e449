"""Frames of the SDSS imaging survey: those that contain a position, and their stamps.

The reader follows the data model of the files frame-*.fits.bz2 (data releases 8 to 17)
and the schema of SkyServer's table Field; no real frame was accessible.
"""

import bz2
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from scipy.spatial import cKDTree

from jaxastro.data.text_table import Row, numbers_of, rows_of
from jaxastro.errors import InputError, MissingFileError
from jaxastro.units import NANOMAGGY, NANOMAGGY_ZERO_POINT, magnitude_of

BANDS = ("u", "g", "r", "i", "z")
FIELDS_FILE = "stripe82_fields.csv"
COLUMNS = (
    "run",
    "rerun",
    "camcol",
    "field",
    "raMin",
    "raMax",
    "decMin",
    "decMax",
    "score",
    *(f"mjd_{band}" for band in BANDS),
    *(f"psfWidth_{band}" for band in BANDS),
)
SQL = (
    f"SELECT {', '.join(f'f.{name}' for name in COLUMNS)} FROM Field AS f "
    "JOIN Run AS r ON r.run = f.run WHERE r.stripe = 82"
)
SKYSERVER = "https://skyserver.sdss.org/dr17/SkyServerWS/SearchTools/SqlSearch"
SAS = "https://data.sdss.org/sas/dr17/eboss/photoObj/frames"
IDENTITY = ("RUN", "CAMCOL", "FILTER", "CTYPE1")
# Drift scan: seconds to read a row, and to cross a CCD.
ROW_SECONDS, EXPOSURE = 0.026322, 53.907456
# Electrons per count, and variance of dark current and read-out, counts^2, by camera
# column (1 to 6) and band. In some chips a number changed with the run, see _camera.
GAIN = (
    (1.62, 3.32, 4.71, 5.165, 4.745),
    (1.825, 3.855, 4.6, 6.565, 5.155),
    (1.59, 3.845, 4.72, 4.86, 4.885),
    (1.6, 3.995, 4.76, 4.885, 4.775),
    (1.47, 4.05, 4.725, 4.64, 3.48),
    (2.17, 4.035, 4.895, 4.76, 4.69),
)
DARK_VARIANCE = (
    (9.61, 15.6025, 1.8225, 7.84, 0.81),
    (12.6025, 1.44, 1.0, 6.25, 1.0),
    (8.7025, 1.3225, 1.3225, 4.6225, 1.0),
    (12.6025, 1.96, 1.3225, 7.5625, 12.6025),
    (9.3025, 1.1025, 0.81, 7.84, 2.1025),
    (7.0225, 1.8225, 0.9025, 5.0625, 1.21),
)
EARLY_GAIN = {(2, "u"): (1100, 1.595)}  # before this run
EARLY_DARK_VARIANCE = {
    (2, "i"): (1500, 5.76),
    (4, "i"): (1500, 6.25),
    (4, "z"): (1500, 9.61),
    (5, "z"): (1500, 1.8225),
}


class Frame(NamedTuple):
    """One image of one band, with its row of the table of fields."""

    run: int
    rerun: int
    camcol: int
    field: int
    band: str
    mjd: float  # days (TAI), of the first row
    psf_fwhm: float  # arcsec; NaN if unknown
    score: float  # quality of the field, 0 to 1

    @property
    def name(self) -> str:
        """Name of its file."""
        field = f"{self.run:06d}-{self.camcol}-{self.field:04d}"
        return f"frame-{self.band}-{field}.fits.bz2"

    @property
    def in_archive(self) -> str:
        """Path of its file in the folder frames/ of the archive."""
        return f"{self.rerun}/{self.run}/{self.camcol}/{self.name}"


class Stamp(NamedTuple):
    """A cutout around one position of one frame."""

    pixels: np.ndarray | None  # y x float32, microjansky; NaN: outside the frame
    mjd: float  # middle of the exposure, days (TAI)
    noise: float  # microjansky, of an empty pixel
    gain: float  # electrons per count
    zero_point: float  # AB magnitude of one count


def read_fields(path: Path) -> dict[str, np.ndarray]:
    """Returns the columns of the table of fields, exported as CSV.

    Raises:
        MissingFileError: if it does not exist; the message has the query for it.
        InputError: if it is another table.
    """
    how = f"Make it at {SKYSERVER} or in CasJobs, as CSV, by: {SQL}"
    if not path.exists():
        raise MissingFileError(
            f"No {path}. Cutting needs the table of Stripe 82's fields. {how}"
        )
    with open(path, newline="", errors="replace") as file:
        rows = rows_of(file, comment="#")
        names = [name.strip() for name in next(rows, Row(0, [])).cells]
        missing = [name for name in COLUMNS if name not in names]
        if missing:
            raise InputError(
                f"{path}: no column {missing[0]}. The table of Stripe 82's fields has "
                f"{len(COLUMNS)}. {how}"
            )
        try:
            numbers = numbers_of(rows, len(names))
        except InputError as error:
            raise InputError(
                f"{path}: {error}. Numbers in {len(names)} columns are expected. {how}"
            ) from error
    return {name: numbers[:, names.index(name)] for name in COLUMNS}


def fields_of(
    ra: np.ndarray, dec: np.ndarray, fields: dict
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the fields that contain each position: indices of positions and fields.

    There is one field per run with a usable field that contains the position. Usable
    fields have known times and a score above 0; SDSS gives a score of 0 to fields with
    faults of rotator, astrometry, focus, shutter or software. Where neighbouring fields
    of a run overlap, the one with the more distant edge is used. The selection depends
    on positions only, so that no class is observed more often than another.

    Args:
        ra: [n] degrees; NaN if unknown.
        dec: [n] degrees.
        fields: columns of the table of fields.
    """
    usable = fields["score"] > 0
    for band in BANDS:
        usable = usable & (fields[f"mjd_{band}"] > 0)
    # A field across 0 h has its limits swapped, or is 360 degrees wide.
    width = (fields["raMax"] - fields["raMin"]) % 360
    west = np.where(width > 180, fields["raMax"], fields["raMin"])
    half_ra = np.minimum(width, 360 - width) / 2
    half_dec = (fields["decMax"] - fields["decMin"]) / 2
    mid_ra, mid_dec = west + half_ra, fields["decMin"] + half_dec
    places, rows = np.flatnonzero(np.isfinite(ra + dec)), np.flatnonzero(usable)
    if not len(rows) or not len(places):
        return np.zeros(0, int), np.zeros(0, int)
    # Longer than any chord inside a field; the radius of the sphere is 1.
    reach = np.radians(np.hypot(half_ra[rows], half_dec[rows]).max())
    near = cKDTree(_on_sphere(mid_ra[rows], mid_dec[rows])).query_ball_point(
        _on_sphere(ra[places], dec[places]), reach
    )
    counts = [len(found) for found in near]
    place = np.repeat(places, counts)
    row = rows[np.concatenate(near).astype(int)]
    from_mid = abs((ra[place] - mid_ra[row] + 180) % 360 - 180)
    margin = np.minimum(
        (half_ra[row] - from_mid) * np.cos(np.radians(dec[place])),
        half_dec[row] - abs(dec[place] - mid_dec[row]),
    )
    inside = margin >= 0
    place, row, margin = place[inside], row[inside], margin[inside]
    order = np.lexsort((row, -margin, fields["run"][row], place))
    place, row = place[order], row[order]
    run = fields["run"][row]
    first = np.ones(len(place), bool)
    first[1:] = (np.diff(place) != 0) | (np.diff(run) != 0)
    return place[first], row[first]


def frame_of(fields: dict, row: int, band: str) -> Frame:
    """Returns the frame of one band of one field."""
    numbers = (int(fields[n][row]) for n in ("run", "rerun", "camcol", "field"))
    psf_fwhm = float(fields[f"psfWidth_{band}"][row])
    return Frame(
        *numbers,
        band=band,
        mjd=float(fields[f"mjd_{band}"][row]),
        psf_fwhm=psf_fwhm if psf_fwhm > 0 else float("nan"),
        score=float(fields["score"][row]),
    )


def cut(path: Path, frame: Frame, ra, dec, *, size: int) -> list[Stamp]:
    """Returns a stamp of size x size pixels around each position.

    The position is within half a pixel of the centre of the stamp. Pixels outside the
    frame are NaN; a stamp without other pixels has None.

    Raises:
        InputError: if the file is damaged or is another frame.
    """
    header, found, image, calibration, sky = _open(path)
    if found != (frame.run, frame.camcol, frame.band, "RA---TAN"):
        raise InputError(
            f"{path.name}: its header has run {found[0]}, camera column {found[1]}, "
            f"band {found[2]}, projection {found[3]}. Expected are {frame.run}, "
            f"{frame.camcol}, {frame.band}, RA---TAN. Download it again."
        )
    x, y = _pixels_of(path, header, ra, dec)
    gain, dark_variance = _camera(frame)
    stamps = []
    for column, row in zip(x.tolist(), y.tolist(), strict=True):
        left, bottom = (round(axis - (size - 1) / 2) for axis in (column, row))
        pixels = _window(image, left, bottom, size)
        nearest_x = int(np.clip(round(column), 0, image.shape[1] - 1))
        nearest_y = int(np.clip(round(row), 0, image.shape[0] - 1))
        per_count = float(calibration[nearest_x])  # nanomaggies
        per_count = per_count if per_count > 0 else np.nan
        # counts = nanomaggies / per_count + sky; an empty pixel has only sky:
        # sigma^2 [counts^2] = sky / gain + dark_variance
        counts = _bilinear(sky, nearest_x, nearest_y)
        sigma = np.sqrt(max(counts, 0.0) / gain + dark_variance)
        stamps.append(
            Stamp(
                pixels=None if np.isnan(pixels).all() else pixels * NANOMAGGY,
                # A row is read after its part of the sky has crossed the CCD.
                mjd=frame.mjd + (row * ROW_SECONDS - EXPOSURE / 2) / 86400,
                noise=sigma * per_count * NANOMAGGY,
                gain=gain,
                zero_point=magnitude_of(per_count, NANOMAGGY_ZERO_POINT),
            )
        )
    return stamps


def _open(path: Path):
    """Returns header, identity, image, calibration of columns, and sky.

    The sky is in bins, with the position of each column and row in them.
    """
    try:
        raw = io.BytesIO(bz2.decompress(path.read_bytes()))
        with fits.open(raw, memmap=False) as file:
            header, image, calibration = file[0].header, file[0].data, file[1].data
            identity = tuple(header.get(key) for key in IDENTITY)
            (bins,) = file[2].data["ALLSKY"]
            (xs,), (ys,) = (file[2].data[name] for name in ("XINTERP", "YINTERP"))
        shape = (len(ys), len(xs))
        if image.shape != shape or calibration.shape != shape[1:] or bins.ndim != 2:
            raise InputError(
                f"image {image.shape}, calibration {calibration.shape}, sky "
                f"{bins.shape} for {shape}"
            )
    # A damaged bzip2 or FITS file may raise any error.
    except Exception as error:
        raise InputError(
            f"{path.name}: damaged frame: {type(error).__name__}: {error}. A bzip2 "
            "file of image, calibration and sky is expected. Download it again."
        ) from error
    return header, identity, image, calibration, (bins, xs, ys)


def _pixels_of(path, header, ra, dec) -> tuple[np.ndarray, np.ndarray]:
    """Returns columns and rows of positions; the first pixel's centre is 0."""
    try:
        # fix=False: no repair is needed, and each would give a warning.
        world = WCS(header, fix=False)
        x, y = world.wcs_world2pix(np.asarray(ra), np.asarray(dec), 0)
        why = "" if np.isfinite(x + y).all() else "positions without pixels"
    except Exception as error:  # noqa: BLE001
        why = f"{type(error).__name__}: {error}"
    if why:
        raise InputError(
            f"{path.name}: its header has no valid projection: {why}. A tangential "
            "projection of right ascension and declination is expected. Download it "
            "again."
        )
    return x, y


def _camera(frame: Frame) -> tuple[float, float]:
    """Returns gain and dark variance of the frame's CCD at the time of its run."""
    chip, numbers = (frame.camcol, frame.band), []
    for now, early in ((GAIN, EARLY_GAIN), (DARK_VARIANCE, EARLY_DARK_VARIANCE)):
        before, value = early.get(chip, (0, 0.0))
        latest = now[frame.camcol - 1][BANDS.index(frame.band)]
        numbers.append(value if frame.run < before else latest)
    return numbers[0], numbers[1]


def _window(image: np.ndarray, left: int, bottom: int, size: int) -> np.ndarray:
    """Returns a window [size size] of an image, float32, NaN outside the image."""
    window = np.full((size, size), np.nan, np.float32)
    rows, columns = (
        slice(max(start, 0), max(min(start + size, end), 0))
        for start, end in zip((bottom, left), image.shape, strict=True)
    )
    found = image[rows, columns]
    y, x = rows.start - bottom, columns.start - left
    if found.size:
        window[y : y + found.shape[0], x : x + found.shape[1]] = found
    return window


def _bilinear(sky, x: int, y: int) -> float:
    """Returns the sky at a pixel, counts; it is constant beyond the outermost bins."""
    bins, xs, ys = sky
    column = float(np.clip(xs[x], 0, bins.shape[1] - 1))
    row = float(np.clip(ys[y], 0, bins.shape[0] - 1))
    i, j = int(row), int(column)
    corner = bins[i : i + 2, j : j + 2].astype(float)
    along_x = corner[:, 0] + (corner[:, -1] - corner[:, 0]) * (column - j)
    return float(along_x[0] + (along_x[-1] - along_x[0]) * (row - i))


def _on_sphere(ra, dec) -> np.ndarray:
    lon, lat = np.radians(ra), np.radians(dec)
    return np.stack(
        [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1
    )
