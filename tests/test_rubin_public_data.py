"""What Rubin itself sends: real alerts, and its public schemas and sample packets."""

import collections
import io
import json
import os
from pathlib import Path

import fastavro
import numpy as np
import pyarrow.parquet
import pytest
from astropy.io import fits
from support.rubin_packets import message_of

from data_builders.rubin import rubin_alerts
from data_builders.rubin.rubin_schemas import Schemas
from jaxastro.alerts import rubin, rubin_cutout
from jaxastro.surveys import SURVEYS

pytestmark = pytest.mark.skipif(
    "JAXASTRO_DATA" not in os.environ, reason="needs real alerts: set JAXASTRO_DATA"
)
FOLDER = Path(os.environ.get("JAXASTRO_DATA", "")) / "rubin_alerts"
TABLES = {"fink_rubin_sample_v10_0": 25, "fink_or4_v7_1": 50}
NAMES = [name for name, _ in SURVEYS["rubin_alerts"].columns]


def rows_of(name):
    return pyarrow.parquet.read_table(FOLDER / f"{name}.parquet").to_pylist()


def fitted(value, kind, named):
    """A broker's number or record with the types of the schema."""
    kind = named.get(kind, kind) if isinstance(kind, str) else kind
    if isinstance(kind, list):
        (real,) = (one for one in kind if one != "null")
        return None if value is None else fitted(value, real, named)
    if isinstance(kind, dict) and kind["type"] == "record":
        value = value or {}
        return {
            field["name"]: fitted(value.get(field["name"]), field["type"], named)
            for field in kind["fields"]
        }
    if isinstance(kind, dict) and kind["type"] == "array":
        return [fitted(item, kind["items"], named) for item in value]
    if isinstance(kind, dict):
        return fitted(value, kind["type"], named)
    if kind in ("int", "long"):
        return int(value or 0)
    if kind in ("float", "double"):
        return float("nan") if value is None else float(value)
    return value


def records_named(node):
    """Full name -> schema of each record that is written out in a schema."""
    if isinstance(node, list):
        return {k: v for part in node for k, v in records_named(part).items()}
    if not isinstance(node, dict):
        return {}
    found = records_named(node.get("items")) | records_named(node.get("type"))
    for field in node.get("fields", ()):
        found |= records_named(field["type"])
    if node.get("type") == "record":
        space = node.get("namespace", "")
        found[node["name"] if "." in node["name"] else f"{space}.{node['name']}"] = node
    return found


def test_all_alerts_are_read():
    readings = list(rubin_alerts.read(FOLDER))
    records = [reading.record for reading in readings]
    assert len(records) == 75
    assert not any(reading.notes for reading in readings)
    sizes = collections.Counter(record.stamp.shape[1] for record in records)
    assert sizes == {30: 65, 31: 1, 32: 2, 34: 1, 35: 1, 36: 1, 43: 1, 45: 2, 46: 1}
    kinds = collections.Counter(
        kind for record in records for kind in record.history_kind.tolist()
    )
    assert kinds == {0: 1858, 2: 50}
    assert sum(record.object_id.startswith("SSO") for record in records) == 3
    assert not any(record.bad_pixel.any() for record in records)
    assert rubin_alerts.recognises(FOLDER)


def test_the_widths_of_real_psfs_are_those_of_a_good_site():
    for reading in rubin_alerts.read(FOLDER):
        seeing = reading.record.metadata[:, NAMES.index("seeing")]
        assert ((seeing > 0.7) & (seeing < 1.5)).all()


@pytest.mark.parametrize("name", TABLES)
def test_real_cutouts_are_read_to_the_bits_that_astropy_reads(name):
    rows = rows_of(name)
    assert len(rows) == TABLES[name]
    for row in rows:
        for cutout in rubin.CUTOUTS:
            assert rubin_cutout._read_plain(row[cutout])
            read = rubin_cutout.read_cutout(row[cutout])
            with fits.open(io.BytesIO(row[cutout])) as hdus:
                named = {hdu.name: np.array(hdu.data) for hdu in hdus}
                header = hdus[0].header
            for ours, theirs in zip(read, named.values(), strict=False):
                assert ours.astype(theirs.dtype).tobytes() == theirs.tobytes()
            # The focal plane's angle is that of its middle, up to two degrees away.
            turn = (read.rotation - header.get("ROTPA", read.rotation) + 180) % 360
            assert abs(turn - 180) < 2


@pytest.mark.parametrize(
    ("name", "schema_id"),
    [
        ("fink_or4_v7_1", 704),
        *(("fink_rubin_sample_v10_0", number) for number in (800, 900, 1000, 1100)),
    ],
)
def test_real_alerts_come_back_from_the_wire_as_they_went(tmp_path, name, schema_id):
    expected = {
        r.object_id: r.record for r in rubin_alerts.read(FOLDER / f"{name}.parquet")
    }
    public = json.loads(Schemas((FOLDER / "schema",)).find(schema_id))
    schema, named = fastavro.parse_schema(public), records_named(public)
    (tmp_path / "schema").symlink_to(FOLDER / "schema")
    for number, row in enumerate(rows_of(name)):
        message = message_of(fitted(row, public, named), schema, schema_id)
        (tmp_path / f"{number}").write_bytes(message)
    readings = list(rubin_alerts.read(tmp_path))
    assert len(readings) == TABLES[name]
    for reading in readings:
        assert reading.record is not None, reading.notes
        pairs = zip(reading.record, expected[reading.object_id], strict=True)
        for field, (ours, theirs) in zip(reading.record._fields, pairs, strict=True):
            np.testing.assert_array_equal(ours, theirs, err_msg=field)


def test_the_sample_packet_of_every_public_schema_is_read_or_reported():
    for version in ("8/0", "9/0", "10/0", "11/0"):
        folder = FOLDER / "schema" / version / "sample_data"
        (reading,) = rubin_alerts.read(folder / "fakeAlert.avro")
        assert reading.object_id == "source281323062375219200"
        assert len(reading.record.history_mjd) == 3
        assert reading.record.bad_pixel.all()
    old = FOLDER / "schema" / "7" / "4" / "sample_data" / "fakeAlert.avro"
    (reading,) = rubin_alerts.read(old)  # its time is no modified Julian date
    assert "midpointMjdTai is 1480360995.0" in reading.notes[0]
