"""What is exported is what is stored, to the last bit."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_builders import __main__ as command
from data_builders.commands import export
from data_builders.commands.export import parquet_schema, write_parquet
from data_builders.engine.schema import COLUMNS, unit_of
from data_builders.opening import prepare
from jaxastro.data.alert import Alert, HistoryRow, make_alert_record
from jaxastro.data.cutout import CutoutRecord
from jaxastro.data.light_curve import make_light_curve_record
from jaxastro.data.record import RECORD_TYPES, record_from_example
from jaxastro.data.series import make_series_record
from jaxastro.surveys import SURVEYS

NAMES = ('=HYPERLINK("x")', "+1", "-2", "@sum", "\u00e9\u4e2d", "a,b\nc")
EXACT = 57070.123456789012


def series(i):
    flux = np.random.default_rng(i).normal(size=(i + 1, 21, 21))
    flux[0, 0, 0] = np.nan
    fields = {"flux": flux, "mjd": EXACT + np.arange(i + 1), "band": 0}
    return make_series_record(NAMES[i], SURVEYS["hits"], **fields)[0]


def light_curve(i):
    times = EXACT + np.arange(3 * i)  # the first has no epoch
    survey = SURVEYS["ztf_periodic"]
    column = survey.columns[0][0]
    flux = np.random.default_rng(i).normal(size=3 * i)
    fields = {"flux": flux, "flux_error": abs(flux), "band": np.zeros(3 * i, int)}
    return make_light_curve_record(
        NAMES[i], survey, mjd=times, features={column: 0.1 * i}, **fields
    )[0]


def alerts(i):
    survey, rng = SURVEYS["rubin_alerts"], np.random.default_rng(i)
    size = 30 + i  # they differ between objects
    packets = [
        Alert(
            alert_id=2**62 + t,  # more than float64 holds
            mjd=EXACT + t,
            band=t % 2,
            stamps=(rng.normal(size=(size, size)), None, rng.normal(size=(9, 5))),
            metadata={survey.columns[0][0]: 0.1 * t},
        )
        for t in range(i + 1)
    ]
    history = [HistoryRow(EXACT, 0, 1, 5.0, np.nan)] * i
    return make_alert_record(NAMES[i], survey, alerts=packets, history=history)[0]


def cutout(i):
    words = (NAMES[i], np.nan, -1.5, "Unknown", "none", "", np.nan, NAMES[i])
    image = np.random.default_rng(i).normal(size=(5 + i, 7, 3)).astype("f4")
    return CutoutRecord(*words, image=image)


KINDS_OF_RECORDS = {
    "hits": series,
    "ztf_periodic": light_curve,
    "rubin_alerts": alerts,
    "sdss_handscan": cutout,
}


def read_back(path, survey):
    table = pq.read_table(path)
    columns, kind = COLUMNS[survey.kind], RECORD_TYPES[survey.kind]
    assert table.column_names == list(kind._fields)
    for row in table.to_pylist():
        yield {
            name: value
            if columns[name].dtype is str
            else np.array(value, columns[name].dtype)
            for name, value in row.items()
        }


def assert_same(row, record):
    for name, value in row.items():
        expected = getattr(record, name)
        if isinstance(value, str):
            assert value == expected
        else:
            expected = np.asarray(expected, value.dtype)
            assert value.size == expected.size
            assert value.tobytes() == expected.tobytes(), name


@pytest.mark.parametrize("name", KINDS_OF_RECORDS)
def test_every_kind_of_record_comes_back_bit_for_bit(name, tmp_path):
    records = [KINDS_OF_RECORDS[name](i) for i in range(len(NAMES))]
    write_parquet(tmp_path, iter(records), SURVEYS[name], max_bytes=10**6)
    rows = list(read_back(tmp_path, SURVEYS[name]))
    assert len(rows) == len(records)
    for row, record in zip(rows, records, strict=True):
        assert_same(row, record)
    shapes = {np.shape(row.get("flux", row.get("stamp", 0))) for row in rows}
    assert len(shapes) == (1 if name == "sdss_handscan" else len(rows))


def test_the_command_exports_what_tfds_stores(data_dir, tmp_path, capsys):
    stored = prepare("sdss_sn_sim/tiny", data_dir=data_dir).as_data_source("all")
    folder = tmp_path / "out" / "sim"
    options = (f"--data_dir={data_dir}", f"--output={folder}", "--max_megabytes=2")
    assert command.main(["export", "sdss_sn_sim/tiny", *options]) == 0
    assert "60 objects in 3 files" in capsys.readouterr().out
    assert len(list(folder.iterdir())) == 3
    assert [path.name for path in folder.parent.iterdir()] == ["sim"]
    rows = list(read_back(folder, SURVEYS["sdss_sn_sim"]))
    for row, example in zip(rows, stored, strict=True):
        assert_same(row, record_from_example(example))


def test_every_column_has_unit_and_meaning():
    for survey in SURVEYS.values():
        schema = parquet_schema(survey)
        for name, column in COLUMNS[survey.kind].items():
            about = schema.field(name).metadata
            assert about[b"unit"].decode() == unit_of(column, survey.unit)
            assert about[b"description"].decode() == column.meaning
        facts = json.loads(schema.metadata[b"facts"], parse_constant=pytest.fail)
        assert facts["bands"] == list(survey.bands)
        assert facts["citation"] == survey.citation
    hits = parquet_schema(SURVEYS["hits"])
    assert hits.field("flux").metadata[b"unit"] == b"ADU per pixel"
    assert hits.field("mjd").type == pa.list_(pa.float64())


def test_no_file_is_large_and_no_group_of_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "ROW_GROUP", 30_000)
    records = [series(i % 6) for i in range(40)]
    survey = SURVEYS["hits"]
    write_parquet(tmp_path, iter(records), survey, max_bytes=100_000)
    one = export.table_of(records[5:6], parquet_schema(survey), survey).nbytes
    files = [pq.ParquetFile(path) for path in sorted(tmp_path.iterdir())]
    assert len(files) > 2
    assert all(file.num_row_groups > 1 for file in files[:-1])
    for file in files:
        assert file.read().nbytes < 100_000 + one
        for group in range(file.num_row_groups):
            assert file.read_row_group(group).nbytes < 30_000 + one


def test_an_export_never_writes_over_another(data_dir, tmp_path, capsys):
    (tmp_path / "there").mkdir()
    options = (f"--data_dir={data_dir}", f"--output={tmp_path / 'there'}")
    assert command.main(["export", "sdss_sn_sim/tiny", *options]) == 2
    assert "exists. A new folder is expected" in capsys.readouterr().err


def test_an_export_that_fails_leaves_no_files(data_dir, tmp_path, monkeypatch, capsys):
    def full_disk(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "table_of", full_disk)
    options = (f"--data_dir={data_dir}", f"--output={tmp_path / 'out'}")
    assert command.main(["export", "sdss_sn_sim/tiny", *options]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
