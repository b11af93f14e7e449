"""Reads images from untrusted files: FITS, npy and npz.

No code in a file is executed. Declared and uncompressed sizes are checked against
limits before memory is allocated.
"""

import contextlib
import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from astropy.io import fits

from jaxastro.errors import InputError

SUFFIXES = (".fits", ".fits.gz", ".fits.fz", ".npy", ".npz")
MAX_PIXELS = 2**27  # of one image or cube: 512 MiB as float32
MAX_BYTES = 2**30  # of a file, uncompressed


class ImageError(InputError):
    """A file has no readable image; the message has the reason and the remedy."""


def image_shape(path: Path, part: str = "") -> tuple[int, ...]:
    """Returns the shape of the image, [y x] or [t y x], without loading pixels."""
    with _opened(path, part) as (shape, _):
        return shape


def read_image(path: Path, part: str = "") -> np.ndarray:
    """Returns an image [y x] or a cube of images [t y x], float32.

    Args:
        path: a file with one of SUFFIXES.
        part: number or name of a FITS extension, or name of an array in an npz file;
            empty for the first extension with an image, or the only array.

    Raises:
        ImageError: if the file is damaged, too large, or has no such image.
    """
    with _opened(path, part) as (_, load):
        return load().astype(np.float32)


@contextlib.contextmanager
def _opened(path: Path, part: str) -> Iterator[tuple[tuple, Callable]]:
    """Gives the shape of an image and a function that loads it, of an open file."""
    try:
        with contextlib.ExitStack() as stack:
            if path.name.endswith(".npy"):
                shape, load = _npy(stack.enter_context(open(path, "rb")))
            elif path.name.endswith(".npz"):
                archive = stack.enter_context(zipfile.ZipFile(path))
                member = _member(archive, part)
                shape, load = _npy(stack.enter_context(archive.open(member)))
            elif path.name.endswith(SUFFIXES):
                shape, load = _fits(stack, path, part)
            else:
                raise ImageError(
                    f"its suffix is none of {', '.join(SUFFIXES)}. Convert it"
                )
            pixels = int(np.prod(shape, dtype=object))
            if len(shape) not in (2, 3) or not 0 < pixels <= MAX_PIXELS:
                raise ImageError(
                    f"an array of shape {shape}. An image [y x] or a cube [t y x] of "
                    f"at most {MAX_PIXELS} pixels is expected. Cut it"
                )
            yield shape, load
    except ImageError as error:
        raise ImageError(f"{path.name}: {error}.") from None
    # A damaged file may raise any error.
    except Exception as error:
        raise ImageError(
            f"{path.name}: damaged, or not of the type of its suffix: "
            f"{type(error).__name__}: {error}. Download or write it again."
        ) from error


def _member(archive: zipfile.ZipFile, part: str) -> str:
    names = [name.removesuffix(".npy") for name in archive.namelist()]
    if part not in names and (part or len(names) != 1):
        problem = f"no array named {part!r}" if part else "several arrays"
        raise ImageError(f"{problem}. It has {', '.join(names)}. Name one as its hdu")
    return f"{part or names[0]}.npy"


def _npy(stream) -> tuple[tuple, Callable]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        header = np.lib.format.read_array_header_1_0(stream)
    else:
        header = np.lib.format.read_array_header_2_0(stream)
    shape, is_fortran, dtype = header
    # Arrays of objects are pickled, and a pickle can run code.
    if dtype.kind not in "fiu":
        raise ImageError(f"an array of type {dtype}. Numbers are expected. Convert it")

    def load():
        count = int(np.prod(shape))
        pixels = np.frombuffer(stream.read(count * dtype.itemsize), dtype, count)
        return pixels.reshape(shape, order="F" if is_fortran else "C")

    return shape, load


def _fits(stack, path: Path, part: str) -> tuple[tuple, Callable]:
    open_file = gzip.open if path.name.endswith(".gz") else open
    with open_file(path, "rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ImageError(f"more than {MAX_BYTES} bytes uncompressed. Split it")
    hdus = stack.enter_context(fits.open(io.BytesIO(content), memmap=False))
    matching = (
        hdu
        for number, hdu in enumerate(hdus)
        if hdu.is_image and hdu.shape and part in ("", str(number), hdu.name)
    )
    hdu = next(matching, None)
    if hdu is None:
        which = f"extension {part}" if part else "any extension"
        raise ImageError(f"no image in {which}. Name another as its hdu")
    return tuple(hdu.shape), lambda: hdu.data
