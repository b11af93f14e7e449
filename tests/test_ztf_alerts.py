import copy
import csv
import gzip
import io
import itertools
import os
import tarfile
from pathlib import Path

import fastavro
import numpy as np
import pytest
from support import ztf_packets

from data_builders.ztf import ztf_alerts
from jaxastro.data.alert import DETECTION, FORCED, LIMIT
from jaxastro.data.record import RECORD_TYPES, record_from_example

NAMES = [name for name, _ in ztf_alerts.SURVEY.columns]


def records(path):
    readings = list(ztf_alerts.read(path))
    assert all(reading.record for reading in readings), readings
    return {reading.object_id: reading.record for reading in readings}


def one_record(tmp_path, *packets, **options):
    file = tmp_path / "alerts.avro"
    file.write_bytes(ztf_packets.container(*packets, **options))
    (record,) = records(file).values()
    return record


def same(one, other):
    for name, value in one._asdict().items():
        np.testing.assert_array_equal(value, getattr(other, name), err_msg=name)


# -- content of a packet ---------------------------------------------------------------


def test_an_alert_has_its_time_band_place_and_numbers(tmp_path):
    record = one_record(tmp_path, ztf_packets.packet(candid=7, days=0.25, rb=0.5))
    np.testing.assert_array_equal(record.alert_id, [7])
    np.testing.assert_array_equal(record.mjd, [59000.25])
    np.testing.assert_array_equal(record.band, [1])  # fid 2 is r
    assert (record.ra, record.dec, record.label) == (150.0, 2.0, "Unknown")
    (row,) = record.metadata
    number = dict(zip(NAMES, row, strict=True))
    assert number["rb"] == 0.5
    assert number["isdiffpos"] == 1
    assert number["age"] == 7
    assert number["nnotdet"] == 7
    assert np.isnan(number["ssdistnr"])  # -999 in the packet
    assert np.isnan(number["drb"])


def test_difference_is_science_minus_template_whatever_the_file_has(tmp_path):
    stamps = [ztf_packets.pixels(seed) for seed in range(3)]
    above = one_record(tmp_path, ztf_packets.packet(stamps=stamps, isdiffpos="t"))
    below = one_record(tmp_path, ztf_packets.packet(stamps=stamps, isdiffpos="f"))
    np.testing.assert_array_equal(above.stamp[0], np.stack(stamps, axis=-1))
    np.testing.assert_array_equal(below.stamp[..., :2], above.stamp[..., :2])
    np.testing.assert_array_equal(below.stamp[..., 2], -above.stamp[..., 2])
    assert above.history_flux[0] == -below.history_flux[0] > 0
    for new, old in (("t", "1"), ("f", "0")):
        packets = [
            ztf_packets.packet(stamps=stamps, isdiffpos=word) for word in (new, old)
        ]
        same(*(one_record(tmp_path, packet) for packet in packets))


def test_points_of_the_light_curve_are_in_microjansky(tmp_path):
    packet = ztf_packets.packet(magpsf=18.9, sigmapsf=0.1)
    point = {"fid": 1, "candid": None, "isdiffpos": None, "sigmapsf": None}
    point |= {"magpsf": None, "diffmaglim": 21.4, "jd": ztf_packets.JD - 3}
    packet["prv_candidates"] = [point]
    forced = {"jd": ztf_packets.JD - 5, "fid": 3, "magzpsci": 26.4, "procstatus": "0"}
    forced |= {"forcediffimflux": -50.0, "forcediffimfluxunc": 20.0}
    failed = forced | {"jd": ztf_packets.JD - 6, "forcediffimflux": -99999.0}
    packet["fp_hists"] = [forced, failed]
    record = one_record(tmp_path, packet)
    np.testing.assert_array_equal(record.history_mjd, [58995, 58997, 59000])
    np.testing.assert_array_equal(record.history_band, [2, 0, 1])
    np.testing.assert_array_equal(record.history_kind, [FORCED, LIMIT, DETECTION])
    # AB 18.9 is 100 microjansky, 21.4 is 10; a DN is 0.1 at the zero point 26.4.
    np.testing.assert_allclose(record.history_flux, [-5, 10, 100], rtol=1e-5)
    error = [2, 2, 100 * 0.1 * np.log(10) / 2.5]
    np.testing.assert_allclose(record.history_flux_error, error, rtol=1e-5)


def test_a_point_that_packets_repeat_is_there_once_as_its_own_packet_has_it(tmp_path):
    first = ztf_packets.packet(candid=1, magpsf=18.123456)
    second = ztf_packets.packet(candid=2, days=1)
    repeated = {name: first["candidate"].get(name) for name in ztf_packets.POINT}
    second["prv_candidates"] = [repeated | {"magpsf": 18.1235, "isdiffpos": "1"}]
    expected = 10 ** (0.4 * (23.9 - np.float32(18.123456)))
    for packets in itertools.permutations([first, second]):
        record = one_record(tmp_path, *packets)
        assert len(record.history_flux) == 2
        np.testing.assert_allclose(record.history_flux[0], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("cut", "xpos", "ypos"),
    [
        (np.s_[12:, :], 1500, 19.8),
        (np.s_[:51, :], 1500, 3060.0),
        (np.s_[:, 5:], 26.5, 1500),
        (np.s_[3:, :60], 3044.0, 28.5),
    ],
)
def test_a_stamp_at_the_edge_of_the_chip_is_put_back_where_it_belongs(
    tmp_path, cut, xpos, ypos
):
    whole = [ztf_packets.pixels(seed) for seed in range(3)]
    stamps = [stamp[cut] for stamp in whole]
    record = one_record(
        tmp_path, ztf_packets.packet(stamps=stamps, xpos=xpos, ypos=ypos)
    )
    good = np.zeros((63, 63), bool)
    good[cut] = True
    for channel, stamp in enumerate(whole):
        np.testing.assert_array_equal(~record.bad_pixel[0, ..., channel], good)
        np.testing.assert_array_equal(record.stamp[0, good, channel], stamp[good])


def test_previews_and_missing_stamps_are_masked_and_noted(tmp_path):
    file = tmp_path / "a.avro"
    stamps = [ztf_packets.pixels(1), b"\xff\xd8\xff\xe0 JFIF", None]
    file.write_bytes(ztf_packets.container(ztf_packets.packet(stamps=stamps)))
    (reading,) = ztf_alerts.read(file)
    assert reading.record.bad_pixel.all(axis=(0, 1, 2)).tolist() == [False, True, True]
    assert reading.notes == (
        "alert 1: 1 stamps are JPEG, no measurements.",
        "2 stamps are missing: masked.",
    )


def test_packets_before_schema_3_have_other_names(tmp_path):
    schema = copy.deepcopy(ztf_packets.SCHEMA)
    for field in schema["fields"][3]["type"]["fields"]:
        field["name"] = field["name"].replace("sgscore1", "sgscore")
    packet = ztf_packets.packet()
    packet["candidate"]["sgscore"] = packet["candidate"].pop("sgscore1")
    record = one_record(tmp_path, packet, schema=schema)
    assert record.metadata[0, NAMES.index("sgscore1")] == 0.5


# -- where packets lie -----------------------------------------------------------------


def night():
    return [
        ztf_packets.packet("ZTF18aaa", 1),
        ztf_packets.packet("ZTF18bbb", 2, dec=2.0 + 1.5 / 3600),
        ztf_packets.packet("ZTF18aaa", 3, days=2),
        ztf_packets.packet("ZTF18ccc", 4, dec=3.0),
    ]


def tar_of(files, mode="w"):
    opened = io.BytesIO()
    with tarfile.open(fileobj=opened, mode=mode) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return opened.getvalue()


def test_every_archive_format_gives_the_same_records(tmp_path):
    packets = night()
    single = {f"x/{p['candid']}.avro": ztf_packets.container(p) for p in packets}
    forms = {
        "many.avro": ztf_packets.container(*packets),
        "one_block.avro": ztf_packets.container(*packets, interval=10**7),
        "deflate.avro": ztf_packets.container(*packets, codec="deflate"),
        "night.tar": tar_of(single),
        "night.tar.gz": tar_of(single, "w:gz"),
        "many.avro.gz": gzip.compress(ztf_packets.container(*packets)),
    }
    for name, data in forms.items():
        (tmp_path / name).write_bytes(data)
    folder = tmp_path / "folder" / "deeper"
    folder.mkdir(parents=True)
    for name, data in single.items():
        (folder / Path(name).name).write_bytes(data)
    (folder / "notes.txt").write_text("no alert")
    (folder / "night.tar").write_bytes(forms["night.tar"])  # every packet twice
    expected = records(tmp_path / "many.avro")
    assert list(expected) == ["ZTF18aaa", "ZTF18bbb", "ZTF18ccc"]
    assert len(expected["ZTF18aaa"].mjd) == 2
    for path in (*map(tmp_path.joinpath, forms), tmp_path / "folder"):
        for name, record in records(path).items():
            same(record, expected[name])


def test_neighbours_on_the_sky_share_a_group(tmp_path):
    (tmp_path / "a.avro").write_bytes(ztf_packets.container(*night()))
    found = records(tmp_path)
    assert found["ZTF18aaa"].group == found["ZTF18bbb"].group == "sky150.0000+2.0000"
    assert found["ZTF18ccc"].group == "sky150.0000+3.0000"


def test_labels_in_the_folder_of_the_alerts_are_used(tmp_path):
    (tmp_path / "a.avro").write_bytes(ztf_packets.container(*night()))
    (tmp_path / "labels.csv").write_text("object_id,label\nZTF18aaa,SN\n")
    for path in (tmp_path, tmp_path / "a.avro"):
        found = records(path)
        assert (found["ZTF18aaa"].label, found["ZTF18ccc"].label) == ("SN", "Unknown")
        assert found["ZTF18aaa"].label_source == "catalogue"
        assert found["ZTF18ccc"].label_source == "none"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("object_id,label\na,Nova\n", "a has the label 'Nova'. One row per object"),
        ("object_id,label\na,SN\na,VS\n", "a is both SN and VS. One row"),
        ("name,label\na,SN\n", "'object_id'. One row per object is expected"),
    ],
)
def test_a_table_of_labels_that_cannot_be_meant_is_refused(tmp_path, table, message):
    (tmp_path / "a.avro").write_bytes(ztf_packets.container(*night()))
    (tmp_path / "labels.csv").write_text(table)
    with pytest.raises(ValueError, match=message):
        list(ztf_alerts.read(tmp_path))


def test_a_folder_without_alerts_is_an_error_with_a_message(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"No alerts at .* Give a file or a folder"
    ):
        list(ztf_alerts.read(tmp_path))


def test_a_damaged_packet_is_set_aside_with_its_bytes_and_others_are_read(tmp_path):
    packets = night()
    packets[1]["cutoutTemplate"] = ztf_packets.cutout(b"\x1f\x8b broken")
    packets[3]["candidate"]["fid"] = 9
    (tmp_path / "a.avro").write_bytes(ztf_packets.container(*packets))
    stamp, fid, good = ztf_alerts.read(tmp_path)
    assert len(good.record.mjd) == 2
    assert "a.avro@" in stamp.object_id
    assert "a stamp cannot be decompressed" in stamp.notes[0]
    assert "'fid': 9" in fid.notes[0]
    schema = fastavro.parse_schema(ztf_packets.SCHEMA)
    again = fastavro.schemaless_reader(io.BytesIO(stamp.raw), schema)
    assert again["objectId"] == "ZTF18bbb"


def test_packets_before_the_end_of_a_truncated_container_are_read(tmp_path):
    whole = ztf_packets.container(*night())
    for kept in (len(whole) - 1, len(whole) - 20, len(whole) * 4 // 5):
        (tmp_path / "a.avro").write_bytes(whole[:kept])
        rest, *found = ztf_alerts.read(tmp_path)
        assert sum(len(reading.record.mjd) for reading in found) == 3
        assert "the rest cannot be read" in rest.notes[0]
        assert whole[:kept].endswith(rest.raw)


def test_packets_before_the_end_of_a_truncated_archive_are_read(tmp_path):
    single = {f"{p['candid']}.avro": ztf_packets.container(p) for p in night()}
    archive = tar_of(single, "w:gz")
    (tmp_path / "night.tar.gz").write_bytes(archive[:-2000])
    readings = list(ztf_alerts.read(tmp_path))
    assert sum(len(r.record.mjd) for r in readings if r.record) == 3
    notes = " ".join(note for r in readings if not r.record for note in r.notes)
    assert "its gzip data are incomplete" in notes
    assert "4.avro" in notes


def test_a_builder_stores_what_was_read(tmp_path):
    import tensorflow_datasets as tfds

    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "a.avro").write_bytes(ztf_packets.container(*night()))
    builder = ztf_alerts.ZtfAlerts(data_dir=tmp_path / "built")
    config = tfds.download.DownloadConfig(manual_dir=str(raw))
    builder.download_and_prepare(download_config=config)
    expected = records(raw)
    for example in builder.as_data_source("all"):
        record = record_from_example(example, RECORD_TYPES["alerts"])
        same(record, expected.pop(record.object_id))
    assert not expected


def test_ztf_files_are_recognised_and_others_are_not(tmp_path):
    (tmp_path / "a.avro").write_bytes(ztf_packets.container(*night()))
    other = {"type": "record", "name": "x", "fields": [{"name": "y", "type": "int"}]}
    (tmp_path / "b.avro").write_bytes(ztf_packets.container({"y": 1}, schema=other))
    (tmp_path / "c.avro").write_bytes(b"none")
    assert ztf_alerts.recognises(tmp_path / "a.avro")
    assert ztf_alerts.recognises(tmp_path)
    for name in ("b.avro", "c.avro", "missing"):
        assert not ztf_alerts.recognises(tmp_path / name)


# -- real packets ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def real():
    if not os.environ.get("JAXASTRO_DATA"):
        pytest.skip("JAXASTRO_DATA is not set: no real alerts of ZTF to read")
    return Path(os.environ["JAXASTRO_DATA"]) / "ztf_alerts"


def test_all_real_packets_are_read(real):
    found = records(real)
    assert len(found) == 203
    assert sum(len(record.mjd) for record in found.values()) == 223
    kinds = np.concatenate([record.history_kind for record in found.values()])
    assert np.bincount(kinds).tolist() == [2836, 9017, 129]
    for record in found.values():
        assert record.stamp.shape[1:] == (63, 63, 3)
        assert np.isfinite(record.stamp).all()
        number = record.metadata[np.isfinite(record.metadata)]
        assert not np.isin(number, [-999, -99999]).any()


def test_real_stamps_are_those_that_others_decoded(real):
    with np.load(real / "cutouts.npz") as theirs, open(real / "index.csv") as table:
        stamps = dict(zip(theirs["candid"].tolist(), theirs["cutouts"], strict=True))
        sign = {
            int(row["candid"]): {"t": 1, "f": -1}[row["isdiffpos"]]
            for row in csv.DictReader(table)
        }
    equal = 0
    for record in records(real).values():
        for t, candid in enumerate(record.alert_id.tolist()):
            if candid not in stamps:
                continue
            # They have the file's sign, and the cut stamps in the corner, then NaN.
            for channel, factor in enumerate((1, 1, sign[candid])):
                good = ~record.bad_pixel[t, ..., channel]
                theirs = stamps[candid][channel]
                ours = record.stamp[t, ..., channel][good]
                np.testing.assert_array_equal(
                    ours * factor, theirs[np.isfinite(theirs)], strict=True
                )
                equal += 1
    assert equal == 3 * 159


def test_the_difference_of_real_alerts_is_science_minus_template(real):
    agree = []
    for record in records(real).values():
        for stamp, bad in zip(record.stamp, record.bad_pixel, strict=True):
            good = ~bad.any(axis=-1)
            if good.sum() > 2000:
                science, template, difference = stamp[good].T
                agree.append(np.corrcoef(science - template, difference)[0, 1])
    assert np.mean(np.array(agree) > 0) > 0.9
    assert np.median(agree) > 0.7
