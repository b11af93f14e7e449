"""The cutouts of Rubin's alerts: FITS files of an image, its variance and its PSF."""

import io
import math
import warnings
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from jaxastro.errors import InputError, RecordError

BLOCK, CARD = 2880, 80  # bytes: a FITS file is made of blocks, a header of cards
MAX_SIDE = 256  # pixels; Rubin cuts 30 to 102, and its PSF images have 39 to 49
MAX_HDUS = 8  # image, variance, PSF, and some that may come
DTYPES = {-32: np.dtype(">f4"), -64: np.dtype(">f8")}
# A header with one of these means pixels that are not the plain numbers in the file.
BEYOND = {b"BSCALE", b"BZERO", b"BLANK", b"ZIMAGE"}
ROTATION = (b"PC1_2", b"PC2_2", b"CDELT1", b"CDELT2")


class RubinCutout(NamedTuple):
    """What one cutout says; None where it says nothing."""

    image: np.ndarray  # y x  float32, nanojansky
    variance: np.ndarray | None  # y x  float32, nanojansky squared
    psf: np.ndarray | None  # y x  float64
    rotation: float  # degrees from north through east to the image's +y; NaN: unknown


class Hdu(NamedTuple):
    """One image of a FITS file."""

    name: str
    wcs: tuple[float, ...]  # the numbers of ROTATION, or none
    image: np.ndarray


@np.errstate(all="ignore")  # what overflows is no measurement
def read_cutout(raw: bytes) -> RubinCutout:
    """Returns what the FITS bytes of a cutout hold.

    Plain images are read by hand, many times faster than astropy does it and to the
    same bits; a file with anything else in it is left to astropy.

    Raises:
        RecordError: if the bytes are no FITS file, or no image of a sensible size.
    """
    try:
        hdus = _read_by_hand(raw) or _read_by_astropy(raw)
    # A damaged file raises a dozen types of error; each means the same to the reader.
    except Exception as error:
        raise RecordError(
            f"a cutout of {len(raw)} bytes is no FITS image: {error}. Rubin's have an "
            "uncompressed image first. Fetch the alert again."
        ) from error
    first, named = hdus[0], {hdu.name: hdu.image for hdu in hdus[1:]}
    variance = named.get("UNCERT")
    if variance is not None and variance.shape != first.image.shape:
        raise RecordError(
            f"a cutout whose image has {first.image.shape} pixels and its variance "
            f"{variance.shape}. The same are expected. Fetch the alert again."
        )
    rotation = math.nan
    if first.wcs:
        # Where one step up moves on the sky. ROTPA says so for the whole focal plane,
        # two degrees off at its rim, and is missing in schema 7.
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
    """Returns the width of a PSF, pixels: that of a Gaussian with the same noise.

    area = sum(psf)^2 / sum(psf^2) = 4 pi sigma^2,    width = sqrt(8 ln 2) sigma
    """
    if psf is None or not np.isfinite(psf).all() or not psf.any():
        return np.nan
    area = np.sum(psf) ** 2 / np.sum(psf**2)
    return float(np.sqrt(8 * np.log(2) * area / (4 * np.pi)))


def _read_by_hand(raw: bytes) -> list[Hdu]:
    """Returns the images of a file of plain ones; none if it holds anything else."""
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
        if BEYOND & cards.keys() or int(cards.get(b"NAXIS", 0)) != 2:
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


@lru_cache(maxsize=256)  # all but those of the images are the same in every alert
def _cards(header: bytes) -> dict[bytes, bytes]:
    """Returns the cards of a header that have a value, without their comments."""
    cards = {}
    for start in range(0, len(header), CARD):
        if header[start + 8 : start + 10] == b"= ":
            value, _, _ = header[start + 10 : start + CARD].partition(b"/")
            cards.setdefault(header[start : start + 8].rstrip(), value)
    return cards


def _read_by_astropy(raw: bytes) -> list[Hdu]:
    read = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)  # what matters raises
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
