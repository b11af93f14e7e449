"""Untrusted alerts are read or give a message, with limits on memory and time."""

import contextlib
import gzip
import json
import tarfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ztf_packets
from support.untrusted_input import (
    STAMPS,
    read_alerts,
    refusal_of,
    resource_limits,
    tarred,
)

from jaxastro.alerts import archive
from jaxastro.alerts.avro import reader_of
from jaxastro.alerts.ztf_stamp import read_stamp
from jaxastro.errors import RecordError

FUZZ = settings(max_examples=150, deadline=None)
PACKETS = [ztf_packets.packet("ZTF18aaa", n, stamps=STAMPS) for n in range(3)]
STAMP = ztf_packets.stamp_file(STAMPS[0])
CONTAINERS = [ztf_packets.container(*PACKETS, codec=c) for c in ("null", "deflate")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile")


# -- by chance -------------------------------------------------------------------------


@st.composite
def damaged(draw, whole):
    """Bytes with some changed, lost, doubled or put in."""
    data = bytearray(draw(st.sampled_from(whole)))
    for _ in range(draw(st.integers(1, 4))):
        # The first bytes, where lengths and schema stand, as often as all others.
        end = draw(st.sampled_from([200, len(data), len(data)]))
        at = draw(st.integers(0, max(0, min(end, len(data)) - 1)))
        size = draw(st.integers(0, 40))
        how = draw(st.sampled_from(["flip", "flip", "cut", "lose", "double", "insert"]))
        if how == "flip" and data:
            data[at] ^= draw(st.integers(1, 255))
        elif how == "cut":
            del data[at:]
        elif how == "lose":
            del data[at : at + size]
        elif how == "double":
            data[at:at] = data[at : at + size]
        elif how == "insert":
            data[at:at] = draw(st.binary(max_size=20))
    return bytes(data)


@FUZZ
@given(data=damaged(CONTAINERS))
def test_damaged_containers_give_records_or_reasons(folder, data):
    with resource_limits(mebibytes=32):
        assert read_alerts(folder, data)


NIGHT = tarred(
    *((f"{i}.avro", ztf_packets.container(p)) for i, p in enumerate(PACKETS))
)


@FUZZ
@given(data=damaged([NIGHT, gzip.compress(NIGHT, 0), gzip.compress(NIGHT)]))
def test_damaged_archives_give_records_or_reasons(folder, data):
    with resource_limits(mebibytes=32):
        read_alerts(folder, data, name="night.tar.gz")


@FUZZ
@given(data=st.binary(max_size=3000))
@pytest.mark.parametrize("start", [b"", b"Obj\x01", b"\x1f\x8b", b"SIMPLE  ="])
def test_any_bytes_give_reasons(folder, start, data):
    with resource_limits(mebibytes=16):
        assert refusal_of(folder, start + data)


@FUZZ
@given(stored=damaged([STAMP, gzip.decompress(STAMP)]))
def test_damaged_stamps_are_images_or_refused(stored):
    with resource_limits(mebibytes=32), contextlib.suppress(RecordError):
        stamp = read_stamp(stored)
        assert stamp.dtype == np.float32
        assert stamp.ndim == 2


WORDS = ["record", "array", "map", "enum", "fixed", "string", "long", "null"]
WORDS += ["x", "a.b"]
KEYS = ["type", "name", "fields", "items", "values", "symbols", "size", "namespace"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.sampled_from(WORDS),
    lambda node: (
        st.lists(node, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS), node, max_size=5)
    ),
    max_leaves=30,
)


@FUZZ
@given(schema=JSON, data=st.binary(max_size=200))
def test_any_json_is_a_schema_or_refused(schema, data):
    with contextlib.suppress(RecordError):
        reader_of(json.dumps(schema).encode(), {"x": True})(data, 0)


NUMBER = st.none() | st.floats(width=32) | st.sampled_from([-999.0, 0.0, 23.9])
TEXT = st.none() | st.text(max_size=5) | st.sampled_from(["t", "f", "0", "1"])
VALUES = {"float": NUMBER, "string": TEXT, "long": st.none() | st.integers(0, 2**62)}
VALUES["int"] = st.integers(-(2**31), 2**31 - 1) | st.sampled_from([1, 2, 3])
VALUES["double"] = st.floats() | st.just(ztf_packets.JD)


def values_of(fields):
    def value(kind):
        if isinstance(kind, list):
            return VALUES[kind[1]]
        return VALUES[kind].filter(lambda v: v is not None)

    return st.fixed_dictionaries({name: value(kind) for name, kind in fields.items()})


@settings(max_examples=60, deadline=None)
@given(
    name=st.text(max_size=3) | st.just("ZTF18aaa"),
    candidate=values_of(ztf_packets.CANDIDATE),
    points=st.lists(values_of(ztf_packets.POINT), max_size=3),
    forced=st.lists(values_of(ztf_packets.FORCED), max_size=3),
    is_sane=st.booleans(),
)
def test_any_values_give_a_record_or_a_reason(
    folder, name, candidate, points, forced, is_sane
):
    packet = ztf_packets.packet(name, stamps=[None] * 3)
    if is_sane:  # as far as there must be a record
        keep = ("jd", "fid", "isdiffpos")
        candidate |= {key: packet["candidate"][key] for key in keep}
    packet |= {"prv_candidates": points, "fp_hists": forced, "candidate": candidate}
    (reading,) = read_alerts(folder, ztf_packets.container(packet))
    if is_sane and name == "ZTF18aaa":
        assert reading.record
        assert np.isfinite(reading.record.history_flux).all()


# -- by intent: stamps -----------------------------------------------------------------


def header(*cards):
    return b"".join(card.ljust(80).encode() for card in cards).ljust(2880)


def sized(x, y, bitpix=-32, *more):
    number = f"BITPIX  = {bitpix:>20}", "NAXIS   =                    2"
    size = f"NAXIS1  = {x:>20}", f"NAXIS2  = {y:>20}"
    return header("SIMPLE  =                    T", *number, *size, *more, "END")


@pytest.mark.parametrize(
    "raw",
    [
        sized(10**9, 10**9),
        sized(10**9, 10**9, 8),
        sized(63, 63),  # and no pixels
        sized(63, 63) + bytes(100),
        sized(-63, 63) + bytes(2880),
        sized(0, 63),
        sized(63, 63, 7) + bytes(2880),
        sized(257, 2) + bytes(2880),
        sized(63, 63)[:-1],
        header("SIMPLE  =  T", "BITPIX  =  -32", "NAXIS   =  999", "END"),
        header("SIMPLE  =  T") * 50,
        b"SIMPLE  =  T" + bytes(5000),
        b"<html>not found</html>",
        b"",
    ],
    ids=range(14),
)
def test_absurd_stamps_are_refused(raw):
    for stored in (raw, gzip.compress(raw)):
        with resource_limits(mebibytes=16), pytest.raises(RecordError, match="a stamp"):
            read_stamp(stored)


def test_a_stamp_that_unpacks_to_more_than_a_stamp_is_refused():
    bomb = gzip.compress(bytes(2**28))
    with (
        resource_limits(mebibytes=8),
        pytest.raises(RecordError, match="bytes uncompressed"),
    ):
        read_stamp(bomb)


def test_endless_headers_take_no_long_time():
    card = b"CONTINUE  'x&'".ljust(80)
    raw = sized(9, 9)[:400] + card * 12000
    with resource_limits(mebibytes=64, seconds=10), contextlib.suppress(RecordError):
        read_stamp(raw + b"END".ljust(2880))


# -- by intent: archives ---------------------------------------------------------------


def special(name, kind, **values):
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in values.items():
        setattr(info, key, value)
    return info, b""


def test_members_of_an_archive_are_not_written_and_links_not_followed(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    secret = tmp_path / "secret.avro"
    secret.write_bytes(
        ztf_packets.container(ztf_packets.packet("secret", stamps=STAMPS))
    )
    good = ztf_packets.container(ztf_packets.packet("ZTF18aaa", stamps=STAMPS))
    archive_of = tarred(
        ("../outside.avro", good),
        (
            "/absolute.avro",
            ztf_packets.container(ztf_packets.packet("ZTF18bbb", stamps=STAMPS)),
        ),
        special("link.avro", tarfile.SYMTYPE, linkname=str(secret)),
        special("hard.avro", tarfile.LNKTYPE, linkname="../secret.avro"),
        special("device", tarfile.CHRTYPE, devmajor=1, devminor=5),
        special("pipe", tarfile.FIFOTYPE),
        special("folder", tarfile.DIRTYPE),
        ("line\nbreak\x1b[31m.avro", b"no alert"),
    )
    before = sorted(tmp_path.rglob("*"))
    readings = read_alerts(inside, archive_of, name="night.tar")
    assert sorted(tmp_path.rglob("*")) == sorted([*before, inside / "night.tar"])
    assert {r.object_id for r in readings if r.record} == {"ZTF18aaa", "ZTF18bbb"}
    notes = " ".join(note for r in readings if not r.record for note in r.notes)
    assert notes.count("it is a link or a device, not a file") == 4
    assert notes.isprintable()


def test_an_archive_that_unpacks_to_far_more_than_it_has_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_UNPACKED", 2**24)
    zeros = tarfile.TarInfo("zeros.avro")
    zeros.size = 2**28
    bomb = gzip.compress(zeros.tobuf() + bytes(2**28), 9)
    with resource_limits(mebibytes=32):
        words = refusal_of(tmp_path, bomb, name="night.tar.gz")
    assert "its uncompressed size is far larger than that of alerts" in words


def test_a_long_name_that_claims_gigabytes_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_UNPACKED", 2**28)
    name = tarfile.TarInfo("././@LongLink")
    name.type, name.size = tarfile.GNUTYPE_LONGNAME, 2**27
    good = tarred(("a.avro", ztf_packets.container(ztf_packets.packet(stamps=STAMPS))))
    data = gzip.compress(name.tobuf() + bytes(2**27) + good, 9)
    with resource_limits(mebibytes=16):
        (reading,) = read_alerts(tmp_path, data, name="night.tar.gz")
    assert reading.record


def test_archives_in_archives_end_somewhere(tmp_path):
    data = ztf_packets.container(ztf_packets.packet(stamps=STAMPS))
    for _ in range(50):
        data = gzip.compress(data)
    assert "Avro, gzip or tar is expected" in refusal_of(
        tmp_path, data, name="a.avro.gz"
    )


def test_members_without_number_that_are_no_alerts_end_somewhere(tmp_path):
    links = [special(f"{i}", tarfile.SYMTYPE) for i in range(3000)]
    with resource_limits(mebibytes=32):
        readings = read_alerts(tmp_path, tarred(*links), name="night.tar")
    assert len(readings) <= 1002
    assert "the rest is no tar archive of alerts" in readings[-1].notes[0]


@pytest.mark.parametrize(
    "size", [b"\x80" + b"\xff" * 11, b"-0000000001\x00", b"z" * 12]
)
def test_a_member_of_absurd_size_ends_the_archive(tmp_path, size):
    good = tarred(("a.avro", ztf_packets.container(ztf_packets.packet(stamps=STAMPS))))
    block = bytearray(tarfile.TarInfo("b.avro").tobuf())
    block[124:136] = size
    block[148:156] = b"%06o\0 " % (sum(block) - sum(block[148:156]) + 256)
    readings = read_alerts(
        tmp_path, good[:-1024].rstrip(b"\0") + bytes(0), name="a.tar"
    )
    end = len(good.rstrip(b"\0")) // 512 * 512 + 512
    readings = read_alerts(tmp_path, good[:end] + block + bytes(1024), name="a.tar")
    assert sum(r.record is not None for r in readings) == 1
    assert "no tar archive" in readings[0].notes[0]
