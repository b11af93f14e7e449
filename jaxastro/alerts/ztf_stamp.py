"""Stamps of ZTF alerts: small gzipped FITS images in an Avro packet."""

import io
import warnings
import zlib
from functools import lru_cache

import numpy as np
from astropy.io import fits

from jaxastro.errors import RecordError

MAX_BYTES = 2**20  # uncompressed; ZTF's have 20,160
MAX_SIDE = 256  # pixels; ZTF's have 63
BLOCK, CARD = 2880, 80  # bytes of a block of a FITS file, of a card of a header
# A header that begins with these and has none of NOT_PLAIN describes plain numbers.
PLAIN = (b"SIMPLE", b"BITPIX", b"NAXIS", b"NAXIS1", b"NAXIS2")
NOT_PLAIN = {b"BSCALE", b"BZERO", b"BLANK", b"EXTEND", b"GROUPS", b"PCOUNT", b"GCOUNT"}


def read_stamp(stored: bytes) -> np.ndarray:
    """Returns a stamp [y x] float32, in the file's unit and sign.

    Files with the usual header are read without astropy, which is faster; others by
    astropy.

    Raises:
        RecordError: if the bytes are no image, or more than MAX_BYTES uncompressed.
    """
    raw = _gunzip(stored) if stored[:2] == b"\x1f\x8b" else stored
    shape = _plain_shape(raw[:BLOCK])
    if shape is None:
        return _read_by_astropy(raw)
    count = shape[0] * shape[1]
    if len(raw) < BLOCK + 4 * count:
        raise RecordError(
            f"a stamp of {shape} pixels in {len(raw)} bytes is incomplete."
        )
    pixels = np.frombuffer(raw, ">f4", count, BLOCK)
    return pixels.reshape(shape).astype(np.float32)


def _gunzip(stored: bytes) -> bytes:
    unpacker = zlib.decompressobj(31)
    try:
        raw = unpacker.decompress(stored, MAX_BYTES)
    except zlib.error as error:
        raise RecordError(f"a stamp cannot be decompressed: {error}.") from error
    if not unpacker.eof:
        raise RecordError(
            f"a stamp is incomplete, or larger than {MAX_BYTES} bytes uncompressed."
        )
    return raw


@lru_cache(maxsize=256)  # nearly all headers are the same 2880 bytes
def _plain_shape(header: bytes) -> tuple[int, int] | None:
    """Returns the shape of a one-block header of plain float32; None for any other."""
    cards = [header[at : at + CARD] for at in range(0, BLOCK, CARD)]
    keys = [card[:8].rstrip() for card in cards]
    if tuple(keys[:5]) != PLAIN or b"END" not in keys or NOT_PLAIN & {*keys}:
        return None
    values = [card[8:].partition(b"/")[0].strip(b" =") for card in cards[1:5]]
    if not all(value.isdigit() for value in values[1:]) or values[:2] != [b"-32", b"2"]:
        return None
    x, y = map(int, values[2:])
    return (y, x) if 0 < min(x, y) <= max(x, y) <= MAX_SIDE else None


def _read_by_astropy(raw: bytes) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of nonstandard headers
            # Images are not decompressed: their size would have no limit.
            with fits.open(io.BytesIO(raw), disable_image_compression=True) as hdus:
                image = next(hdu for hdu in hdus[:8] if _is_image(hdu))
                return np.ascontiguousarray(image.data, np.float32)
    # A damaged file may raise any error.
    except Exception as error:
        raise RecordError(f"a stamp is no FITS image: {error!r:.200}.") from error


def _is_image(hdu) -> bool:
    """Returns whether it is a small plain image, without reading its pixels."""
    plain = type(hdu) in (fits.PrimaryHDU, fits.ImageHDU)
    if not plain or len(hdu.shape) != 2:
        return False
    return 0 < min(hdu.shape) <= max(hdu.shape) <= MAX_SIDE
