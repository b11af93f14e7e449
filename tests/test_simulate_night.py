"""A simulated night on disk: the same alerts in every format, in order of time."""

import csv
import io
import tarfile

import fastavro
import numpy as np
import pytest
from support import commands

from data_builders import __main__ as command
from data_builders.commands import simulate_night
from data_builders.ztf import ztf_alerts
from data_builders.ztf.ztf_alerts_sim import SHARE, packets_of
from jaxastro.alerts.ztf import CUTOUTS
from jaxastro.simulation.alerts import HISTORY_DAYS, KINDS
from jaxastro.simulation.night import alerts_of_night

FORMATS = ("night.tar", "night.tar.gz", "night.tgz", "night.avro", "night")
OBJECTS, NIGHT = 12, 60123


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The same night in every format."""
    folder = tmp_path_factory.mktemp("nights")
    for name in FORMATS:
        (folder / name).parent.mkdir(exist_ok=True)
        counted = simulate_night.write_night(
            folder / name, objects=OBJECTS, seed=5, night=NIGHT
        )
        truth = simulate_night.truth_path(folder / name)
        truth.replace(truth.with_name(f"{name}.csv"))
    return folder, counted


def packets_in(path):
    """Packets read by fastavro, an independent reader."""
    if path.is_dir():
        files = [file.read_bytes() for file in sorted(path.iterdir())]
    elif path.suffix == ".avro":
        files = [path.read_bytes()]
    else:
        with tarfile.open(path) as tar:
            files = [tar.extractfile(member).read() for member in tar]
    return [packet for file in files for packet in fastavro.reader(io.BytesIO(file))]


def truths(path):
    return list(csv.DictReader(path.open(newline="")))


def test_every_format_holds_the_same_alerts_in_order_of_time(written):
    folder, (count, undetected) = written
    expected = packets_in(folder / "night.avro")
    days = [packet["candidate"]["jd"] for packet in expected]
    assert days == sorted(days)
    assert len(expected) == count >= OBJECTS - undetected
    for name in FORMATS:
        assert packets_in(folder / name) == expected
        readings = list(ztf_alerts.read_each(folder / name))
        assert [int(r.object_id) for r in readings] == [p["candid"] for p in expected]
        assert all(reading.record is not None for reading in readings)
    assert not list(folder.glob("*.partial"))


def test_the_table_of_true_classes_has_the_order_of_the_alerts(written):
    folder, _ = written
    rows = truths(folder / "night.avro.csv")
    packets = packets_in(folder / "night.avro")
    assert [(row["object_id"], int(row["alert_id"])) for row in rows] == [
        (packet["objectId"], packet["candid"]) for packet in packets
    ]
    kinds = {row["object_id"]: row["kind"] for row in rows}
    for row in rows:
        assert row["class"] == KINDS[row["kind"]][0]
        assert row["class"] in SHARE
    expected = {packets[0]["objectId"]: kind for kind, packets in objects_of(seed=5)}
    assert kinds == expected
    texts = {(folder / f"{name}.csv").read_text() for name in FORMATS}
    assert len(texts) == 1


def objects_of(seed):
    found = (packets_of(number, seed=seed) for number in range(OBJECTS))
    return [(kind, packets) for kind, packets in found if packets]


def test_alerts_of_a_night_are_moved_by_whole_days():
    for number in range(OBJECTS):
        _, packets = packets_of(number, seed=5)
        moved = alerts_of_night(packets, NIGHT, number=number, seed=5)
        assert moved
        before = {packet["candid"]: packet for packet in packets}
        for packet in moved:
            same, now = before[packet["candid"]], packet["candidate"]
            days = now["jd"] - same["candidate"]["jd"]
            assert days == round(days)
            assert NIGHT <= now["jd"] - 2400000.5 < NIGHT + 1
            for name in ("jdstarthist", "jdendhist"):
                assert now[name] - same["candidate"][name] == days
            rows = packet["prv_candidates"] or []
            ages = np.array([now["jd"] - row["jd"] for row in rows])
            assert ((ages > 0) & (ages <= HISTORY_DAYS)).all()
            assert len(rows) == len(same["prv_candidates"] or [])
            assert all(packet[name] == same[name] for name in CUTOUTS)
            changed = {k for k in now if now[k] != same["candidate"][k]}
            assert changed <= {"jd", "jdstarthist", "jdendhist"}


def test_nights_have_histories_and_every_class():
    objects = [packets_of(number, seed=5) for number in range(40)]
    seen = [
        (KINDS[kind][0], packet)
        for number, (kind, packets) in enumerate(objects)
        if packets
        for packet in alerts_of_night(packets, NIGHT, number=number, seed=5)
    ]
    assert {name for name, _ in seen} == set(SHARE)
    lengths = [len(packet["prv_candidates"] or ()) for _, packet in seen]
    assert np.median(lengths) >= 5


@pytest.mark.parametrize("name", ["night.tar.gz", "night.avro"])
def test_the_bytes_do_not_depend_on_the_number_of_processes(written, tmp_path, name):
    simulate_night.write_night(
        tmp_path / name, objects=OBJECTS, seed=5, night=NIGHT, processes=2
    )
    assert (tmp_path / name).read_bytes() == (written[0] / name).read_bytes()


def test_an_error_leaves_no_output(tmp_path, monkeypatch):
    kept = tmp_path / "night.tar"
    kept.write_bytes(b"of before")

    def encode(packet):
        raise OSError(28, "No space left on device")

    for name in FORMATS:
        with monkeypatch.context() as patched:
            patched.setattr(simulate_night, "encode", encode)
            with pytest.raises(OSError, match="No space"):
                simulate_night.write_night(
                    tmp_path / name, objects=2, seed=5, night=NIGHT
                )
    (tmp_path / "night.partial").mkdir()  # left by a killed process
    (tmp_path / "night.partial" / "old.avro").write_bytes(b"old")
    assert kept.read_bytes() == b"of before"
    simulate_night.write_night(tmp_path / "night", objects=2, seed=5, night=NIGHT)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["night", "night.tar", "night.truth.csv"]
    assert "old.avro" not in {path.name for path in (tmp_path / "night").iterdir()}


def test_the_command_prints_the_paths(tmp_path):
    night = tmp_path / "a.night.tar.gz"
    options = ("--objects", "3", "--night", "59901", "--output", night)
    done = commands.python("-m", "data_builders", "simulate-night", *options)
    assert done.code == 0, done.stderr
    assert f"alerts of 3 objects written to {night}" in done.stdout
    assert str(tmp_path / "a.night.tar.gz.truth.csv") in done.stdout
    assert not done.stderr  # no progress bar without a terminal
    assert len(truths(tmp_path / "a.night.tar.gz.truth.csv")) == len(packets_in(night))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objects": 0}, "objects is 0. A whole number from 1 to"),
        ({"seed": -1}, "seed is -1."),
        ({"night": 2459900}, "night is 2459900. A whole number from 50001 to 99999"),
        ({"output": "night.zip"}, "A file that ends in .avro, .tar, .tar.gz, .tgz"),
        ({"output": "full"}, "is a folder that contains files"),
        ({"output": "none/night.tar"}, "cannot be written: No such file"),
    ],
)
def test_wrong_options_are_explained(tmp_path, capsys, options, message):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").touch()
    options = {"objects": 1, "output": "night.tar"} | options
    options["output"] = tmp_path / options["output"]
    line = [f"--{name}={value}" for name, value in options.items()]
    try:
        code = command.main(["simulate-night", *line])
    except SystemExit as end:  # of the parser of the command line
        code = end.code
    assert code == 2
    assert message in capsys.readouterr().err


def test_help_teaches(capsys):
    with pytest.raises(SystemExit):
        command.main(["simulate-night", "--help"])
    text = capsys.readouterr().out
    assert "--objects=2000 --output=night.tar.gz" in text
    assert "--each_alert" in text
