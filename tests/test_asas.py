import collections
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow_datasets as tfds

from data_builders.asas import asas
from jaxastro.data.light_curve import LightCurveRecord
from jaxastro.data.record import record_from_example

TIME = 2451868.5 + np.arange(40) / 7
MAG = np.linspace(10, 12, 40).astype(np.float32)
ERROR = np.full(40, 0.03, np.float32)


def star(object_id, label="RRab", time=TIME, mag=MAG, error=ERROR):
    return {
        "object_id": object_id,
        "class": "a longer name",
        "class_short": label,
        "n_obs": len(time),
        "time": time,
        "mag": mag,
        "magerr": error,
    }


def write(folder, stars):
    path = folder / asas.RAW_FILE
    columns = {name: [s[name] for s in stars] for name in stars[0]}
    pq.write_table(pa.table(columns), path, row_group_size=2)
    return path


def three_stars():
    again = {"time": np.tile(TIME, 2), "mag": np.tile(MAG, 2)}
    return [
        star("1"),
        star("2", "Mira", error=np.tile(ERROR, 2), **again),
        star("3", "EB_contact", time=TIME + 0.001),
    ]


def test_flux_and_times_are_right_by_hand(tmp_path):
    reading, *_ = asas.read(write(tmp_path, three_stars()))
    record = reading.record
    assert record.flux[0] == pytest.approx(3636e6 * 1e-4)  # V = 10
    # A small step in magnitude is 0.921 times as large a step in ln F.
    assert record.flux_error[0] / record.flux[0] == pytest.approx(0.03 * 0.921034)
    assert record.mjd[0] == 51868.0
    assert record.label_source == "catalogue"


def test_the_period_is_that_of_the_light_curve(tmp_path):
    time = TIME + np.random.default_rng(0).uniform(0, 0.1, 40)  # at uneven hours
    mag = (11 + 0.4 * np.cos(2 * np.pi * time / 0.5713)).astype(np.float32)
    few = {"time": time[:9], "mag": mag[:9], "error": ERROR[:9]}
    stars = [star("1", time=time, mag=mag), star("2", **few)]
    one, two = (r.record.features for r in asas.read(write(tmp_path, stars)))
    period, power, log_fap, amplitude, r21, phi21 = one
    assert period == pytest.approx(0.5713, rel=1e-3)
    assert amplitude == pytest.approx(0.8, rel=0.03)
    assert power > 0.99
    assert log_fap < -10
    assert 0 <= r21 < 0.01
    assert np.pi <= phi21 <= 3 * np.pi
    assert np.isnan(two).all()


def test_repeated_points_are_dropped_and_noted(tmp_path):
    one, two, _ = asas.read(write(tmp_path, three_stars()))
    np.testing.assert_array_equal(one.record.flux, two.record.flux)
    assert one.notes == ()
    assert two.notes == ("40 epochs are exact repeats: dropped.",)


def test_invalid_points_are_dropped_and_noted(tmp_path):
    mag, error = MAG.copy(), ERROR.copy()
    mag[3], error[5], error[7] = 29.999, 99, 0
    (reading,) = asas.read(write(tmp_path, [star("1", mag=mag, error=error)]))
    np.testing.assert_array_equal(
        reading.record.mjd, np.delete(TIME, [3, 5, 7]) - 2400000.5
    )
    assert "3 epochs have no number, or an error that is not positive" in str(reading)


def test_a_star_under_two_names_is_one_group(tmp_path):
    rng = np.random.default_rng(0)
    other = rng.uniform(9, 14, 40).astype(np.float32)
    stars = [
        star("7", "EB_detached"),
        star("8", mag=other),  # the same nights, another star
        star("9", "EB_unspecified", TIME[8:], MAG[8:], ERROR[8:]),
        star("10", "EB_contact", TIME[2:], MAG[2:], ERROR[2:]),
    ]
    groups = [r.record.group for r in asas.read(write(tmp_path, stars))]
    assert groups == ["star10", "8", "star10", "star10"]


def test_a_bad_star_costs_no_other(tmp_path):
    stars = [
        star("1"),
        star("2", "Quasar"),
        star("3", mag=MAG[:9]),
        star("4", time=TIME[:0], mag=MAG[:0], error=ERROR[:0]),
        star("5", error=None),
        star("6"),
    ]
    readings = list(asas.read(write(tmp_path, stars)))
    assert [r.object_id for r in readings] == list("123456")
    assert [r.record is None for r in readings] == [0, 1, 1, 1, 1, 0]
    notes = [" ".join(r.notes) for r in readings]
    assert "unknown class 'Quasar'" in notes[1]
    assert "The same is expected. Write the file again." in notes[2]
    assert "no epoch with a flux" in notes[3]
    assert "The same is expected. Write the file again." in notes[4]


def test_light_curves_come_back_through_the_data_set(tmp_path):
    path = write(tmp_path, three_stars())
    builder = asas.Asas(data_dir=tmp_path / "built", processes=2)
    config = tfds.download.DownloadConfig(manual_dir=tmp_path)
    builder.download_and_prepare(download_config=config)
    built = {
        record.object_id: record
        for example in builder.as_data_source("all")
        for record in [record_from_example(example, LightCurveRecord)]
    }
    for _, record, _, _ in asas.read(path):
        for name, value in record._asdict().items():
            np.testing.assert_array_equal(
                getattr(built[record.object_id], name), value, err_msg=name
            )


def test_what_is_no_such_file_is_refused(tmp_path, monkeypatch):
    path = tmp_path / asas.RAW_FILE
    assert not asas.recognises(path)
    path.write_bytes(b"PAR1 and then nothing")
    assert not asas.recognises(path)
    with pytest.raises(ValueError, match="is no Parquet file with the columns object"):
        asas.read(path)
    pq.write_table(pa.table({"time": [1.0]}), path)
    assert not asas.recognises(path)
    assert asas.recognises(write(tmp_path, three_stars()))
    monkeypatch.delenv("JAXASTRO_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match=r"asas\.parquet; searched"):
        asas.Asas(data_dir=tmp_path).parts(tmp_path / "empty")


@pytest.fixture(scope="module")
def real_readings():
    if not os.environ.get("JAXASTRO_DATA"):
        pytest.skip("JAXASTRO_DATA is not set: no real ASAS light curves to read")
    (path,) = {part.path for part in asas.Asas().parts(None)}
    with pytest.MonkeyPatch.context() as patch:  # which would take half an hour
        patch.setattr(asas, "measured", lambda _: np.full(6, np.nan))
        return list(asas.read(path))


@pytest.mark.slow
def test_the_real_file_is_read_completely(real_readings):
    records = [reading.record for reading in real_readings]
    count = collections.Counter(record.label for record in records)
    assert count == {
        "EB_unspecified": 2934,
        "Mira": 2792,
        "EB_contact": 2757,
        "EB_detached": 2270,
        "RRab": 1293,
        "EB_semidetached": 879,
        "DeltaScuti": 562,
        "RRc": 334,
        "ACV": 81,
        "BetaCephei": 7,
    }
    assert sum(len(record.mjd) for record in records) == 7_945_952 - 1_611_712
    repeats = [r for r in real_readings if r.notes]
    assert len(repeats) == 3981
    assert not any(r.record.label == "EB_unspecified" for r in repeats)
    members = collections.Counter(record.group for record in records)
    assert collections.Counter(members.values()) == {1: 13909 - 82, 2: 41}
    assert min(record.mjd[0] for record in records) > 51868
    assert max(record.mjd[-1] for record in records) < 54576


@pytest.mark.slow
@pytest.mark.parametrize(
    ("label", "shortest", "longest"),
    [("RRab", 0.4, 0.9), ("Mira", 90, 500), ("DeltaScuti", 0.05, 0.3)],
)
def test_real_stars_have_the_periods_of_their_class(
    real_readings, label, shortest, longest
):
    records = [r.record for r in real_readings if r.record.label == label][::20]
    period = np.array([asas.measured(record)[0] for record in records])
    assert ((shortest < period) & (period < longest)).mean() > 0.7
