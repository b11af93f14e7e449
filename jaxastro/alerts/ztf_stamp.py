"""The stamps of ZTF's alerts: small FITS images, gzipped, within an Avro packet."""

import io
import warnings
import zlib
from functools import lru_cache

import numpy as np
from astropy.io import fits

from jaxastro.errors import RecordError

MAX_BYTES = 2**20  # unpacked; ZTF's have 20,160
MAX_SIDE = 256  # pixels; ZTF's have 63
BLOCK, CARD = 2880, 80  # bytes: a FITS file is made of blocks, a header of cards
# A header that begins so and has none of the second describes plain numbers.
PLAIN = (b"SIMPLE", b"BITPIX", b"NAXIS", b"NAXIS1", b"NAXIS2")
NOT_PLAIN = {b"BSCALE", b"BZERO", b"BLANK", b"EXTEND", b"GROUPS", b"PCOUNT", b"GCOUNT"}


def read_stamp(stored: bytes) -> np.ndarray:
    """Returns [y x] float32, in the file's own unit and sign.

    The usual header is read by hand; whatever differs is left to astropy.

    Raises:
        RecordError: if the bytes are no image, or unpack to more than MAX_BYTES.
    """
    raw = _gunzip(stored) if stored[:2] == b"\x1f\x8b" else stored
    shape = _plain_shape(raw[:BLOCK])
    if shape is None:
        return _read_by_astropy(raw)
    count = shape[0] * shape[1]
    if len(raw) < BLOCK + 4 * count:
        raise RecordError(f"a stamp of {shape} pixels in {len(raw)} bytes breaks off.")
    pixels = np.frombuffer(raw, ">f4", count, BLOCK)
    return pixels.reshape(shape).astype(np.float32)


def _gunzip(stored: bytes) -> bytes:
    unpacker = zlib.decompressobj(31)
    try:
        raw = unpacker.decompress(stored, MAX_BYTES)
    except zlib.error as error:
        raise RecordError(f"a stamp cannot be unpacked: {error}.") from error
    if not unpacker.eof:
        raise RecordError(f"a stamp breaks off, or unpacks beyond {MAX_BYTES} bytes.")
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
            warnings.simplefilter("ignore")  # on headers that bend the standard
            # A compressed image stays a table here: its unpacked size has no limit.
            with fits.open(io.BytesIO(raw), disable_image_compression=True) as hdus:
                image = next(hdu for hdu in hdus[:8] if _is_image(hdu))
                return np.ascontiguousarray(image.data, np.float32)
    # A damaged file raises a dozen types of error; each means the same to the reader.
    except Exception as error:
        raise RecordError(f"a stamp is no FITS image: {error!r:.200}.") from error


def _is_image(hdu) -> bool:
    """Says so before its pixels are touched: a header may claim any number of them."""
    plain = type(hdu) in (fits.PrimaryHDU, fits.ImageHDU)
    if not plain or len(hdu.shape) != 2:
        return False
    return 0 < min(hdu.shape) <= max(hdu.shape) <= MAX_SIDE
