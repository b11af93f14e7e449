from pathlib import Path

import fastavro
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from astropy.time import Time
from hypothesis import given, settings
from hypothesis import strategies as st
from support.rubin_packets import (
    cutout_of,
    message_of,
    packet_of,
    pixels_of,
    schema_in,
    source_of,
    write_schema,
)

from data_builders.engine.readings import records_of
from data_builders.rubin import rubin_alerts
from jaxastro.data.alert import DETECTION, FORCED, LIMIT, AlertRecord
from jaxastro.data.record import record_from_example
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["rubin_alerts"]
NAMES = [name for name, _ in SURVEY.columns]
OBJECT = {"diaObjectId": 1, "ra": 59.6, "dec": -48.1, "nDiaSources": 3}


def point(mjd, flux=1000.0, **fields):
    return {
        "midpointMjdTai": mjd,
        "band": "r",
        "psfFlux": flux,
        "psfFluxErr": 100.0,
    } | {
        "timeWithdrawnMjdTai": None,
        **fields,
    }


PACKET = packet_of(
    diaSource=source_of(isNegative=False, reliability=0.75, snr=6.0),
    diaObject=OBJECT,
    prvDiaSources=[
        source_of(diaSourceId=1, midpointMjdTai=61000.5, psfFlux=-800.0, band="g"),
        source_of(diaSourceId=2, midpointMjdTai=61001.5, timeWithdrawnMjdTai=61002.0),
    ],
    prvDiaForcedSources=[
        point(61010.5),
        point(61011.5, timeWithdrawnMjdTai=61012.0),
        point(61012.5, flux=None),
    ],
    prvDiaNondetectionLimits=[
        {"midpointMjdTai": 60990.5, "band": "z", "diaNoise": 40.0}
    ],
)


@pytest.fixture
def raw_folder(tmp_path):
    """A folder of alerts and their schema."""
    folder = tmp_path / "raw"
    write_schema(folder / "schema" / "11" / "0")
    return folder


def write(folder, packets):
    """Writes each packet as a message into a file of its name."""
    for name, packet in packets.items():
        (folder / name).write_bytes(message_of(packet, schema_in(folder)))


def records_in(path):
    return {
        record.object_id: record
        for record in records_of(rubin_alerts.read(path), report=None)
    }


def only(path):
    (reading,) = rubin_alerts.read(path)
    return reading


def column(record, name):
    return record.metadata[:, NAMES.index(name)]


def assert_equal(one, other):
    for name, ours, theirs in zip(one._fields, one, other, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=name)


def test_a_message_becomes_a_record_in_microjansky_and_utc(raw_folder):
    write(raw_folder, {"alert": PACKET})
    reading = only(raw_folder)
    record = reading.record
    assert record.object_id == "169813006680588300"
    assert (record.ra, record.dec) == (59.6, -48.1)
    assert (record.label, record.label_source) == ("Unknown", "none")
    assert record.alert_id.tolist() == [169813006680588318]
    assert record.mjd[0] == Time(61041.25, format="mjd", scale="tai").utc.mjd
    assert (61041.25 - record.mjd[0]) * 86400 == pytest.approx(37, abs=1e-5)
    for channel in range(3):  # science, template, difference
        expected = pixels_of(30, seed=channel) * np.float32(1e-3)
        np.testing.assert_array_equal(record.stamp[0, ..., channel], expected)
    assert not record.bad_pixel.any()
    assert column(record, "psfFlux") == pytest.approx(1.5)
    assert column(record, "psfFluxErr") == pytest.approx(0.25)
    assert column(record, "isNegative") == 0
    assert column(record, "reliability") == 0.75
    assert column(record, "nDiaSources") == 3
    assert column(record, "isSolarSystem") == 0
    assert column(record, "seeing") == pytest.approx(2.3548 * 2 * 0.2, rel=1e-3)
    assert column(record, "stampRotation") == pytest.approx(30)
    assert column(record, "stampNoise") == pytest.approx(0.03)
    assert np.isnan(column(record, "isDipole"))


def test_the_history_has_detections_forced_points_and_limits_without_withdrawn_ones(
    raw_folder,
):
    write(raw_folder, {"alert": PACKET})
    record, notes = only(raw_folder)[1:3]
    assert record.history_kind.tolist() == [LIMIT, DETECTION, FORCED, DETECTION]
    assert [SURVEY.bands[band] for band in record.history_band] == ["z", "g", "r", "i"]
    np.testing.assert_allclose(record.history_flux, [0.2, -0.8, 1.0, 1.5], rtol=1e-6)
    np.testing.assert_allclose(
        record.history_flux_error, [0.04, 0.25, 0.1, 0.25], rtol=1e-6
    )
    days = record.history_mjd + 37 / 86400
    np.testing.assert_allclose(days, [60990.5, 61000.5, 61010.5, 61041.25], atol=1e-9)
    assert notes == ("1 history rows have no number: dropped.",)


def test_message_container_and_table_of_one_packet_are_one_record(raw_folder, tmp_path):
    write(raw_folder, {"alert": PACKET})
    expected = only(raw_folder).record
    schema = schema_in(raw_folder)
    for codec in ("null", "deflate"):
        with open(tmp_path / f"{codec}.avro", "wb") as file:
            fastavro.writer(file, schema, [PACKET], codec=codec)
        assert_equal(only(tmp_path / f"{codec}.avro").record, expected)
    broker = {"brokerIngestMjd": 61042.0, "topic": "alerts"}
    table = pyarrow.Table.from_pylist([PACKET | broker])
    pyarrow.parquet.write_table(table, tmp_path / "table.parquet")
    assert_equal(only(tmp_path / "table.parquet").record, expected)


def test_alerts_of_an_object_come_together_from_all_files_each_once(raw_folder):
    later = PACKET | {
        "diaSource": source_of(diaSourceId=7, midpointMjdTai=61050.0),
        "prvDiaSources": [PACKET["diaSource"], *PACKET["prvDiaSources"]],
        "diaObject": OBJECT | {"ra": 59.7},
    }
    write(raw_folder, {"b": PACKET, "a": later, "c": PACKET})
    reading = only(raw_folder)
    assert reading.record.alert_id.tolist() == [169813006680588318, 7]
    assert len(reading.record.history_mjd) == 5
    assert reading.record.ra == 59.7  # of the later packet
    assert "1 alerts came more than once: dropped." in reading.notes


def test_schema_7_is_read_under_its_own_number_and_names(tmp_path):
    write_schema(tmp_path / "schema", 7, 4, renamed={"isNegative": "is_negative"})
    packet = PACKET | {"diaSource": source_of() | {"is_negative": True}}
    packet["diaSource"].pop("isNegative")
    packet["prvDiaSources"] = None
    message = message_of(packet, schema_in(tmp_path, 7, 4), 704)
    assert message[:5] == b"\x00\x00\x00\x02\xc0"
    (tmp_path / "alert").write_bytes(message)
    assert column(only(tmp_path).record, "isNegative") == 1


def test_moving_objects_have_their_own_names_and_groups(raw_folder):
    asteroid = source_of(diaObjectId=0, ssObjectId=20892066498361688)
    write(
        raw_folder,
        {
            "one": packet_of(diaSource=asteroid),
            "two": packet_of(diaSource=asteroid | {"diaSourceId": 5, "ra": 80.0}),
            "alone": packet_of(diaSource=source_of(diaObjectId=None, diaSourceId=6)),
            "both": packet_of(diaSource=source_of(diaSourceId=8, ssObjectId=9)),
        },
    )
    records = records_in(raw_folder)
    assert set(records) == {"SSO20892066498361688", "source6", "169813006680588300"}
    moving = records["SSO20892066498361688"]
    assert len(moving.mjd) == 2
    assert moving.group == moving.object_id
    assert (column(moving, "isSolarSystem") == 1).all()
    assert column(records["169813006680588300"], "isSolarSystem") == 1


def test_objects_within_two_arcsec_share_a_group(raw_folder):
    def at(number, dec):
        source = source_of(diaSourceId=number, diaObjectId=number, dec=dec)
        return packet_of(diaSource=source)

    write(
        raw_folder, {"a": at(1, -48.0), "b": at(2, -48 + 1.5 / 3600), "c": at(3, -47)}
    )
    groups = {name: record.group for name, record in records_in(raw_folder).items()}
    assert groups["1"] == groups["2"] != groups["3"]


def test_cutouts_may_be_missing_and_differ_in_size(raw_folder):
    holed = np.full((35, 35), 900, np.float32)
    holed[3, 4] = np.nan
    small = source_of(diaSourceId=1)
    packets = {
        "large": packet_of(sizes=(34, 35, 0)),
        "small": packet_of(sizes=(30, 30, 30), diaSource=small),
        "none": packet_of(sizes=(0, 0, 0), diaSource=small | {"diaObjectId": 9}),
    }
    packets["large"]["cutoutTemplate"] = cutout_of(35, seed=1, variance=holed)
    write(raw_folder, packets)
    records = records_in(raw_folder)
    record = records["169813006680588300"]
    assert record.stamp.shape == (2, 35, 35, 3)
    first, second = (record.alert_id.tolist().index(i) for i in (1, 169813006680588318))
    # Pixel n // 2 is at pixel 17, and padding is marked.
    science = pixels_of(30) * np.float32(1e-3)
    np.testing.assert_array_equal(record.stamp[first, 2:32, 2:32, 0], science)
    assert record.bad_pixel[first, ..., 0].sum() == 35**2 - 30**2
    assert record.bad_pixel[second, ..., 2].all()
    assert record.bad_pixel[second, ..., 1].sum() == 1  # no variance: not measured
    assert records["9"].bad_pixel.all()
    assert np.isnan(column(records["9"], "seeing"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"band": "V"}, "band 'V'"),
        ({"midpointMjdTai": 1480360995.0}, "midpointMjdTai is 1480360995.0"),
        ({"diaObjectId": 1.7e17}, "its diaObjectId is 1.7e"),
        ({"psfFlux": "bright"}, "'bright' instead of a number"),
        ({"diaSourceId": None}, "A diaSource with a diaSourceId is expected"),
    ],
)
def test_a_bad_packet_is_set_aside_and_the_others_are_read(tmp_path, fields, message):
    def write_table(name, **fields):
        table = pyarrow.Table.from_pylist([packet_of(diaSource=source_of(**fields))])
        pyarrow.parquet.write_table(table, tmp_path / name)

    write_table("bad.parquet", **fields)
    write_table("good.parquet")
    bad, good = rubin_alerts.read(tmp_path)
    assert bad.record is None
    assert bad.object_id == "bad.parquet@0"
    assert message in bad.notes[0]
    assert good.record is not None


def test_tables_may_have_nan_for_null_but_not_other_kinds_of_columns(tmp_path):
    nan = float("nan")
    source = source_of(
        timeWithdrawnMjdTai=nan, diaObjectId=None, ssObjectId=nan, ra=nan
    )
    packets = [
        packet_of(diaSource=source, prvDiaSources=[None, source | {"band": "r"}]),
        packet_of(diaSource=source | {"diaSourceId": 5}),
    ]
    table = pyarrow.Table.from_pylist(packets)
    pyarrow.parquet.write_table(table, tmp_path / "table.parquet")
    one, other = (reading.record for reading in rubin_alerts.read(tmp_path))
    assert (len(one.history_mjd), len(other.history_mjd)) == (2, 1)
    assert one.group != other.group  # their positions are unknown
    assert column(one, "isSolarSystem") == 0
    table = table.drop_columns("diaSource").append_column("diaSource", [["x", "y"]])
    pyarrow.parquet.write_table(table, tmp_path / "table.parquet")
    assert "its column diaSource has the type string" in only(tmp_path).notes[0]


def test_absurd_numbers_end_as_nan_without_a_warning(raw_folder):
    row = point(61010.5, flux=3e38)
    forced = [row, row | {"band": "V"}, row | {"midpointMjdTai": 5.0}]
    huge = cutout_of(variance=np.full((30, 30), 3e38, np.float32))
    packet = packet_of(prvDiaForcedSources=forced, cutoutDifference=huge)
    packet["diaSource"] |= {"psfFlux": float("inf"), "snr": float("nan")}
    write(raw_folder, {"alert": packet})
    record, notes = only(raw_folder)[1:3]
    assert np.isnan(column(record, "psfFlux"))
    assert len(record.history_mjd) == 0
    assert notes == ("4 history rows have no number: dropped.",)


def test_a_message_without_its_schema_is_set_aside_with_what_to_do(
    tmp_path, monkeypatch
):
    monkeypatch.delenv("JAXASTRO_RUBIN_SCHEMAS", raising=False)
    message = message_of(PACKET, schema_in(write_schema(tmp_path / "elsewhere")))
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "alert").write_bytes(message)
    reading = only(folder)
    assert reading.record is None
    assert reading.raw == message
    assert "Put lsst.v11_0.alert.avsc and the other files" in reading.notes[0]
    monkeypatch.setenv("JAXASTRO_RUBIN_SCHEMAS", str(tmp_path / "elsewhere"))
    assert only(folder).record is not None


def test_other_bytes_than_a_packet_are_set_aside_and_kept(raw_folder):
    write(raw_folder, {"good": PACKET})
    whole = (raw_folder / "good").read_bytes()
    broken = {"long": whole + b"x", "short": whole[:-1], "text": b"hello", "empty": b""}
    for name, raw in broken.items():
        (raw_folder / name).write_bytes(raw)
    (raw_folder / "README.md").write_text("not an alert")
    readings = {r.object_id: r for r in rubin_alerts.read(raw_folder)}
    assert set(readings) == {*broken, "169813006680588300"}
    assert all(readings[name].record is None for name in broken)
    assert readings["long"].raw == broken["long"]
    assert "of which its schema reads" in readings["long"].notes[0]


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_no_damage_to_a_message_stops_the_reading(data):
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_schema(folder / "schema")
        raw = bytearray(message_of(PACKET, schema_in(folder)))
        head = data.draw(st.booleans())  # most bytes are pixels: hit the others too
        for _ in range(data.draw(st.integers(1, 5))):
            at = data.draw(st.integers(0, 400 if head else len(raw) - 1))
            raw[at] = data.draw(st.integers(0, 255))
        (folder / "alert").write_bytes(raw[: data.draw(st.sampled_from([None, 300]))])
        reading = only(folder)
        assert reading.record is not None or reading.notes


def test_raw_files_are_recognised_and_missing_ones_are_errors(
    raw_folder, tmp_path, monkeypatch
):
    monkeypatch.delenv("JAXASTRO_DATA", raising=False)
    builder = rubin_alerts.RubinAlerts(data_dir=tmp_path)
    with pytest.raises(FileNotFoundError, match="Rubin's alert brokers"):
        builder.parts(None)
    assert not rubin_alerts.recognises(raw_folder)
    with pytest.raises(FileNotFoundError, match="No alerts at"):
        builder.parts(raw_folder)
    with pytest.raises(FileNotFoundError, match="No alerts at"):
        list(rubin_alerts.read(tmp_path / "nowhere"))
    write(raw_folder, {"alert": PACKET})
    assert len(builder.parts(raw_folder)) == 1
    assert rubin_alerts.recognises(raw_folder)
    assert rubin_alerts.recognises(raw_folder / "alert")
    for name, raw in {
        "a.npz": b"PK\x03\x04",
        "b.avro": b"Obj\x01",
        "c": b"PAR1",
    }.items():
        (tmp_path / name).write_bytes(raw)
        assert not rubin_alerts.recognises(tmp_path / name)
    assert not rubin_alerts.recognises(tmp_path / "nowhere")


def test_records_come_back_through_the_data_set(raw_folder, tmp_path):
    import tensorflow_datasets as tfds

    bare = packet_of(sizes=(0, 0, 0), diaSource=source_of(diaObjectId=5, ra=1.0))
    write(raw_folder, {"a": PACKET, "b": bare})
    builder = rubin_alerts.RubinAlerts(data_dir=tmp_path / "built")
    config = tfds.download.DownloadConfig(manual_dir=str(raw_folder))
    builder.download_and_prepare(download_config=config)
    source = builder.as_data_source(split="all")
    built = [record_from_example(e, AlertRecord) for e in source]
    direct = records_in(raw_folder)
    assert len(built) == 2
    for record in built:
        assert_equal(record, direct[record.object_id])
