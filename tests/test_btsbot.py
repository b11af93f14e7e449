import csv
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from data_builders.ztf import btsbot
from jaxastro.data.alert import AlertRecord
from jaxastro.data.record import record_from_example
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["btsbot"]
NAMES = [name for name, _ in SURVEY.columns]
ROW = {
    "objectId": "ZTF20aaaaaaa",
    "jd": 2460220.941,
    "label": 1,
    "fid": 1,
    "isdiffpos": "t",
    "candid": 2466441105815015000,
    "ra": 143.7976077,
    "dec": 83.973455,
    "magpsf": 18.9,
    "sigmapsf": 0.1,
    "sgscore1": -999.0,
    "peakmag": 15.0,
    "source_set": "trues",
}


def triplets_of(count, seed=0):
    """Stamps as BTSbot writes them: float64, each of L2 norm one."""
    stamps = np.random.default_rng(seed).normal(size=(count, 63, 63, 3))
    return stamps / np.sqrt((stamps**2).sum(axis=(1, 2), keepdims=True))


def write_split(folder, split, rows, triplets=None):
    folder.mkdir(exist_ok=True)
    rows = [ROW | row for row in rows]
    with open(folder / f"{split}_cand_v10_N100_programid1.csv", "w") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    triplets = triplets_of(len(rows)) if triplets is None else triplets
    np.save(folder / f"{split}_triplets_v10_N100_programid1.npy", triplets)
    return triplets


@pytest.fixture
def raw_folder(tmp_path):
    """Three splits as on Zenodo: shuffled alerts of four objects."""
    folder = tmp_path / "raw"
    other = {"objectId": "ZTF21bbbbbbb", "label": 0, "ra": 10.0, "dec": -5.0}
    write_split(
        folder,
        "train",
        [
            {"jd": 2460222.5, "fid": 2, "candid": 2468441105815015001},
            other | {"candid": 5},
            {"jd": 2460220.5, "candid": 2466441105815015001},
            other | {"jd": 2460200.5, "isdiffpos": "f", "candid": 6},
            {"jd": 2460221.5, "candid": 2467441105815015001},
        ],
    )
    write_split(folder, "val", [{"objectId": "ZTF22ccccccc", "ra": 20.0, "dec": 0}])
    write_split(folder, "test", [{"objectId": "ZTF23ddddddd", "ra": 30.0, "dec": 0}])
    return folder


def records_in(path):
    return {r.object_id: r for r in btsbot.read(path)}


def test_alerts_of_an_object_come_together_by_time_bit_for_bit(raw_folder):
    reading = records_in(raw_folder)["ZTF20aaaaaaa"]
    record, raw = reading.record, triplets_of(5)
    assert reading.notes == ()
    np.testing.assert_array_equal(record.mjd, [60220.0, 60221.0, 60222.0])
    np.testing.assert_array_equal(record.stamp, raw[[2, 4, 0]].astype(np.float32))
    np.testing.assert_array_equal(record.alert_id // 10**15, [2466, 2467, 2468])
    assert [SURVEY.bands[b] for b in record.band] == ["g", "g", "r"]
    assert record.label == "bright transient"
    assert not record.bad_pixel.any()


def test_the_difference_is_science_minus_template_and_flux_is_in_microjansky(
    raw_folder,
):
    record, raw = records_in(raw_folder)["ZTF21bbbbbbb"].record, triplets_of(5)
    assert record.label == "not"
    np.testing.assert_array_equal(record.stamp[0, ..., 2], -np.float32(raw[3, ..., 2]))
    np.testing.assert_array_equal(record.stamp[1, ..., 2], np.float32(raw[1, ..., 2]))
    # 18.9 mag is five below 23.9: a factor of 100.
    np.testing.assert_allclose(record.history_flux, [-100, 100], rtol=1e-6)
    np.testing.assert_allclose(record.history_flux_error, 9.2103, rtol=1e-4)


def test_the_published_split_is_a_column_and_columns_have_no_label_or_future(
    raw_folder,
):
    readings = records_in(raw_folder)
    for name, split in (("ZTF20aaaaaaa", 0), ("ZTF22ccccccc", 1), ("ZTF23ddddddd", 2)):
        metadata = readings[name].record.metadata
        assert (metadata[:, NAMES.index("published_split")] == split).all()
        assert np.isnan(metadata[:, NAMES.index("sgscore1")]).all()  # was -999
    of_future = {"peakmag", "maxmag", "is_SN", "source_set", "N", "label", "acai_h"}
    assert not of_future & set(NAMES)


def test_pixels_that_the_packet_did_not_have_are_masked(tmp_path):
    raw = triplets_of(1)
    raw[0, 3, 4, 0], raw[0, 60:, :, 1] = 0, 1e-9
    write_split(tmp_path / "raw", "test", [{}], raw)
    (reading,) = btsbot.read(tmp_path / "raw")
    assert reading.record.bad_pixel.sum() == 1 + 3 * 63
    assert reading.record.bad_pixel[0, 3, 4, 0]
    assert reading.record.bad_pixel[0, 60:, :, 1].all()


def test_an_object_in_two_splits_stops_the_build_by_name(raw_folder):
    write_split(raw_folder, "test", [{"objectId": "ZTF20aaaaaaa"}])
    with pytest.raises(
        ValueError, match=r"also in the published .* split: ZTF20aaaaaaa"
    ):
        btsbot.parts_of(raw_folder)


def test_neighbours_in_two_splits_share_a_group_and_are_noted(raw_folder):
    near = {"objectId": "ZTF23eeeeeee", "ra": 20.0, "dec": 1.5 / 3600}
    write_split(raw_folder, "test", [near])
    readings = records_in(raw_folder)
    one, other = readings["ZTF22ccccccc"], readings["ZTF23eeeeeee"]
    assert one.record.group == other.record.group
    assert one.record.group != readings["ZTF21bbbbbbb"].record.group
    assert "within 2 arcsec of ZTF23eeeeeee of the published test split" in one.notes[0]


def test_rounded_numbers_of_alerts_are_replaced_and_noted(tmp_path):
    rows = [{"candid": "2.46644e+18", "jd": 2460220.5 + i} for i in range(3)]
    write_split(tmp_path / "raw", "train", rows)
    (reading,) = btsbot.read(tmp_path / "raw")
    assert reading.record.alert_id.tolist() == [0, 1, 2]
    assert "rounds candid" in reading.notes[0]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"label": 0}, "labels are 0, 1"),
        ({"fid": 7}, "fid '7'"),
        ({"isdiffpos": "x"}, "isdiffpos 'x'"),
        ({"jd": "soon"}, "soon"),
        ({"jd": ""}, "its time is nan"),
    ],
)
def test_a_bad_row_sets_its_object_aside_and_no_other(raw_folder, row, message):
    rows = [{}, {"jd": 2460230.5} | row, {"objectId": "ZTF24good"}]
    write_split(raw_folder, "train", rows)
    readings = records_in(raw_folder)
    assert readings["ZTF20aaaaaaa"].record is None
    assert message in readings["ZTF20aaaaaaa"].notes[0]
    assert readings["ZTF24good"].record is not None


def test_files_that_do_not_match_are_errors(raw_folder):
    table = raw_folder / "val_cand_v10_N100_programid1.csv"
    stamps = raw_folder / "val_triplets_v10_N100_programid1.npy"

    def check_error(message):
        with pytest.raises(ValueError, match=message):
            list(btsbot.read(table))

    np.save(stamps, triplets_of(2))
    check_error(r"table has 1 rows, so \(1, 63, 63, 3\)")
    np.save(stamps, np.array([{"a": 1}]), allow_pickle=True)
    check_error("damaged or unsafe array file")
    stamps.write_bytes(b"")
    check_error("damaged or unsafe array file")
    table.write_text("objectId,jd\nZTF,1\n")
    check_error("it has no column candid")
    shutil.copy(stamps, raw_folder / "val_triplets_v11.npy")
    shutil.copy(table, raw_folder / "val_cand_v11.csv")
    with pytest.raises(ValueError, match="two tables of the split val"):
        list(btsbot.read(raw_folder))


def test_a_missing_raw_file_is_an_error(raw_folder, tmp_path, monkeypatch):
    monkeypatch.delenv("JAXASTRO_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match=r"zenodo.org/records/10839691"):
        btsbot.Btsbot(data_dir=tmp_path).parts(None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="No table with triplets"):
        btsbot.Btsbot(data_dir=tmp_path).parts(tmp_path / "empty")
    assert btsbot.recognises(raw_folder)
    assert btsbot.recognises(raw_folder / "val_cand_v10_N100_programid1.csv")
    assert not btsbot.recognises(tmp_path / "empty")
    assert not btsbot.recognises(tmp_path / "nowhere")


def test_records_come_back_through_the_data_set(raw_folder, tmp_path):
    import tensorflow_datasets as tfds

    builder = btsbot.Btsbot(data_dir=tmp_path / "built")
    config = tfds.download.DownloadConfig(manual_dir=str(raw_folder))
    builder.download_and_prepare(download_config=config)
    source = builder.as_data_source(split="all")
    built = [record_from_example(e, AlertRecord) for e in source]
    assert len(built) == 4
    for record in built:
        direct = records_in(raw_folder)[record.object_id].record
        for one, other in zip(record, direct, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.skipif("JAXASTRO_DATA" not in os.environ, reason="needs JAXASTRO_DATA")
def test_the_published_example_is_read_and_its_stamps_are_normalised():
    readings = records_in(Path(os.environ["JAXASTRO_DATA"]) / "btsbot_example")
    records = {name: reading.record for name, reading in readings.items()}
    assert {name: len(r.mjd) for name, r in records.items()} == {
        "ZTF23abhvlji": 23,
        "ZTF23abdsfms": 16,
    }
    assert records["ZTF23abhvlji"].label == "bright transient"
    assert records["ZTF23abdsfms"].label == "not"
    for record in records.values():
        norm = np.sqrt((record.stamp.astype(float) ** 2).sum(axis=(1, 2)))
        np.testing.assert_allclose(norm, 1, atol=1e-6)
        # Scales differ, so the stamps do not add up, though packets' do.
        left = record.stamp[..., 0] - record.stamp[..., 1] - record.stamp[..., 2]
        assert np.abs(left).max() > 0.1
        assert not record.bad_pixel.any()
