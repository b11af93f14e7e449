import collections
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from data_builders.engine.builder import REPORT_FILE
from data_builders.hits import hits
from jaxastro.data.record import record_from_example
from jaxastro.data.series import make_series_record
from jaxastro.data.split import split_of
from jaxastro.surveys import SURVEYS

NAMES = ("SNHiTS15A", "Blind15A_04_EB", "Blind15A_40_RR")


def raw_columns():
    """Three objects; the second's fourth frame has an overwritten star."""
    generator = np.random.default_rng(1)
    images = generator.normal(120, 4, (15, 21, 21)).astype(np.float32)
    images[8, 7:14, 7:14] = np.linspace(1000, 1300, 7)  # each value seven times
    images[1, 2, 3] = -9999
    images[2, 10, 10] = 9.998e7
    images[4] = 0
    return {
        "images": images,
        "offsets": np.array([0, 5, 10, 15]),
        "mjd": 57070.123456789 + np.arange(15) / 7,
        "name": np.array(NAMES),
        "label": np.array(["SN", "EB", "RRLyrae"]),
        "field": np.array([14, 4, 40]),
        "mjd_source": np.array(["exact", "lc 29/29", "float32"]),
    }


@pytest.fixture
def raw_folder(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    np.savez_compressed(folder / hits.RAW_FILE, **raw_columns())
    return folder


def build(raw_folder, data_dir):
    import tensorflow_datasets as tfds

    builder = hits.Hits(data_dir=data_dir, file_format="array_record")
    config = tfds.download.DownloadConfig(manual_dir=str(raw_folder))
    builder.download_and_prepare(download_config=config)
    source = builder.as_data_source(split="all")
    records = [record_from_example(example) for example in source]
    return builder, {record.object_id: record for record in records}


def test_flux_and_times_come_back_bit_for_bit_through_the_data_set(
    raw_folder, tmp_path
):
    _, records = build(raw_folder, tmp_path / "built")
    raw = raw_columns()
    assert set(records) == set(NAMES)
    star = records["Blind15A_40_RR"]
    np.testing.assert_array_equal(star.flux, raw["images"][10:])
    np.testing.assert_array_equal(star.mjd, raw["mjd"][10:])
    assert star.flux.dtype == np.float32
    assert star.mjd.dtype == np.float64


def test_groups_are_fields_and_no_fold_cuts_one(raw_folder, tmp_path):
    _, records = build(raw_folder, tmp_path / "built")
    assert {r.object_id: r.group for r in records.values()} == dict(
        zip(NAMES, ("field14", "field04", "field40"), strict=True)
    )
    assert records["SNHiTS15A"].label_source == "photometric"
    assert records["Blind15A_04_EB"].label_source == "catalogue"


def test_invalid_measurements_are_masked_or_dropped_and_noted(raw_folder, tmp_path):
    builder, records = build(raw_folder, tmp_path / "built")
    supernova, star = records["SNHiTS15A"], records["Blind15A_04_EB"]
    assert len(supernova.mjd) == 4  # the frame of zeros is gone
    assert supernova.bad_pixel.sum() == 2
    assert supernova.bad_pixel[1, 2, 3]
    assert supernova.bad_pixel[2, 10, 10]
    assert supernova.flux.max() < 1000
    np.testing.assert_array_equal(star.mjd, np.delete(raw_columns()["mjd"][5:10], 3))
    report = (Path(builder.data_dir) / REPORT_FILE).read_text()
    assert "1 epochs have no good pixel: dropped" in report
    assert "1 pixels lie outside -1000 to 100000 ADU: masked" in report
    assert "1 epochs of a saturated, overwritten star: dropped" in report


def test_a_bright_star_that_was_measured_is_kept():
    y, x = np.mgrid[-10:11, -10:11]
    star = 120 + 30000 * np.exp(-(y**2 + x**2) / 8.0)
    flux = star + np.random.default_rng(2).normal(0, 4, (5, 21, 21))
    survey = SURVEYS["hits"]
    record, _ = make_series_record("star", survey, flux=flux, mjd=np.arange(5), band=0)
    assert not hits.overwritten_epochs(record).any()


def test_a_missing_raw_file_is_an_error(tmp_path, monkeypatch, raw_folder):
    monkeypatch.delenv("JAXASTRO_DATA", raising=False)
    assert hits.find_hits(str(raw_folder)) == raw_folder / hits.RAW_FILE
    with pytest.raises(FileNotFoundError, match=r"no folder was given.*HiTS_simul"):
        hits.find_hits(None)
    with pytest.raises(FileNotFoundError, match=r"empty/hits_image_sequences\.npz"):
        hits.find_hits(tmp_path / "empty")
    (tmp_path / "data").mkdir()
    raw_folder.rename(tmp_path / "data" / "hits")
    monkeypatch.setenv("JAXASTRO_DATA", str(tmp_path / "data"))
    assert hits.find_hits(tmp_path / "empty").parent == tmp_path / "data" / "hits"


def test_building_loads_neither_tensorflow_nor_jax(raw_folder, tmp_path):
    code = (
        "import sys; from data_builders.hits.hits import Hits\n"
        "import tensorflow_datasets as tfds\n"
        f"builder = Hits(data_dir={str(tmp_path / 'built')!r}, "
        "file_format='array_record')\n"
        f"config = tfds.download.DownloadConfig(manual_dir={str(raw_folder)!r})\n"
        "builder.download_and_prepare(download_config=config)\n"
        "assert len(builder.as_data_source(split='all')) == 3\n"
        "assert not {'tensorflow', 'jax'} & set(sys.modules)\n"
    )
    root = Path(__file__).parent.parent
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


@pytest.fixture(scope="module")
def real_readings():
    if not os.environ.get("JAXASTRO_DATA"):
        pytest.skip("JAXASTRO_DATA is not set: no real HiTS stamps to read")
    return list(hits.read(hits.find_hits(None)))


def test_the_real_file_is_read_completely(real_readings):
    assert len(real_readings) == 622
    records = [reading.record for reading in real_readings]
    count = collections.Counter(record.label for record in records)
    assert count == {"SN": 65, "EB": 52, "RRLyrae": 72, "NonVariable": 433}
    assert len({record.group for record in records}) == 33
    repaired = [reading.object_id for reading in real_readings if reading.notes]
    assert len(repaired) == 13
    assert sum(len(record.mjd) for record in records) == 16215 - 8 - 14
    for record in records:
        good = record.flux[~record.bad_pixel]
        assert -100 < good.min() <= good.max() < 5e4


def test_every_fold_of_the_real_fields_holds_every_class(real_readings):
    records = [r.record for r in real_readings if r.record.label != "NonVariable"]
    groups = [record.group for record in records]
    for fold in range(5):
        rows = split_of(groups, test_fold=fold, num_folds=5, seed=5)["test"]
        count = collections.Counter(records[i].label for i in rows)
        assert min(count["SN"], count["EB"], count["RRLyrae"]) >= 7
