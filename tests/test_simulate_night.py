"""A simulated night on disk: the same alerts in every form, in order, with a past."""

import csv
import io
import tarfile

import fastavro
import numpy as np
import pytest
from support import commands

from data_builders.commands import simulate_night
from data_builders.ztf import ztf_alerts
from data_builders.ztf.ztf_alerts_sim import SHARE, packets_of
from jaxastro.alerts.ztf import CUTOUTS
from jaxastro.simulation.alerts import HISTORY_DAYS, KINDS
from jaxastro.simulation.night import alerts_of_night

FORMS = ("night.tar", "night.tar.gz", "night.tgz", "night.avro", "night")
OBJECTS, NIGHT = 12, 60123


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The same night in every form."""
    folder = tmp_path_factory.mktemp("nights")
    for name in FORMS:
        (folder / name).parent.mkdir(exist_ok=True)
        counted = simulate_night.write_night(
            folder / name, objects=OBJECTS, seed=5, night=NIGHT
        )
        truth = simulate_night.truth_of(folder / name)
        truth.replace(truth.with_name(f"{name}.csv"))
    return folder, counted


def packets_in(path):
    """Packets by fastavro, which knows nothing of ours."""
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


def test_every_form_holds_the_same_alerts_in_the_order_of_time(written):
    folder, (count, unseen) = written
    expected = packets_in(folder / "night.avro")
    days = [packet["candidate"]["jd"] for packet in expected]
    assert days == sorted(days)
    assert len(expected) == count >= OBJECTS - unseen
    for name in FORMS:
        assert packets_in(folder / name) == expected
        readings = list(ztf_alerts.read_each(folder / name))
        assert [int(r.object_id) for r in readings] == [p["candid"] for p in expected]
        assert all(reading.record is not None for reading in readings)
    assert not list(folder.glob("*.partial"))


def test_the_truth_of_each_alert_is_told_in_the_same_order(written):
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
    drawn = {packets[0]["objectId"]: kind for kind, packets in objects_of(seed=5)}
    assert kinds == drawn
    texts = {(folder / f"{name}.csv").read_text() for name in FORMS}
    assert len(texts) == 1


def objects_of(seed):
    found = (packets_of(number, seed=seed) for number in range(OBJECTS))
    return [(kind, packets) for kind, packets in found if packets]


def test_an_alert_of_the_night_is_one_of_its_object_on_another_date():
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


def test_nights_have_a_past_and_every_class():
    objects = [packets_of(number, seed=5) for number in range(40)]
    seen = [
        (KINDS[kind][0], packet)
        for number, (kind, packets) in enumerate(objects)
        if packets
        for packet in alerts_of_night(packets, NIGHT, number=number, seed=5)
    ]
    assert {name for name, _ in seen} == set(SHARE)
    past = [len(packet["prv_candidates"] or ()) for _, packet in seen]
    assert np.median(past) >= 5


@pytest.mark.parametrize("name", ["night.tar.gz", "night.avro"])
def test_the_same_wish_gives_the_same_bytes_by_one_process_or_two(
    written, tmp_path, name
):
    wish = {"objects": OBJECTS, "night": NIGHT, "processes": 2}
    simulate_night.write_night(tmp_path / name, seed=5, **wish)
    assert (tmp_path / name).read_bytes() == (written[0] / name).read_bytes()


def test_a_night_that_breaks_off_leaves_nothing(tmp_path, monkeypatch):
    kept = tmp_path / "night.tar"
    kept.write_bytes(b"of before")

    def encode(packet):
        raise OSError(28, "No space left on device")

    for name in FORMS:
        with monkeypatch.context() as patched:
            patched.setattr(simulate_night, "encode", encode)
            with pytest.raises(OSError, match="No space"):
                simulate_night.write_night(
                    tmp_path / name, objects=2, seed=5, night=NIGHT
                )
    (tmp_path / "night.partial").mkdir()  # of one that was killed
    (tmp_path / "night.partial" / "old.avro").write_bytes(b"old")
    assert kept.read_bytes() == b"of before"
    simulate_night.write_night(tmp_path / "night", objects=2, seed=5, night=NIGHT)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("night", "night.tar", "night.truth.csv")
    ]
    assert "old.avro" not in {path.name for path in (tmp_path / "night").iterdir()}


def test_it_runs_as_a_command_and_says_where_all_is(tmp_path):
    night = tmp_path / "a.night.tar.gz"
    wish = ("--objects", "3", "--night", "59901", "--output", night)
    done = commands.python("-m", "data_builders.commands.simulate_night", *wish)
    assert done.code == 0, done.stderr
    assert f"alerts of 3 objects written to {night}" in done.stdout
    assert str(tmp_path / "a.night.tar.gz.truth.csv") in done.stdout
    assert not done.stderr  # no bar where nobody looks
    assert len(truths(tmp_path / "a.night.tar.gz.truth.csv")) == len(packets_in(night))


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"objects": 0}, "--objects 0. A whole number from 1 to"),
        ({"seed": -1}, "--seed -1."),
        ({"night": 2459900}, "--night 2459900. A whole number from 50001 to 99999"),
        ({"output": "night.zip"}, "Give one that ends in .avro, .tar, .tar.gz, .tgz"),
        ({"output": "full"}, "is a folder that holds something"),
        ({"output": "none/night.tar"}, "cannot be written: No such file"),
    ],
)
def test_a_bad_wish_is_answered_in_words(tmp_path, capsys, wish, words):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").touch()
    wish = {"objects": 1, "output": "night.tar"} | wish
    wish["output"] = tmp_path / wish["output"]
    line = [f"--{name}={value}" for name, value in wish.items()]
    with pytest.raises(SystemExit):
        simulate_night.main(line)
    assert words in capsys.readouterr().err


def test_help_teaches(capsys):
    with pytest.raises(SystemExit):
        simulate_night.main(["--help"])
    text = capsys.readouterr().out
    assert "--objects 2000 --output night.tar.gz" in text
    assert "--each_alert" in text
