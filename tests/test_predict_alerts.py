"""Predictions alert by alert: from any source, to any kind of file."""

import csv
import io
import sys
import tarfile
import types

import fastavro
import jax
import jax.numpy as jnp
import numpy as np
import pyarrow.parquet as pq
import pytest
from support import runs
from support.ztf_packets import container, packet

from configs import convention
from data_builders.ztf import ztf_alerts
from jaxastro.runs import train
from jaxastro.runs.model_building import build_method
from jaxastro.runs.prediction_table import prediction_writer
from jaxastro.runs.spec import read_spec
from jaxastro.runs.task import example_maker, read_task
from jaxastro.training import sharding

CLASSES = ("AGN", "SN", "VS", "Asteroid", "Bogus")


@pytest.fixture
def workdir(alert_run):
    return alert_run


@pytest.fixture(scope="module")
def packets():
    """Five alerts of three objects."""
    return [packet(f"ZTF18abcdef{'aabbc'[n]}", n + 1, days=n) for n in range(5)]


def predicted(workdir, raw, output, each_alert=True):
    report = output.with_suffix(".json")
    count = runs.predict(workdir, raw, output, report=report, each_alert=each_alert)
    return count, output


def rows_of(path):
    return list(csv.DictReader(path.open(newline="")))


def test_each_alert_has_a_row_and_each_object_one(workdir, packets, tmp_path):
    night = tmp_path / "night.avro"
    night.write_bytes(container(*packets))
    count, alerts = predicted(workdir, night, tmp_path / "alerts.csv")
    rows = rows_of(alerts)
    assert count == len(rows) == 5
    assert [int(row["alert_id"]) for row in rows] == [1, 2, 3, 4, 5]
    assert [float(row["mjd"]) for row in rows] == [59000.0 + n for n in range(5)]
    count, objects = predicted(
        workdir, night, tmp_path / "objects.csv", each_alert=False
    )
    assert count == 3
    # Of an object the first alert is classified: the same stamps, the same result.
    first = {row["object_id"]: row for row in reversed(rows)}
    for row in rows_of(objects):
        for name in CLASSES:
            expected = float(first[row["object_id"]][f"p_{name}"])
            assert float(row[f"p_{name}"]) == pytest.approx(expected, abs=2e-6)


def test_a_file_a_folder_a_tar_and_standard_input_give_the_same(
    workdir, packets, tmp_path, monkeypatch
):
    folder = tmp_path / "folder"
    folder.mkdir()
    for n, one in enumerate(packets):
        (folder / f"{n}.avro").write_bytes(container(one))
    night = tmp_path / "night.tar.gz"
    with tarfile.open(night, "w:gz") as tar:
        tar.add(folder, "night")
    _, expected = predicted(workdir, night, tmp_path / "tar.csv")
    _, of_folder = predicted(workdir, folder, tmp_path / "folder.csv")
    assert of_folder.read_text() == expected.read_text()
    # A pipe: it can be read once, and has no size.
    for data in (night.read_bytes(), container(*packets)):
        pipe = types.SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(data)))
        monkeypatch.setattr(sys, "stdin", pipe)
        _, piped = predicted(workdir, "-", tmp_path / "pipe.csv")
        assert piped.read_text() == expected.read_text()


def test_csv_parquet_and_avro_hold_the_same_rows(workdir, packets, tmp_path):
    night = tmp_path / "night.avro"
    night.write_bytes(container(*packets))
    names = [tmp_path / f"new.{kind}" for kind in ("csv", "parquet", "avro")]
    for name in names:
        predicted(workdir, night, name)
    table = pq.read_table(names[1]).to_pylist()
    with names[2].open("rb") as file:
        messages = list(fastavro.reader(file))
    assert len(table) == len(messages) == 5
    for row, flat, message in zip(rows_of(names[0]), table, messages, strict=True):
        assert list(row) == list(flat)
        assert sum(message["probability"].values()) == pytest.approx(1)
        for name in CLASSES:
            p = message["probability"][name]
            assert flat[f"p_{name}"] == p
            assert float(row[f"p_{name}"]) == pytest.approx(p, abs=1e-6)
        for name in ("object_id", "alert_id", "predicted", "mjd"):
            assert str(flat[name]) == str(message[name])


def test_damage_in_the_middle_of_a_night_loses_no_other_alert(
    workdir, packets, tmp_path
):
    night, rng = tmp_path / "night.avro", np.random.default_rng(0)
    clean = container(*packets)
    night.write_bytes(clean)
    _, whole = predicted(workdir, night, tmp_path / "whole.csv")
    expected = {row["alert_id"]: row for row in rows_of(whole)}
    broken = packet("ZTF18abcdefz", 99, stamps=[b"no FITS"] * 3)
    night.write_bytes(container(*packets[:2], broken, *packets[2:]))
    count, output = predicted(workdir, night, tmp_path / "new.csv")
    assert count == 5
    assert {row["alert_id"]: row for row in rows_of(output)} == expected
    assert "99" not in output.read_text().split("object_id")[0]
    report = output.with_suffix(".json").read_text()
    assert '"objects_set_aside": 1' in report
    for _ in range(20):  # one packet's stamps, damaged at random
        raw = bytearray(clean)
        at = rng.integers(len(raw) * 2 // 5, len(raw) * 3 // 5)
        raw[at : at + 8] = rng.bytes(8)
        night.write_bytes(raw)
        readings = list(ztf_alerts.read_each(night))
        found = {r.object_id for r in readings if r.record is not None}
        assert {"1"} <= found  # those before it
        assert len(found) >= 3


def test_without_objects_the_file_has_no_rows(tmp_path):
    for kind in ("csv", "parquet", "avro"):
        with prediction_writer(tmp_path / f"a.{kind}"):
            pass
        assert (tmp_path / f"a.{kind}").exists()
    assert pq.read_table(tmp_path / "a.parquet").num_rows == 0


@pytest.mark.parametrize("name", ["a.txt", "a", "folder.csv"])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_read(
    name, workdir, tmp_path
):
    (tmp_path / "folder.csv").mkdir()
    words = runs.error_message(
        predicted, workdir, tmp_path / "no.avro", tmp_path / name
    )
    assert ".csv, .parquet, .avro" in words


def test_single_alerts_of_a_survey_without_alerts_are_refused(data_dir, tmp_path):
    train(runs.smoke(convention.get_config), tmp_path / "run", data_dir=data_dir)
    words = runs.error_message(
        predicted, tmp_path / "run", tmp_path, tmp_path / "a.csv"
    )
    assert "--each_alert" in words
    assert "ztf_alerts" in words


def test_what_a_packet_becomes_and_its_probabilities_are_pinned(workdir):
    """From the bytes of a packet to a probability, as it is served."""
    (reading,) = ztf_alerts.read_each(
        None, io.BytesIO(container(packet(candid=7, magpsf=18.25)))
    )
    spec, task = read_spec(workdir), read_task(workdir)
    columns = [name for name, _ in task.survey.columns]
    ranks = np.tile(np.linspace(-5, 25, 65), len(columns)).tolist()
    task = task._replace(statistics={"softening": [1.0] * 3, "feature_ranked": ranks})
    example = example_maker(spec, task, max_epochs=1)(reading.record)
    assert example.stamp.shape == (1, 21, 21, 3)
    golden = example.stamp[0, [0, 10, 20], [3, 10, 17]]
    np.testing.assert_allclose(golden, GOLDEN_STAMP, atol=1e-5)
    known = example.metadata_mask[0]
    assert [columns[k] for k in np.flatnonzero(known)] == GOLDEN_KNOWN
    magnitude = example.metadata[0, columns.index("magpsf")]
    assert magnitude == pytest.approx(GOLDEN_MAGNITUDE, abs=1e-5)
    method = build_method(spec, task, sharding.make_mesh())
    inputs = jax.tree.map(lambda a: jnp.array(a)[None], example)
    state = method.init(jax.random.key(0), inputs)
    probability = jax.nn.softmax(method.predict(state, inputs).logits[0])
    np.testing.assert_allclose(probability, GOLDEN_PROBABILITY, atol=1e-4)


GOLDEN_STAMP = [
    [0.339408, 0.601457, 0.312150],
    [0.646785, 0.680747, 0.692627],
    [0.472264, 0.490865, 0.198826],
]
GOLDEN_KNOWN = ["magpsf", "sigmapsf", "diffmaglim", "isdiffpos", "sgscore1"]
GOLDEN_MAGNITUDE = np.sqrt(3) * (2 * 23.25 / 30 - 1)  # of -5 to 25
GOLDEN_PROBABILITY = [0.215657, 0.185839, 0.180859, 0.200405, 0.217240]
