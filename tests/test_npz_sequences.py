import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_builders.engine import npz_sequences
from data_builders.engine.npz_sequences import read_sequences
from data_builders.engine.readings import records_of
from jaxastro.surveys import SURVEYS

HITS, SDSS = SURVEYS["hits"], SURVEYS["sdss_sn_sim"]


def columns_of(epochs=(4, 3, 5), size=21, **changed):
    total, generator = sum(epochs), np.random.default_rng(0)
    columns = {
        "images": generator.normal(120, 4, (total, size, size)).astype(np.float32),
        "offsets": np.concatenate([[0], np.cumsum(epochs)]),
        "mjd": 57070 + np.sort(generator.uniform(0, 9, total)),
        "name": np.array([f"object{i}" for i in range(len(epochs))]),
    }
    columns |= changed
    return {name: value for name, value in columns.items() if value is not None}


def write(folder, **changed):
    path = folder / "sequences.npz"
    np.savez_compressed(path, **columns_of(**changed))
    return path


def test_every_frame_comes_back_bit_for_bit(tmp_path):
    columns = columns_of()
    readings = list(read_sequences(write(tmp_path), HITS))
    assert [r.object_id for r in readings] == ["object0", "object1", "object2"]
    flux = np.concatenate([r.record.flux for r in readings])
    order = np.concatenate([4 * [0], 3 * [1], 5 * [2]])
    by_time = np.lexsort([columns["mjd"], order])
    np.testing.assert_array_equal(flux, columns["images"][by_time])
    mjd = np.concatenate([r.record.mjd for r in readings])
    np.testing.assert_array_equal(mjd, columns["mjd"][by_time])


def test_columns_reach_the_record(tmp_path):
    per_frame = np.arange(12, dtype=np.float32)
    path = write(
        tmp_path,
        size=32,
        band=np.array(list("ugrizugrizug")),
        psf_fwhm=per_frame,
        zero_point=22.5 + per_frame,
        ra=np.array([1.0, 2.0, 3.0]),
        redshift=np.array([0.1, np.nan, 0.3]),
        label=np.array([b"SNIa", b"AGN", b"Unknown"]),
        label_source=np.array(["simulated", "spectroscopic", "none"]),
        truth=np.array(["SNIa", "AGN", ""]),
        field=np.array([7, 14, 120]),
    )
    records = [r.record for r in read_sequences(path, SDSS)]
    assert [r.label for r in records] == ["SNIa", "AGN", "Unknown"]
    assert [r.label_source for r in records] == ["simulated", "spectroscopic", "none"]
    assert [r.group for r in records] == ["field07", "field14", "field120"]
    assert [r.ra for r in records] == [1, 2, 3]
    assert records[1].band.tolist() == [4, 0, 1]
    assert records[2].psf_fwhm.tolist() == [7, 8, 9, 10, 11]
    assert records[2].zero_point[0] == 29.5
    assert np.isnan(records[0].noise).all()


def test_no_object_is_lost_whatever_is_wrong_with_it(tmp_path):
    mjd = columns_of(epochs=(4, 0, 5, 2, 1))["mjd"]
    mjd[5] = np.nan
    path = write(
        tmp_path,
        epochs=(4, 0, 5, 2, 1),
        mjd=mjd,
        name=np.array(["good", "empty", "no_time", "good", ""]),
        label=np.array(["SN", "SN", "EB", "EB", "EB"]),
    )
    readings = list(read_sequences(path, HITS))
    assert [r.object_id for r in readings] == ["good", "empty", "no_time", "good", ""]
    assert [r.record is None for r in readings] == [False, True, True, True, True]
    notes = [" ".join(r.notes) for r in readings]
    assert "no epoch with a good pixel" in notes[1]
    assert "1 of 5 observation times are not numbers" in notes[2]
    assert "its name occurs twice" in notes[3]
    assert "it has no name" in notes[4]


def test_an_unknown_class_sets_only_its_object_aside(tmp_path):
    path = write(tmp_path, label=np.array(["SN", "Quasar", "EB"]))
    readings = list(read_sequences(path, HITS))
    assert [r.record is None for r in readings] == [False, True, False]
    assert "unknown class 'Quasar'" in readings[1].notes[0]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"mjd": None}, "no array named 'mjd'"),
        ({"images": np.zeros((12, 21), np.float32)}, r"images has shape \(12, 21\)"),
        ({"images": np.zeros((12, 21, 21), complex)}, "type complex128"),
        ({"offsets": np.array([0, 7, 4, 12])}, "rise from 0 to the 12 frames"),
        ({"offsets": np.array([0, 4, 7, 11])}, "rise from 0 to the 12 frames"),
        ({"offsets": np.array([1, 4, 7, 12])}, "rise from 0 to the 12 frames"),
        ({"offsets": np.array([0, 4.5, 7, 12])}, "type float64"),
        ({"offsets": np.array([], int)}, "Rebuild offsets"),
        ({"mjd": np.zeros(11)}, r"mjd has shape \(11,\), but there are 12 frames"),
        ({"name": np.array(["a", "b"])}, "there are 3 objects"),
        ({"name": np.arange(3)}, "name has type int64, not text"),
        ({"ra": np.array(["1", "2", "3"])}, "not numbers"),
        ({"label": np.array([b"\xff", b"a", b"b"])}, "not UTF-8"),
        ({"label": np.array(["SN", {}, None], object)}, "damaged or unsafe npz file"),
    ],
)
def test_a_bad_file_is_an_error_with_a_message(tmp_path, changed, message):
    path = write(tmp_path, **changed)
    with pytest.raises(ValueError, match=message) as error:
        list(read_sequences(path, HITS))
    assert "sequences.npz" in str(error.value)


def test_several_bands_need_a_band_column(tmp_path):
    with pytest.raises(ValueError, match="no array named 'band', but sdss_sn_sim has"):
        list(read_sequences(write(tmp_path, size=32), SDSS))


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.npz does not exist"):
        list(read_sequences(tmp_path / "gone.npz", HITS))
    with pytest.raises(FileNotFoundError, match="is a folder"):
        list(read_sequences(tmp_path, HITS))


def test_what_is_no_npz_is_refused(tmp_path):
    path = tmp_path / "sequences.npz"
    for content in (b"", b"not a zip", np.arange(9.0).tobytes()):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is not a complete npz file"):
            list(read_sequences(path, HITS))


def test_a_file_too_large_for_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(npz_sequences, "MAX_GIGABYTES", 1e-9)
    with pytest.raises(ValueError, match="Split it into files of fewer objects"):
        list(read_sequences(write(tmp_path), HITS))


@pytest.fixture(scope="module")
def small_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    columns = columns_of(epochs=(2, 1), size=21)
    columns["images"] = columns["images"].round()
    path = folder / "damaged.npz"
    np.savez_compressed(path, **columns)
    return path, path.read_bytes()


def read_or_refuse(path):
    try:
        return len(list(read_sequences(path, HITS)))
    except ValueError as refusal:
        return str(refusal)


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_file_cut_anywhere_is_refused(small_file, data):
    path, whole = small_file
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert "damaged.npz" in read_or_refuse(path)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_file_changed_anywhere_is_read_or_refused(small_file, data):
    path, whole = small_file
    wild = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        wild[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(wild))
    outcome = read_or_refuse(path)
    assert outcome == 2 or "damaged.npz" in str(outcome)


def test_what_was_set_aside_is_counted_and_named(tmp_path):
    path = write(tmp_path, label=np.array(["SN", "Quasar", "EB"]))
    report = tmp_path / "set_aside.json"
    records = list(records_of(read_sequences(path, HITS), report=report))
    assert [r.object_id for r in records] == ["object0", "object2"]
    text = report.read_text()
    assert '"objects_read": 3' in text
    assert "object1" in text
    assert "Quasar" in text


def test_a_file_of_bad_objects_only_is_an_error(tmp_path):
    path = write(tmp_path, size=15)
    with pytest.raises(ValueError, match=r"None of 3 objects could be read.*15, 15"):
        list(records_of(read_sequences(path, HITS), report=None))
