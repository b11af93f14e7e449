import collections
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_builders.deep_tao import deep_tao
from data_builders.engine.builder import REPORT_FILE
from jaxastro.data.record import record_from_example

NAME = "CSS071204:100029+071116"
# As the published table goes: by telescope, month and cutout, one exposure twice.
DATES = ("05APR06", "05FEB02", "05FEB02", "05JAN07", "07FEB08")
MJD = (53466.25, 53403.3125, 53403.3125, 53377.40625, 54139.2734375)


def stamps(sizes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(2000, 60000, (n, n)).astype(np.uint16) for n in sizes]


def write(folder, label="AGN", name=NAME, sizes=(64,) * 5, mjd=MJD, **cards):
    """A file as the official notebook writes it: everything is in extensions."""
    (folder / label).mkdir(parents=True, exist_ok=True)
    is_transient = label != "NON"
    number, time = np.arange(2, len(sizes) + 2), np.array(mjd)
    if is_transient:
        formats = {"HDU_Ext": ("K", number), "MJD": ("D", time)}
    else:  # numbers are text
        formats = {"HDU_Ext": ("4A", number.astype("U4"))}
        formats["MJD"] = "11A", time.astype("U11")
    formats["Date" if is_transient else "DATE"] = "7A", np.array(DATES)
    formats["Field_ID"] = "6A", np.full(len(sizes), "N07053")
    formats["Cutout"] = "4A", np.full(len(sizes), "0118")
    columns = [fits.Column(key, f, array=array) for key, (f, array) in formats.items()]
    table = fits.BinTableHDU.from_columns(columns)
    facts = {"CRTS_ID": NAME, "RA_(J2000)": 150.11888, "DEC_(J2000)": 7.18778}
    if is_transient:
        facts |= {"MAG": 20.24, "CLASS": "AGN? SDSS 22,1 mag Galaxy"}
    for key, value in (facts | cards).items():
        card = key if len(key) <= 8 else f"HIERARCH {key}"
        if value is not None:
            table.header[card] = value
    images = [fits.ImageHDU(image) for image in stamps(sizes)]
    path = folder / label / f"{name}.fits"
    fits.HDUList([fits.PrimaryHDU(), table, *images]).writeto(path)
    return path


def test_pixels_and_times_come_back_in_order_of_time(tmp_path):
    path = write(tmp_path)
    ((object_id, record, notes, _),) = deep_tao.read(path)
    order = np.argsort(MJD, kind="stable")
    np.testing.assert_array_equal(record.flux, np.array(stamps((64,) * 5))[order])
    np.testing.assert_array_equal(record.mjd, np.array(MJD)[order])
    assert object_id == record.object_id == record.group == NAME
    assert (record.label, record.label_source) == ("AGN", "catalogue")
    assert (record.ra, record.dec) == (150.11888, 7.18778)
    assert notes == ()


def test_objects_found_in_the_images_of_a_transient_stay_in_its_fold(tmp_path):
    name = "nonCSS:1.82182-16.3341"
    path = write(tmp_path, "NON", name, **{"RA_(J2000)": "1.82182"})
    ((object_id, record, _, _),) = deep_tao.read(path)
    assert object_id == name
    assert record.group == NAME
    assert record.ra == 1.82182
    # Text in the file, cut after eleven letters.
    np.testing.assert_allclose(record.mjd, np.sort(MJD), rtol=0, atol=1e-5)


def test_the_class_is_the_name_of_the_folder_not_the_comment(tmp_path):
    for label in ("SN", "OTHER", "elsewhere"):
        ((_, record, _, _),) = deep_tao.read(write(tmp_path, label))
        assert record.label == (label if label != "elsewhere" else "Unknown")


def test_stamps_of_other_sizes_are_centred_and_noted(tmp_path):
    sizes = (64, 70, 63, 20, 64)
    path = write(tmp_path, sizes=sizes, mjd=(53377.5, 53378, 53379, 53380, 53381))
    ((_, record, notes, _),) = deep_tao.read(path)
    raw = stamps(sizes)
    np.testing.assert_array_equal(record.flux[1], raw[1][3:67, 3:67])
    np.testing.assert_array_equal(record.flux[2][1:, 1:], raw[2])
    np.testing.assert_array_equal(record.flux[3][22:42, 22:42], raw[3])
    assert record.bad_pixel.sum(axis=(1, 2)).tolist() == [0, 0, 127, 64**2 - 400, 0]
    for t, n in enumerate(sizes):  # pixel n // 2 is at pixel 32
        assert record.flux[t, 32, 32] == raw[t][n // 2, n // 2]
    assert "3 images were not 64x64: cut or padded around the centre." in notes


def test_times_that_contradict_the_date_are_noted(tmp_path):
    mjd = (53466.9, 53403.3, 53405.9, 53377.4, 54139.2)
    ((_, record, notes, _),) = deep_tao.read(write(tmp_path, mjd=mjd))
    assert notes == ("1 epochs lie days from the date in their file name.",)
    np.testing.assert_array_equal(record.mjd, np.sort(mjd))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"CRTS_ID": None}, "KeyError"),
        ({"RA_(J2000)": "north"}, "could not convert string to float: 'north'"),
        ({"mjd": (np.nan, *MJD[1:])}, "1 of 5 observation times are not numbers"),
        ({"sizes": (64, 64, 64, 64, 5000)}, r"an image of shape (5000, 5000)"),
    ],
)
def test_a_bad_object_is_set_aside_with_a_note(tmp_path, changed, message):
    path = write(tmp_path, **changed)
    ((_, record, (note,), _),) = deep_tao.read(path)
    assert record is None
    assert message in note
    assert note.startswith(path.name)


def test_every_object_of_the_folders_is_built_or_reported(tmp_path):
    data = tmp_path / "data"
    for number, label in enumerate(deep_tao.SURVEY.classes):
        name = f"CSS{number}"
        write(data, label, name, CRTS_ID=name)
    (data / "SN" / "broken.fits").write_bytes(b"SIMPLE  =")
    builder = deep_tao.DeepTao(data_dir=tmp_path / "built", processes=2)
    config = tfds.download.DownloadConfig(manual_dir=tmp_path)
    builder.download_and_prepare(download_config=config)
    records = [record_from_example(e) for e in builder.as_data_source("all")]
    count = collections.Counter(record.label for record in records)
    assert count == dict.fromkeys(deep_tao.SURVEY.classes, 1)
    assert records[0].flux.shape == (5, 64, 64)
    report = json.loads((Path(builder.data_dir) / REPORT_FILE).read_text())
    assert list(report["set_aside"]) == ["broken"]


def test_files_and_folders_are_recognised(tmp_path):
    assert not deep_tao.recognises(tmp_path)
    path = write(tmp_path / "data")
    for known in (path, path.parent, path.parent.parent, tmp_path):
        assert deep_tao.recognises(known)
    other = tmp_path / "other.fits"
    fits.writeto(other, np.zeros((3, 3)))
    assert not deep_tao.recognises(other)
    assert not deep_tao.recognises(tmp_path / "gone")


def test_missing_files_are_errors(tmp_path, monkeypatch):
    monkeypatch.delenv("JAXASTRO_DATA", raising=False)
    builder = deep_tao.DeepTao(data_dir=tmp_path)
    with pytest.raises(FileNotFoundError, match=r"No \.fits file in"):
        builder.parts(tmp_path)
    with pytest.raises(FileNotFoundError, match="TAO_non-transients"):
        builder.parts(None)


@pytest.fixture(scope="module")
def whole_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wild")
    path = write(folder, sizes=(8,) * 5)
    return path, path.read_bytes()


@pytest.mark.filterwarnings("ignore")  # astropy's, on what is wrong with the file
@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_damaged_file_is_read_or_set_aside(whole_file, data):
    path, whole = whole_file
    wild = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 5))):
        wild[data.draw(st.integers(0, len(wild) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(wild[: data.draw(st.integers(0, len(wild)))]))
    (reading,) = deep_tao.read(path)
    assert reading.record is not None or reading.notes
    deep_tao.recognises(path)
