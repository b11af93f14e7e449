import bz2
import io

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sdss_frames import PIXEL, field_row, frames_of, write_fields, write_frame

from data_builders.sdss.sdss_sn_frames import (
    COLUMNS,
    FIELDS_FILE,
    SQL,
    cut,
    fields_of,
    frame_of,
    read_fields,
)

SHAPE = (64, 80)


def table(rows):
    return {name: np.array([row[name] for row in rows], float) for name in COLUMNS}


def row(run, field, ra, dec, **changed):
    return field_row(run, 1, field, (ra, dec), mjd=53600.0) | changed


def test_the_table_comes_back_from_its_file(tmp_path):
    rows = [row(2873, 40, 10.0, 0.5), row(5800, 41, 359.99, -0.5, psfWidth_g=-9999.0)]
    write_fields(tmp_path / FIELDS_FILE, rows)
    fields = read_fields(tmp_path / FIELDS_FILE)
    for name, column in table(rows).items():
        np.testing.assert_array_equal(fields[name], column)
    assert frame_of(fields, 0, "r") == frames_of(rows[0])[2]
    assert frame_of(fields, 0, "z").name == "frame-z-002873-1-0040.fits.bz2"
    assert frame_of(fields, 0, "z").in_archive.startswith("301/2873/1/frame-z")
    assert np.isnan(frame_of(fields, 1, "g").psf_fwhm)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column run"),
        ("run,rerun\n1,2\n", "no column camcol"),
        (
            ",".join(COLUMNS) + "\n" + ",".join(["x"] * len(COLUMNS)),
            "could not convert",
        ),
        (",".join(COLUMNS) + "\n1,2,3\n", "columns"),
        ("<html>SkyServer is down</html>", "no column run"),
    ],
)
def test_a_wrong_table_is_refused_with_the_query_that_makes_it(tmp_path, text, message):
    path = tmp_path / FIELDS_FILE
    with pytest.raises(FileNotFoundError, match=r"WHERE r\.stripe = 82"):
        read_fields(path)
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        read_fields(path)
    assert SQL in str(error.value)


def test_each_run_shows_a_place_once_where_the_edge_is_farthest():
    rows = [
        row(10, 1, 20.00, 0.0),
        row(10, 2, 20.10, 0.0),  # overlaps the first
        row(11, 1, 20.05, 0.0),
        row(12, 1, 20.05, 0.0, score=0.0),  # spoiled
        row(13, 1, 20.05, 0.0, mjd_u=0.0),  # no time is known
        row(14, 1, 20.05, 0.3),  # elsewhere
    ]
    place, field = fields_of(np.array([20.03, 20.07]), np.zeros(2), table(rows))
    assert list(zip(place.tolist(), field.tolist(), strict=True)) == [
        (0, 0),
        (0, 2),
        (1, 1),
        (1, 2),
    ]


def test_the_sky_goes_on_across_midnight():
    rows = [
        row(10, 1, 0.0, 0.0),
        row(11, 1, 0.0, 0.0, raMin=0.02, raMax=359.95),  # as minimum and maximum
    ]
    ra = np.array([359.96, 0.01, 0.1, 180.0, np.nan])
    place, field = fields_of(ra, np.zeros(5), table(rows))
    assert list(zip(place.tolist(), field.tolist(), strict=True)) == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    ]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_fields_are_found_as_by_looking_at_every_one(seed):
    rng = np.random.default_rng(seed)
    rows = [
        row(int(rng.integers(10, 14)), i, *rng.uniform(-0.4, 0.4, 2))
        for i in range(int(rng.integers(0, 30)))
    ]
    ra, dec = rng.uniform(-0.5, 0.5, (2, 12))
    ra %= 360
    expected = set()
    for i in range(12):
        best = {}
        for j, r in enumerate(rows):
            half = (r["raMax"] - r["raMin"]) % 360 / 2
            mid = r["raMin"] + half
            along = half - abs((ra[i] - mid + 180) % 360 - 180)
            across = min(r["decMax"] - dec[i], dec[i] - r["decMin"])
            margin = min(along * np.cos(np.radians(dec[i])), across)
            if margin >= 0:
                best[r["run"]] = max(best.get(r["run"], (-1, 0)), (margin, j))
        expected |= {(i, j) for _, j in best.values()}
    found = fields_of(ra, dec, table(rows) if rows else dict.fromkeys(COLUMNS, ra[:0]))
    assert set(zip(*(column.tolist() for column in found), strict=True)) == expected


@pytest.mark.parametrize("x", [-40, -17, -16, -3, 0, 14, 40, 66, 79, 94, 96, 200])
def test_a_stamp_is_the_frame_around_a_place(tmp_path, x):
    """Cut from a frame padded on all sides, it is the same."""
    frame = frames_of(row(2873, 40, 10.0, 0.5))[2]
    path = write_frame(tmp_path, frame, (10.0, 0.5), shape=SHAPE, noise=1.0, turn=0.0)
    image = fits.getdata(io.BytesIO(bz2.decompress(path.read_bytes())))
    padded = np.pad(image, 300, constant_values=np.nan)
    # Columns along declination, from the reference pixel 40 of 80.
    dec, ra = 0.5 + (x + 0.3 - 40) * PIXEL, 10.0 + 0.3 * PIXEL
    (stamp,) = cut(path, frame, [ra], [dec], size=32)
    left, bottom = x - 15 + 300, 32 - 15 + 300
    window = padded[bottom : bottom + 32, left : left + 32]
    if np.isnan(window).all():
        assert stamp.pixels is None
    else:
        np.testing.assert_array_equal(stamp.pixels, window * np.float32(3.631))
    assert np.isfinite([stamp.mjd, stamp.noise, stamp.zero_point]).all()


def test_the_sky_is_constant_beyond_its_last_bin(tmp_path):
    frame = frames_of(row(2873, 40, 10.0, 0.5))[2]
    path = write_frame(tmp_path, frame, (10.0, 0.5), shape=SHAPE, per_count=0.01)
    noise = [
        cut(path, frame, [10.0 + rows * PIXEL], [0.5], size=32)[0].noise
        for rows in (-30, -29, 0, 29, 30)
    ]
    assert noise[0] == noise[1] < noise[2] < noise[3] <= noise[4]
    # The last rows are in the last bin, which is 1.5 times the first.
    last = np.sqrt(180 / 4.71 + 1.8225) * 0.01 * (1 + 0.1 * 40 / 79) * 3.631
    assert noise[4] == pytest.approx(last, rel=1e-3)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    frame = frames_of(row(2873, 40, 10.0, 0.5))[2]
    folder = tmp_path_factory.mktemp("frames")
    path = write_frame(folder, frame, (10.0, 0.5), shape=SHAPE, noise=1.0)
    path.rename(folder / "whole")
    return frame, path


def wild_content(data, content):
    """A file that broke off, or some bytes of which are others."""
    if data.draw(st.booleans()):
        return content[: data.draw(st.integers(0, len(content) - 1))]
    packed = data.draw(st.booleans())  # the checksum of bzip2 sees that
    wild = bytearray(content if packed else bz2.decompress(content))
    for _ in range(data.draw(st.integers(1, 6))):
        # The header, or anywhere.
        last = data.draw(st.sampled_from([2880, len(wild) - 1]))
        wild[data.draw(st.integers(0, last))] = data.draw(st.integers(0, 255))
    return bytes(wild) if packed else bz2.compress(bytes(wild), 1)


@pytest.mark.filterwarnings("ignore::astropy.utils.exceptions.AstropyWarning")
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_frame_is_read_or_an_error_with_a_message(whole, data):
    frame, path = whole
    path.write_bytes(wild_content(data, path.with_name("whole").read_bytes()))
    try:
        (stamp,) = cut(path, frame, [10.0], [0.5], size=32)
    except ValueError as error:
        refusal = str(error)
        assert path.name in refusal
    else:
        assert stamp.pixels is None or stamp.pixels.shape == (32, 32)
