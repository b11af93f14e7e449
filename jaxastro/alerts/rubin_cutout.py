"""Cutouts of Rubin alerts: FITS files of an image, its variance and its PSF."""

import io
import math
import warnings
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from jaxastro.errors import InputError, RecordError

BLOCK, CARD = 2880, 80  # bytes of a block of a FITS file, of a card of a header
MAX_SIDE = 256  # pixels; Rubin cuts 30 to 102, and its PSF images have 39 to 49
MAX_HDUS = 8  # image, variance, PSF, and future ones
DTYPES = {-32: np.dtype(">f4"), -64: np.dtype(">f8")}
# With one of these in a header, pixels are not the plain numbers in the file.
NOT_PLAIN = {b"BSCALE", b"BZERO", b"BLANK", b"ZIMAGE"}
ROTATION = (b"PC1_2", b"PC2_2", b"CDELT1", b"CDELT2")


class RubinCutout(NamedTuple):
    """Content of a cutout; None if it is missing."""

    image: np.ndarray  # y x  float32, nanojansky
    variance: np.ndarray | None  # y x  float32, nanojansky squared
    psf: np.ndarray | None  # y x  float64
    rotation: float  # degrees from north through east to the image's +y; NaN: unknown


class Hdu(NamedTuple):
    """One image of a FITS file."""

    name: str
    wcs: tuple[float, ...]  # the numbers of ROTATION, or ()
    image: np.ndarray


@np.errstate(all="ignore")  # overflows are no measurements
def read_cutout(raw: bytes) -> RubinCutout:
    """Returns the content of the FITS bytes of a cutout.

    Plain images are read without astropy: many times faster, with the same bits. Files
    with other features are read by astropy.

    Raises:
        RecordError: if the bytes are no FITS file, or the image is too large.
    """
    try:
        hdus = _read_plain(raw) or _read_by_astropy(raw)
    # A damaged file may raise any error.
    except Exception as error:
        raise RecordError(
            f"a cutout of {len(raw)} bytes is no FITS image: {error}. An uncompressed "
            "image is expected first. Download the alert again."
        ) from error
    first, named = hdus[0], {hdu.name: hdu.image for hdu in hdus[1:]}
    variance = named.get("UNCERT")
    if variance is not None and variance.shape != first.image.shape:
        raise RecordError(
            f"a cutout whose image has {first.image.shape} pixels and its variance "
            f"{variance.shape}. The same are expected. Download the alert again."
        )
    rotation = math.nan
    if first.wcs:
        # Direction on the sky of one step up. ROTPA is that of the focal plane, which
        # differs by two degrees at its edge, and is missing in schema 7.
        pc1_2, pc2_2, cdelt1, cdelt2 = first.wcs
        rotation = math.degrees(math.atan2(pc1_2 * cdelt1, pc2_2 * cdelt2)) % 360
    return RubinCutout(
        image=first.image.astype(np.float32, copy=False),
        variance=variance,
        psf=named.get("PSFIMAGE"),
        rotation=rotation,
    )


@np.errstate(all="ignore")
def width_at_half_maximum(psf: np.ndarray | None) -> float:
    """Returns the full width at half maximum of a PSF, pixels.

    It is that of a Gaussian with the same effective area.

    area = sum(psf)^2 / sum(psf^2) = 4 pi sigma^2,    width = sqrt(8 ln 2) sigma
    """
    if psf is None or not np.isfinite(psf).all() or not psf.any():
        return np.nan
    area = np.sum(psf) ** 2 / np.sum(psf**2)
    return float(np.sqrt(8 * np.log(2) * area / (4 * np.pi)))


def _read_plain(raw: bytes) -> list[Hdu]:
    """Returns the images of a file of plain images, [] for any other file."""
    hdus, position = [], 0
    while position < len(raw) and len(hdus) < MAX_HDUS:
        end = raw.find(b"END".ljust(CARD), position)
        if end < 0 or (end - position) % CARD:
            return []
        cards = _cards(raw[position:end])
        position = end + CARD + -(end + CARD) % BLOCK
        start = (b"XTENSION", b"'IMAGE") if hdus else (b"SIMPLE", b"T")
        if not cards.get(start[0], b"").strip().startswith(start[1]):
            return []
        if NOT_PLAIN & cards.keys() or int(cards.get(b"NAXIS", 0)) != 2:
            return []
        dtype = DTYPES.get(int(cards[b"BITPIX"]))
        shape = int(cards[b"NAXIS2"]), int(cards[b"NAXIS1"])
        if dtype is None or not all(0 < n <= MAX_SIDE for n in shape):
            return []
        size = shape[0] * shape[1]
        if position + size * dtype.itemsize > len(raw):
            return []
        image = np.frombuffer(raw, dtype, size, position).reshape(shape)
        name = cards.get(b"EXTNAME", b"").strip(b" '").decode("ascii")
        wcs = tuple(float(cards[key]) for key in ROTATION if key in cards)
        wcs = wcs if len(wcs) == len(ROTATION) else ()
        hdus.append(Hdu(name, wcs, image.astype(dtype.newbyteorder("="))))
        position += size * dtype.itemsize
        position += -position % BLOCK
    return hdus if position == len(raw) else []


@lru_cache(maxsize=256)  # most headers are the same in every alert
def _cards(header: bytes) -> dict[bytes, bytes]:
    """Returns the values of a header, without comments."""
    cards = {}
    for start in range(0, len(header), CARD):
        if header[start + 8 : start + 10] == b"= ":
            value, _, _ = header[start + 10 : start + CARD].partition(b"/")
            cards.setdefault(header[start : start + 8].rstrip(), value)
    return cards


def _read_by_astropy(raw: bytes) -> list[Hdu]:
    read = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)  # real faults raise
        with fits.open(
            io.BytesIO(raw), memmap=False, disable_image_compression=True
        ) as hdus:
            for hdu in hdus[:MAX_HDUS]:
                if not hdu.is_image or not hdu.shape:
                    continue
                if len(hdu.shape) != 2 or max(hdu.shape) > MAX_SIDE:
                    raise InputError(f"an image of shape {hdu.shape}")
                wcs = [hdu.header.get(key.decode()) for key in ROTATION]
                wcs = () if None in wcs else tuple(map(float, wcs))
                dtype = np.float64 if hdu.header["BITPIX"] == -64 else np.float32
                read.append(Hdu(hdu.name, wcs, np.array(hdu.data, dtype)))
    if not read:
        raise InputError("there is no image in it")
    return read
