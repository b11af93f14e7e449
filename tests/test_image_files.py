import gzip
import zipfile

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_builders.engine import image_files
from data_builders.engine.image_files import ImageError, image_shape, read_image

IMAGES = np.random.default_rng(0).normal(100, 5, (12, 9, 9)).astype(np.float32)


def as_fits(path, image, part):
    if path.name.endswith(".fz"):
        hdu = fits.CompImageHDU(image, name=part, compression_type="GZIP_2")
        hdu.quantize_level = 0
    else:
        hdu = fits.ImageHDU(image, name=part)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)


WRITERS = {
    "a.fits": as_fits,
    "a.fits.gz": as_fits,
    "a.fits.fz": lambda path, image, part: as_fits(path, image.astype("i4"), part),
    "a.npy": lambda path, image, part: np.save(path, image),
    "a.npz": lambda path, image, part: np.savez_compressed(path, **{part: image}),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("shape", [(9, 9), (3, 9, 9)])
def test_every_format_gives_the_same_pixels(tmp_path, name, shape):
    image = np.round(np.resize(IMAGES, shape))
    WRITERS[name](tmp_path / name, image, "SCI")
    assert image_shape(tmp_path / name) == shape
    for part in ("", "1", "SCI") if ".fits" in name else ("", "SCI"):
        np.testing.assert_array_equal(read_image(tmp_path / name, part), image)


def test_fortran_order_and_integers_are_read(tmp_path):
    image = np.asfortranarray(np.arange(12, dtype=">i2").reshape(3, 4))
    np.save(tmp_path / "a.npy", image)
    np.testing.assert_array_equal(read_image(tmp_path / "a.npy"), image)


@pytest.mark.parametrize(
    ("arrays", "part", "message"),
    [
        ({"a": np.array([{}], object)}, "", "an array of type object"),
        ({"a": np.array(["x"])}, "", "Numbers are expected"),
        ({"a": np.zeros((2, 2), complex)}, "", "an array of type complex128"),
        ({"a": np.zeros(3)}, "", r"an array of shape \(3,\)"),
        ({"a": np.zeros((0, 3, 3))}, "", r"an array of shape \(0, 3, 3\)"),
        ({"a": IMAGES, "b": IMAGES}, "", "several arrays. It has a, b"),
        ({"a": IMAGES}, "b", "no array named 'b'. It has a"),
    ],
)
def test_arrays_that_are_no_images_are_refused(tmp_path, arrays, part, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ImageError, match=message):
        read_image(tmp_path / "a.npz", part)


def huge_npy(path):
    with open(path, "wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)}
        np.lib.format.write_array_header_1_0(file, header)


def huge_npz(path):
    huge_npy(path.with_suffix(".npy"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(path.with_suffix(".npy"), "a.npy")


def bomb_npz(path):
    """A megabyte that unpacks to a gigabyte."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.npy", "w", force_zip64=True) as file,
    ):
        header = {"descr": "<f8", "fortran_order": False, "shape": (2**14, 2**14)}
        np.lib.format.write_array_header_1_0(file, header)
        file.write(bytes(2**20))


def huge_fits(path):
    header = fits.ImageHDU(np.zeros((2, 2), np.float32)).header
    header["NAXIS1"] = header["NAXIS2"] = 10**6
    primary = fits.PrimaryHDU().header.tostring().encode()
    path.write_bytes(primary + header.tostring().encode() + bytes(2880))


def bomb_fits(path):
    with gzip.open(path, "wb", 1) as file:
        file.write(fits.PrimaryHDU().header.tostring().encode())
        for _ in range(200):
            file.write(bytes(2**14))


@pytest.mark.parametrize(
    ("write", "name", "message"),
    [
        (huge_npy, "a.npy", r"shape \(1000000, 1000000\)"),
        (huge_npz, "a.npz", r"shape \(1000000, 1000000\)"),
        (bomb_npz, "a.npz", r"shape \(16384, 16384\)"),
        (huge_fits, "a.fits", r"shape \(1000000, 1000000\)"),
        (bomb_fits, "a.fits.gz", "more than 1048576 bytes uncompressed"),
    ],
)
def test_absurd_sizes_are_refused_before_they_are_allocated(
    tmp_path, monkeypatch, write, name, message
):
    monkeypatch.setattr(image_files, "MAX_BYTES", 2**20)
    write(tmp_path / name)
    with pytest.raises(ImageError, match=message):
        read_image(tmp_path / name)


@pytest.fixture(scope="module")
def whole_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    image = np.round(IMAGES[0])
    for name, write in WRITERS.items():
        write(folder / name, image, "SCI")
    return folder, {name: (folder / name).read_bytes() for name in WRITERS}


def read_or_refuse(path):
    try:
        return read_image(path)
    except ImageError as refusal:
        return str(refusal)


@pytest.mark.filterwarnings("ignore")  # astropy's, on what is wrong with the file
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(whole_files, data):
    folder, contents = whole_files
    name = data.draw(st.sampled_from(sorted(contents)))
    wild = bytearray(contents[name])
    for _ in range(data.draw(st.integers(0, 4))):
        wild[data.draw(st.integers(0, len(wild) - 1))] = data.draw(st.integers(0, 255))
    wild = wild[: data.draw(st.integers(len(wild) // 2, len(wild)))]
    path = folder / f"wild_{name}"
    path.write_bytes(bytes(wild))
    outcome = read_or_refuse(path)
    assert name in outcome if isinstance(outcome, str) else outcome.ndim in (2, 3)
