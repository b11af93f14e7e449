"""Damaged alerts in the middle of a night cost no other alert.

A night is a list of alerts, some of them damaged, and is packed as brokers send it.
"""

import copy
import csv
import gzip
import io
import json
import sys
import types
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import ztf_packets
from support.runs import predict
from support.untrusted_input import tarred

import jaxastro
from data_builders.ztf import ztf_alerts
from experiments.studies import damaged_alerts
from jaxastro.alerts import archive
from jaxastro.alerts.container import read_packets
from jaxastro.alerts.ztf import packet_reader

NUMBER = 60
NIGHT = [
    ztf_packets.packet(f"ZTF18{n:07d}", n + 1, days=n / 1e4) for n in range(NUMBER)
]
NAMES = [f"{n:03d}.avro" for n in range(NUMBER)]
FORMS = ("night.avro", "folder", "night.tar", "night.tar.gz", "-", "- tar")
FOREIGN = {"type": "record", "name": "r", "fields": [{"name": "x", "type": "int"}]}


class Alert(NamedTuple):
    """One alert of a night as it is sent."""

    packet: dict
    file: bytes  # a container with it alone
    block: bytes  # of a container of all


# -- damage ----------------------------------------------------------------------------


def sent(packet, schema=ztf_packets.SCHEMA):
    file = ztf_packets.container(packet, schema=schema)
    return Alert(packet, file, block_of(file))


def block_of(file):
    """What follows the header of a container, less the marker, which is the last 16."""
    head = file.index(file[-16:]) + 16
    return file[head:-16]


def with_stamp(alert, stored, which="cutoutDifference"):
    packet = copy.deepcopy(alert.packet)
    packet[which] = ztf_packets.cutout(stored)
    return sent(packet)


def pixels_with(value):
    pixels = ztf_packets.pixels(3)
    pixels[20:40] = value
    return ztf_packets.stamp_file(pixels)


def flipped(data, where):
    data = bytearray(data)
    for place in where:
        data[int(place * (len(data) - 1))] ^= 0x5A
    return bytes(data)


def both(alert, change):
    """The same done to a file of one and to a block of many."""
    return alert._replace(file=change(alert.file), block=change(alert.block))


STAMP = ztf_packets.stamp_file(ztf_packets.pixels(3))
PLAIN = gzip.decompress(STAMP)
# Of these an alert cannot be read: it is set aside.
FATAL = {
    "truncated": lambda a: both(a, lambda data: data[: len(data) // 2]),
    "empty": lambda a: both(a, lambda _: b""),
    "not Avro": lambda a: both(a, lambda _: b"<html>404 Not Found</html>"),
    "other schema": lambda a: sent({"x": 1}, FOREIGN)._replace(block=b"\x02\x02\x02"),
    "length of 2^62": lambda a: both(
        a, lambda data: data[:1] + ztf_packets.zigzag(2**62) + data[5:]
    ),
    "gzip flipped": lambda a: with_stamp(a, flipped(STAMP, (0.3, 0.5, 0.7))),
    "gzip broken off": lambda a: with_stamp(a, STAMP[: len(STAMP) // 2]),
    "FITS flipped": lambda a: with_stamp(
        a, gzip.compress(b"\0" * 80 + PLAIN[80:], mtime=0)
    ),
    "FITS broken off": lambda a: with_stamp(a, gzip.compress(PLAIN[:5000], mtime=0)),
    "no FITS": lambda a: with_stamp(a, b"no FITS"),
    "too large": lambda a: with_stamp(a, ztf_packets.stamp_file(np.zeros((70, 70)))),
    "no time": lambda a: sent(
        ztf_packets.packet(candid=a.packet["candid"], jd=float("nan"))
    ),
    "no name": lambda a: sent(a.packet | {"objectId": ""}),
}
# With these it is classified; the report states what was masked, except for UNREPORTED.
REPAIRED = {
    "missing cutout": lambda a: with_stamp(a, None, "cutoutTemplate"),
    "NaN stamp": lambda a: with_stamp(
        a, ztf_packets.stamp_file(np.full((63, 63), np.nan))
    ),
    "nothing to see": lambda a: sent(
        a.packet | dict.fromkeys(("cutoutScience", "cutoutTemplate"))
    ),
    "NaN pixels": lambda a: with_stamp(a, pixels_with(np.nan)),
    "huge pixels": lambda a: with_stamp(a, pixels_with(3e38)),
}
UNREPORTED = ("NaN pixels", "huge pixels")


# -- how a night is sent ---------------------------------------------------------------


def one_container(night):
    """Blocks of all in one, each with its marker, whatever it holds itself."""
    start = ztf_packets.container()
    return start + b"".join(alert.block + start[-16:] for alert in night)


def packed(night, form, folder, monkeypatch):
    """The input that predict is given for a night in some form."""
    tar = tarred(*zip(NAMES, (alert.file for alert in night), strict=False))
    path = folder / form
    if form == "folder":
        path.mkdir()
        for name, alert in zip(NAMES, night, strict=True):
            (path / name).write_bytes(alert.file)
        return path
    data = one_container(night) if form in ("night.avro", "-") else tar
    data = gzip.compress(data, 1) if form.endswith(".gz") else data
    if form.startswith("-"):
        pipe = types.SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(data)))
        monkeypatch.setattr(sys, "stdin", pipe)
        return "-"
    path.write_bytes(data)
    return path


def answers(run, raw, folder):
    """Rows by alert, and the report."""
    output, report = folder / "predictions.csv", folder / "report.json"
    predict(run, raw, output, report=report, each_alert=True)
    listed = list(csv.DictReader(output.open(newline="")))
    rows = {int(row["alert_id"]): row for row in listed}
    assert len(rows) == len(listed)
    return rows, json.loads(report.read_text())


def probabilities(row):
    return np.array([float(row[name]) for name in row if name.startswith("p_")])


CLEAN = [sent(packet) for packet in NIGHT]


@pytest.fixture(scope="module")
def expected(alert_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clean")
    (folder / "night.avro").write_bytes(one_container(CLEAN))
    rows, report = answers(alert_run, folder / "night.avro", folder)
    assert len(rows) == NUMBER
    assert report["objects_set_aside"] == 0
    return rows


# -- tests -----------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_every_kind_of_damage_costs_no_other_alert(
    form, alert_run, expected, tmp_path, monkeypatch
):
    damage = FATAL | REPAIRED
    places = dict(zip(range(3, NUMBER, 3), damage, strict=False))
    assert len(places) == len(damage)
    night = [
        damage[places[n]](alert) if n in places else alert
        for n, alert in enumerate(CLEAN)
    ]
    rows, report = answers(
        alert_run, packed(night, form, tmp_path, monkeypatch), tmp_path
    )
    for n in set(range(NUMBER)) - set(places):
        np.testing.assert_allclose(
            probabilities(rows[n + 1]), probabilities(expected[n + 1]), atol=2e-6
        )
    fatal = [n for n, name in places.items() if name in FATAL]
    repaired = [n for n, name in places.items() if name in REPAIRED]
    assert set(rows) == {n + 1 for n in range(NUMBER) if n not in fatal}
    for n in repaired:
        found = probabilities(rows[n + 1])
        assert np.isfinite(found).all()
        assert found.sum() == pytest.approx(1, abs=1e-5)
        if places[n] not in UNREPORTED:
            assert "masked" in report["repaired"][str(n + 1)][0], places[n]
    assert report["objects_set_aside"] == len(fatal)
    assert report["objects_read"] == NUMBER
    reasons = "\n".join(report["set_aside"])
    if form not in ("night.avro", "-"):  # a file has a name, a block has none
        assert all(NAMES[n] in reasons for n in fatal)
    for n in fatal:
        if places[n] in ("gzip flipped", "FITS broken off", "no time", "no name"):
            assert f"(candid {n + 1})" in reasons, places[n]


@pytest.fixture(scope="module")
def serving(alert_run):
    """What classifies alerts as the command does, loaded once."""
    run = jaxastro.load(alert_run)
    return lambda records: run.predict(records).probability


@st.composite
def damaged_alert(draw, n):
    """Alert n with changed, lost or additional bytes, or a stamp of random numbers."""
    alert = CLEAN[n]
    if draw(st.booleans()):
        numbers = st.floats(width=32, allow_nan=True)
        values = draw(st.lists(numbers, min_size=1, max_size=9))
        return with_stamp(alert, ztf_packets.stamp_file(np.resize(values, (63, 63))))
    places = draw(st.lists(st.floats(0, 1), min_size=1, max_size=5))
    lost = draw(st.sampled_from([0, 0, 1, 40, 10**6]))
    more = draw(st.binary(max_size=20))

    def change(data):
        data = flipped(data, places)
        at = int(places[0] * len(data))
        return data[:at] + more + data[at + lost :]

    return both(alert, change)


@pytest.mark.parametrize("form", ["night.avro", "night.tar"])
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_undamaged_alerts_are_classified_whatever_the_damage_of_others(
    form, serving, data
):
    places = data.draw(st.sets(st.integers(0, NUMBER - 1), max_size=12))
    night = [
        data.draw(damaged_alert(n)) if n in places else alert
        for n, alert in enumerate(CLEAN)
    ]
    files = zip(NAMES, (alert.file for alert in night), strict=True)
    whole = one_container(night) if form == "night.avro" else tarred(*files)
    readings = list(ztf_alerts.read_each(None, io.BytesIO(whole)))
    records = [reading.record for reading in readings if reading.record is not None]
    found = {int(record.alert_id[0]) for record in records}
    assert found >= {n + 1 for n in range(NUMBER) if n not in places}
    assert all(reading.notes for reading in readings if reading.record is None)
    assert np.isfinite(serving(records)).all()


# -- a night of many ------------------------------------------------------------------


def test_a_night_that_is_read_may_have_more_damage_than_a_file(monkeypatch):
    monkeypatch.setattr(ztf_alerts, "MAX_FAILED", 5)
    monkeypatch.setattr(archive, "MAX_OTHERS", 5)
    few = [FATAL["empty"](a) if n % 3 == 0 else a for n, a in enumerate(CLEAN)]
    broken = [FATAL["no FITS"](a) if n % 3 == 0 else a for n, a in enumerate(CLEAN)]
    files = zip(NAMES, (alert.file for alert in few), strict=True)
    for whole in (tarred(*files), one_container(broken)):
        readings = list(ztf_alerts.read_each(None, io.BytesIO(whole)))
        assert sum(reading.record is not None for reading in readings) == 40
        assert len(readings) == NUMBER


def test_damage_is_searched_through_once_and_not_without_end(monkeypatch):
    """Each block declares the size of the file: bytes are read again, up to a limit."""
    container = sys.modules[read_packets.__module__]
    claims = ztf_packets.zigzag(1) + ztf_packets.zigzag(2**25)
    start = ztf_packets.container()
    whole = start + (claims + start[-16:]) * 2000
    monkeypatch.setattr(container, "MAX_SEARCHED", 10 * len(whole))
    packets = list(read_packets(io.BytesIO(whole), packet_reader))
    assert all(packet.row is None for packet in packets)
    assert 10 <= len(packets) < 40
    assert packets[-1].reason.startswith("the rest cannot be read")
    assert packets[-1].reason.endswith("bytes were searched for the next block")
    at = [int(packet.where) for packet in packets]
    size = len(claims) + 16
    assert at == [len(start) + size * n for n in range(len(at))]


def test_one_large_false_length_leaves_the_limit_for_small_ones(
    monkeypatch,
):
    body = ztf_packets.zigzag(50) + b"x" * 50
    start = ztf_packets.container()
    sync = start[-16:]

    def block(claim):
        return ztf_packets.zigzag(1) + ztf_packets.zigzag(claim) + body + sync

    damaged = {10: 2**18} | dict.fromkeys(range(20, 400, 2), 7)
    whole = start + b"".join(block(damaged.get(n, len(body))) for n in range(5000))
    container = sys.modules[read_packets.__module__]
    monkeypatch.setattr(container, "MAX_SEARCHED", 2 * len(whole))
    packets = list(read_packets(io.BytesIO(whole), lambda schema: _by_length))
    assert [n for n, packet in enumerate(packets) if packet.row is None] == [*damaged]
    assert len(packets) == 5000


def test_the_study_counts_alerts_that_are_lost_and_alerts_that_are_changed(
    monkeypatch,
):
    data = one_container(CLEAN)
    container = damaged_alerts.split_container(data)
    assert damaged_alerts.join_container(container, container.blocks) == data
    alerts, set_aside = damaged_alerts.read_alerts(data)
    assert [name for name, _ in alerts] == [*range(1, NUMBER + 1)]
    assert set_aside == 0
    rows = damaged_alerts.measure(container, alerts, share=0.2, seed=0)
    assert len(rows) == 10
    for row in rows:
        assert row["damaged"] + row["others"] == NUMBER
        assert row["damaged"] > 5
        assert (row["others lost"], row["others changed"]) == (0, 0)
        assert row["set aside"] + row["damaged but read"] > 5

    def careless(path, stream):
        for n, reading in enumerate(ztf_alerts.read_each(path, stream)):
            if reading.record is not None and n % 20 == 1:
                yield reading._replace(record=reading.record._replace(ra=-n))
            elif n % 20:
                yield reading

    monkeypatch.setattr(damaged_alerts, "read_each", careless)
    (row, *_) = damaged_alerts.measure(container, alerts, share=0.0, seed=0)
    assert row["others lost"] == row["others changed"] == 3


@pytest.mark.parametrize("data", [b"", b"Obj", b"x" * 99])
def test_what_is_no_container_is_refused(data):
    with pytest.raises(ValueError, match="no complete Avro container"):
        damaged_alerts.split_container(data)


def _by_length(data: bytes, at: int) -> tuple[dict, int]:
    return {}, len(data)
