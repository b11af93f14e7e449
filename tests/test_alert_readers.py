"""The readers of Avro and FITS give the results of fastavro and astropy."""

import gzip
import io
import json
import struct
import zlib

import fastavro
import numpy as np
import pyarrow
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ztf_packets

from jaxastro.alerts.avro import reader_of
from jaxastro.alerts.container import read_packets
from jaxastro.alerts.ztf_stamp import read_stamp
from jaxastro.errors import RecordError

PLAIN = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32),
    "double": st.floats(),
    "string": st.text(),
    "bytes": st.binary(),
}


ANY = ["plain"] * 4 + ["null or plain"] * 4
ANY += ["many", "enum", "fixed", "map", "record", "records", "null or record"]


@st.composite
def typed(draw, name="n", depth=0, kinds=ANY):
    """A type, values of it, and what of it can be wanted."""
    kind = draw(st.sampled_from(kinds if depth < 3 else ANY[:8]))
    if kind in ("plain", "null or plain"):
        plain = draw(st.sampled_from(list(PLAIN)[1:]))
        if kind == "plain":
            return draw(st.sampled_from([plain, {"type": plain}])), PLAIN[plain], True
        union = draw(st.permutations(["null", plain]))
        return union, st.none() | PLAIN[plain], True
    if kind == "many":
        return ["null", "string", "double"], st.none() | st.text() | st.floats(), True
    if kind == "enum":
        node = {"type": "enum", "name": name, "symbols": ["a", "b"]}
        return node, st.sampled_from("ab"), None
    if kind == "fixed":
        node = {"type": "fixed", "name": name, "size": 3}
        return node, st.binary(min_size=3, max_size=3), None
    if kind == "map":
        values = st.dictionaries(st.text(), PLAIN["long"], max_size=3)
        return {"type": "map", "values": "long"}, values, None
    fields, values, wanted = {}, {}, {}
    for i in range(draw(st.integers(1, 5))):
        fields[f"f{i}"], values[f"f{i}"], want = draw(typed(f"{name}{i}", depth + 1))
        if want and draw(st.booleans()):
            wanted[f"f{i}"] = want
    node, row = ztf_packets.record_type(name, fields), st.fixed_dictionaries(values)
    if kind == "records":
        rows = st.lists(row, max_size=4)
        return {"type": "array", "items": node}, rows, [wanted] if wanted else None
    if kind == "null or record":
        return ["null", node], st.none() | row, wanted
    return node, row, wanted


def only(wanted, value):
    """The wanted part of what was read in full."""
    if value is None or wanted is True:
        return value
    if isinstance(wanted, list):
        return [only(wanted[0], item) for item in value]
    return {
        name: only(wanted[name], v) for name, v in value.items() if wanted.get(name)
    }


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_fields_are_read_as_fastavro_reads_them(data):
    kind, values, wanted = data.draw(typed(kinds=["record"]))
    row, opened = data.draw(values), io.BytesIO()
    schema = fastavro.parse_schema(kind)
    fastavro.schemaless_writer(opened, schema, row)
    raw = opened.getvalue()
    theirs = only(wanted, fastavro.schemaless_reader(io.BytesIO(raw), schema))
    ours, end = reader_of(json.dumps(kind).encode(), wanted)(b"ab" + raw + b"c", 2)
    assert repr(ours) == repr(theirs)  # in which NaN is NaN
    assert end == 2 + len(raw)


@pytest.mark.parametrize(
    "hdu",
    [
        fits.PrimaryHDU(np.arange(12, dtype=">f4").reshape(3, 4)),
        fits.PrimaryHDU(np.arange(12, dtype=">i2").reshape(3, 4)),
        fits.PrimaryHDU(np.arange(12, dtype=">f8").reshape(3, 4)),
        fits.PrimaryHDU(np.arange(12, dtype=np.uint16).reshape(3, 4)),  # has BZERO
        fits.PrimaryHDU(
            np.ones((3, 4), ">f4"), fits.Header([(f"KEY{i}", i) for i in range(40)])
        ),
    ],
    ids=["plain", "int16", "float64", "scaled", "long header"],
)
def test_a_stamp_is_read_as_astropy_reads_it(hdu):
    opened = io.BytesIO()
    hdu.writeto(opened)
    stamp = read_stamp(gzip.compress(opened.getvalue()))
    assert stamp.dtype == np.float32
    np.testing.assert_array_equal(stamp, hdu.data.astype(np.float32))


def test_blocks_are_read_whatever_they_are_packed_with():
    schema = fastavro.parse_schema(ztf_packets.SCHEMA)
    blocks = []
    for candid in range(3):
        opened = io.BytesIO()
        fastavro.schemaless_writer(opened, schema, ztf_packets.packet(candid=candid))
        blocks.append((1, opened.getvalue()))

    def snappy(data):
        packed = pyarrow.Codec("snappy").compress(data, asbytes=True)
        return packed + struct.pack(">I", zlib.crc32(data))

    def deflate(data):
        return zlib.compress(data)[2:-4]

    def read(codec, pack):
        packed = [(count, pack(data)) for count, data in blocks]
        file = ztf_packets.framed(
            json.dumps(ztf_packets.SCHEMA).encode(), packed, codec=codec
        )
        wanted = {"objectId": True, "cutoutScience": {"stampData": True}}
        return list(
            read_packets(io.BytesIO(file), lambda schema: reader_of(schema, wanted))
        )

    plain = read(b"null", bytes)
    assert [packet.raw for packet in plain] == [data for _, data in blocks]
    for codec, pack in ((b"snappy", snappy), (b"deflate", deflate)):
        for packet, expected in zip(read(codec, pack), plain, strict=True):
            assert packet.row == expected.row
            assert packet.raw == expected.raw


def test_a_schema_of_other_types_than_wanted_is_refused():
    schema = json.dumps(ztf_packets.SCHEMA).encode()
    for wanted in (
        {"objectId": {"a": True}},
        {"candidate": True},
        {"candidate": [{"jd": True}]},
        {"prv_candidates": {"jd": True}},
        {"prv_candidates": True},
    ):
        with pytest.raises(
            RecordError, match="a selected field has the unexpected type"
        ):
            reader_of(schema, wanted)
