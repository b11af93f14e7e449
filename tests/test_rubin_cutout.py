import io

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from support.rubin_packets import cutout_of

from jaxastro.alerts import rubin_cutout
from jaxastro.alerts.rubin_cutout import read_cutout, width_at_half_maximum
from jaxastro.errors import RecordError


def stored(*hdus):
    file = io.BytesIO()
    fits.HDUList(list(hdus)).writeto(file)
    return file.getvalue()


def read_or_error(raw):
    """The image, or the sentence that refuses it."""
    try:
        return read_cutout(raw).image
    except RecordError as error:
        return str(error)


def by_astropy(raw):
    with fits.open(io.BytesIO(raw)) as hdus:
        return {hdu.name: np.array(hdu.data) for hdu in hdus}


@settings(deadline=None, max_examples=50)
@given(
    arrays.arrays(
        st.sampled_from([np.float32]), arrays.array_shapes(min_dims=2, max_dims=2)
    ),
    st.integers(1, 60),
)
def test_plain_images_are_read_to_the_bits_that_astropy_reads(image, psf_size):
    psf = np.random.default_rng(psf_size).normal(size=(psf_size, psf_size))
    raw = stored(
        fits.PrimaryHDU(image),
        fits.ImageHDU(image[::-1], name="UNCERT"),
        fits.ImageHDU(psf, name="PSFIMAGE"),
    )
    assert rubin_cutout._read_plain(raw)
    read, expected = read_cutout(raw), by_astropy(raw)
    for ours, name in zip(read, ("PRIMARY", "UNCERT", "PSFIMAGE"), strict=False):
        assert ours.astype(expected[name].dtype).tobytes() == expected[name].tobytes()


def test_what_is_not_plain_is_left_to_astropy_and_comes_out_scaled():
    counts = np.arange(12, dtype=np.int16).reshape(3, 4)
    scaled = fits.PrimaryHDU(counts)
    scaled.header["BSCALE"], scaled.header["BZERO"] = 0.5, 10.0
    raw = stored(scaled, fits.BinTableHDU.from_columns([]))
    assert not rubin_cutout._read_plain(raw)
    np.testing.assert_array_equal(read_cutout(raw).image, counts * 0.5 + 10)
    empty_first = stored(fits.PrimaryHDU(), fits.ImageHDU(counts.astype(float)))
    np.testing.assert_array_equal(read_cutout(empty_first).image, counts)


def test_a_cutout_that_breaks_off_anywhere_is_refused():
    raw = cutout_of(30)
    for end in {*range(0, len(raw), 500), len(raw) - 2880, len(raw) - 15000}:
        read = read_or_error(raw[:end])
        if isinstance(read, str):
            assert "is no FITS image" in read
        else:  # it broke off between images, or in the padding after one
            np.testing.assert_array_equal(read, read_cutout(raw).image)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_damaged_cutouts_are_read_or_errors_with_a_message(data):
    raw = bytearray(cutout_of(8))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    read = read_or_error(bytes(raw))
    if isinstance(read, str):
        assert "cutout" in read
    else:
        assert max(read.shape) <= rubin_cutout.MAX_SIDE


def test_invalid_sizes_are_errors():
    with pytest.raises(RecordError, match=r"image of shape \(1, 300\)"):
        read_cutout(stored(fits.PrimaryHDU(np.zeros((1, 300), np.float32))))
    with pytest.raises(RecordError, match=r"has \(4, 4\) pixels and its variance"):
        read_cutout(cutout_of(image=np.ones((4, 4)), variance=np.ones((3, 4))))
    with pytest.raises(RecordError, match="no image in it"):
        read_cutout(stored(fits.PrimaryHDU()))


def test_the_width_of_a_gaussian_psf_is_its_own():
    y, x = np.mgrid[-25:26, -25:26]
    psf = np.exp(-(y**2 + x**2) / (2 * 2.5**2))
    assert width_at_half_maximum(psf) == pytest.approx(2.3548 * 2.5, rel=1e-3)
    assert width_at_half_maximum(7 * psf) == pytest.approx(2.3548 * 2.5, rel=1e-3)
    assert np.isnan(width_at_half_maximum(None))
    assert np.isnan(width_at_half_maximum(0 * psf))
    assert np.isnan(width_at_half_maximum(np.full((3, 3), 1e200)))


def test_the_rotation_is_where_up_points_on_the_sky():
    assert read_cutout(cutout_of()).rotation == pytest.approx(30)
    plain = stored(fits.PrimaryHDU(np.zeros((3, 3), np.float32)))
    assert np.isnan(read_cutout(plain).rotation)
    assert read_cutout(plain).variance is None
