"""Avro with lengths, schemas and blocks that no honest writer has."""

import json
import zlib

import pytest
from support import ztf_packets
from support.untrusted_input import read_alerts, refusal_of, resource_limits

from jaxastro.alerts.avro import reader_of
from jaxastro.errors import RecordError


def record_of(kind):
    fields = [{"name": "x", "type": kind}]
    return json.dumps({"type": "record", "name": "r", "fields": fields}).encode()


EMPTY = {"type": "record", "name": "empty", "fields": []}
MANY_NULLS = {"type": "array", "items": "null"}
ROWS = {"type": "record", "name": "row", "fields": [{"name": "y", "type": "int"}]}


@pytest.mark.parametrize(
    ("kind", "wanted", "data"),
    [
        ("string", True, ztf_packets.zigzag(-1)),
        ("string", True, ztf_packets.zigzag(2**62)),
        ("string", True, ztf_packets.zigzag(3) + b"\xff\xfe\xfd"),
        ("bytes", None, ztf_packets.zigzag(2**62)),
        ("long", True, b"\xff" * 11),
        (["null", "long"], True, b"\x04"),
        (["null", "string"], True, b"\x03"),
        (MANY_NULLS, None, ztf_packets.zigzag(2**62)),
        (MANY_NULLS, None, ztf_packets.zigzag(-(2**62)) + ztf_packets.zigzag(0)),
        ({"type": "array", "items": EMPTY}, None, ztf_packets.zigzag(2**62)),
        ({"type": "array", "items": ROWS}, [{"y": True}], ztf_packets.zigzag(10**6)),
        (
            {"type": "array", "items": ROWS},
            None,
            ztf_packets.zigzag(2**62) + bytes(1000),
        ),
        (
            {"type": "map", "values": "null"},
            None,
            ztf_packets.zigzag(2**62) + bytes(1000),
        ),
        ({"type": "fixed", "name": "f", "size": 2**20}, None, b"short"),
        ("double", True, b""),
    ],
)
def test_absurd_lengths_are_refused(kind, wanted, data):
    with resource_limits(mebibytes=8), pytest.raises(RecordError):
        reader_of(record_of(kind), {"x": wanted})(data, 0)


def nested(depth):
    node = "int"
    for i in range(depth):
        node = {
            "type": "record",
            "name": f"r{i}",
            "fields": [{"name": "x", "type": node}],
        }
    return json.dumps(node).encode()


def doubling(depth):
    """Each type contains the one before twice, so the size grows exponentially."""
    node = {"type": "record", "name": "r0", "fields": []}
    for i in range(1, depth):
        fields = [{"name": "x", "type": node}, {"name": "y", "type": f"r{i - 1}"}]
        node = {"type": "record", "name": f"r{i}", "fields": fields}
    return json.dumps(node).encode()


WIDE = [{"name": f"x{i}", "type": "string"} for i in range(10**4)]


@pytest.mark.parametrize(
    "schema",
    [
        record_of("r"),  # a record in itself
        record_of(["null", "r"]),
        nested(100),
        doubling(30),
        b"[" * 10**5,
        b'{"type":' * 10**5,
        b'"' + b"x" * 2**21 + b'"',
        json.dumps({"type": "record", "name": "r", "fields": WIDE}).encode(),
        record_of({"type": "fixed", "name": "f", "size": -1}),
        record_of({"type": "fixed", "name": "f", "size": 10**30}),
        record_of(["int"] * 200),
        record_of({"type": "unknown"}),
        b"9" * 10**5,
        b"\x00\xff",
        b"",
    ],
    ids=range(15),
)
def test_schemas_without_bounds_are_refused(tmp_path, schema):
    with resource_limits(mebibytes=32):
        with pytest.raises(RecordError):
            reader_of(schema, {"x": True})
        assert "cannot be read" in refusal_of(
            tmp_path, ztf_packets.framed(schema, [(1, b"")])
        )


ALERT = json.dumps(ztf_packets.SCHEMA).encode()
BOMB = zlib.compress(bytes(2**28), 9)[2:-4]  # a quarter of a gibibyte of zeros


@pytest.mark.parametrize(
    ("codec", "block", "why"),
    [
        (b"deflate", BOMB, "inflates beyond"),
        (b"deflate", b"no deflate", "cannot be inflated"),
        (
            b"snappy",
            b"\xff\xff\xff\xff\x0f" + bytes(100),
            "a block of 4294967295 bytes uncompressed",
        ),
        (b"snappy", b"\x64" + bytes(100), "no snappy data"),
        (b"snappy", b"", "no snappy data"),
        (b"zstandard", b"", "its codec is b'zstandard'; null, deflate and snappy"),
        (b"null", b"", "data are incomplete"),
    ],
)
def test_damaged_blocks_are_reported(tmp_path, codec, block, why):
    with resource_limits(mebibytes=160):
        assert why in refusal_of(
            tmp_path, ztf_packets.framed(ALERT, [(1, block)], codec=codec)
        )


def test_packets_without_a_size_do_not_go_on_for_ever(tmp_path):
    schema = json.dumps(EMPTY).encode()
    with resource_limits(mebibytes=8):
        assert "without a size" in refusal_of(
            tmp_path, ztf_packets.framed(schema, [(2**60, b"")])
        )


def test_a_file_without_packets_does_not_fill_the_report(tmp_path):
    blocks = [(1, b"\x01")] * 5000
    with resource_limits(mebibytes=64):
        readings = read_alerts(tmp_path, ztf_packets.framed(ALERT, blocks))
    assert len(readings) == 1001
    assert "the rest was not read" in readings[-1].notes[0]
