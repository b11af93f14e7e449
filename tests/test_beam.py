"""One process, several, or Beam: the same records and the same report."""

import json
from typing import ClassVar

import numpy as np
import pytest
import tensorflow_datasets as tfds
from support import commands

from data_builders import opening as preparing
from data_builders.engine.builder import REPORT_FILE, SurveyBuilder
from data_builders.engine.gather import gather_packets
from data_builders.engine.processes import read_in_order
from data_builders.engine.shuffle import DiskShuffler
from data_builders.opening import is_built, prepare
from jaxastro.data.record import Reading, record_from_example
from jaxastro.data.series import make_series_record
from jaxastro.surveys import SURVEYS

HITS = SURVEYS["hits"]
HOW = {
    "one process": {},
    "two processes": {"processes": 2},
    "Beam": {"beam_runner": "DirectRunner"},
}


def reading_of(name, seed, *, notes=()):
    flux = np.random.default_rng(seed).normal(120, 4, (3, 21, 21))
    mjd = 57070.123456789 + np.arange(3)
    record, _ = make_series_record(name, HITS, flux=flux, mjd=mjd, band=0, label="EB")
    return Reading(name, record, notes)


class FaultyData(SurveyBuilder):
    """All kinds of input: bad objects, repeated names, packets in several parts."""

    SURVEY = HITS
    DESCRIPTION = "For tests."
    BUILDER_CONFIGS: ClassVar = [tfds.core.BuilderConfig(name="all")]

    def parts(self, manual_dir):
        return list(range(6))

    def read_part(self, part):
        yield reading_of(f"whole{part}", part, notes=("a bit.",) if part == 2 else ())
        yield reading_of("again", 100 + part)  # of six equal names the first is kept
        yield Reading(f"part{part}@7", None, ("Broken: repair it.",), b"raw%d" % part)
        for i in range(3):
            yield f"star{(part + i) % 4}", (part, i)

    def assemble(self, object_id, packets):
        if object_id == "star3":
            return Reading(object_id, None, (f"{object_id}: no good.",), b"whole star")
        seed = sum(7 * part + i for part, i in packets)
        note = f"{len(packets)} packets: {packets}"
        return reading_of(object_id, seed, notes=(note,))


def build(data_dir, *, processes=1, beam_runner=""):
    builder = FaultyData(data_dir=data_dir, processes=processes)
    config = tfds.download.DownloadConfig(
        try_download_gcs=False, **preparing._beam(beam_runner, ())
    )
    builder.download_and_prepare(download_config=config)
    return builder


@pytest.fixture(scope="module", params=HOW, ids=list(HOW))
def built(request, tmp_path_factory):
    return build(tmp_path_factory.mktemp("built"), **HOW[request.param])


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return build(tmp_path_factory.mktemp("built"))


def test_the_records_are_the_same_in_the_same_order(built, plain):
    found = [record_from_example(e) for e in built.as_data_source("all")]
    expected = [record_from_example(e) for e in plain.as_data_source("all")]
    assert len(found) == 6 + 1 + 3
    for one, other in zip(found, expected, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_the_report_is_the_same_and_complete(built, plain):
    text = (built.data_path / REPORT_FILE).read_text()
    assert text == (plain.data_path / REPORT_FILE).read_text()
    found = json.loads(text)
    assert found["objects_read"] == 6 * 3 + 4
    assert found["objects_set_aside"] == 5 + 6 + 1
    assert found["classes"] == {"EB": 10}
    assert len(found["set_aside"]["again"]) == 5
    assert "its name occurs twice" in found["set_aside"]["again"][0]
    assert list(found["repaired"]) == ["whole2", "star0", "star1", "star2"]


def test_of_equal_names_the_first_is_kept(built):
    records = map(record_from_example, built.as_data_source("all"))
    kept = {record.object_id: record for record in records}["again"]
    np.testing.assert_array_equal(kept.flux, reading_of("again", 100).record.flux)


def test_the_bytes_of_what_was_set_aside_are_kept(built):
    kept = {path.read_bytes() for path in (built.data_path / "set_aside").iterdir()}
    assert kept == {b"whole star", *(b"raw%d" % part for part in range(6))}


@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
def test_a_simulated_survey_is_the_same_however_it_is_built(how, tmp_path, data_dir):
    plain = prepare("sdss_sn_sim/tiny", data_dir=data_dir)
    other = prepare("sdss_sn_sim/tiny", data_dir=str(tmp_path), **how)
    pairs = zip(plain.as_data_source("all"), other.as_data_source("all"), strict=True)
    for one, another in pairs:
        for name in one:
            np.testing.assert_array_equal(one[name], another[name])


class FaultsOnly(FaultyData):
    """No object can be read."""

    def read_part(self, part):
        yield Reading("bad", None, ("Object bad: no light.",))


@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
def test_a_build_without_a_record_fails_and_leaves_no_files(how, tmp_path):
    builder = FaultsOnly(data_dir=tmp_path, processes=how.get("processes", 1))
    config = tfds.download.DownloadConfig(
        **preparing._beam(how.get("beam_runner", ""), ())
    )
    with pytest.raises(Exception, match=r"None of 6 objects could be read.*no light"):
        builder.download_and_prepare(download_config=config)
    assert not is_built(builder)
    assert not list(tmp_path.glob("*/*/incomplete*"))


# -- several processes -----------------------------------------------------------------


def squares(part):
    yield from (part * part, part)


def failing(part):
    yield part
    raise ValueError(f"Part {part} is broken.")


def endless_from_one(part):
    yield part
    while part:
        yield part


def dying(part):
    yield part
    import os

    os._exit(9)


@pytest.mark.parametrize("processes", [1, 3])
def test_things_come_in_the_order_of_the_parts(processes, tmp_path):
    found = read_in_order(squares, range(20), processes=processes, folder=str(tmp_path))
    assert list(found) == [n for part in range(20) for n in (part * part, part)]
    assert not list(tmp_path.iterdir())


def test_an_error_in_another_process_arrives():
    with pytest.raises(ValueError, match="Part 0 is broken"):
        list(read_in_order(failing, range(4), processes=2))


def test_who_stops_listening_stops_the_processes(tmp_path):
    stream = read_in_order(
        endless_from_one, [0, *5 * [1]], processes=2, folder=str(tmp_path)
    )
    assert next(stream) == 0
    stream.close()
    assert not list(tmp_path.iterdir())


def test_a_killed_process_is_an_error_with_a_message():
    with pytest.raises(ValueError, match="Give fewer --processes"):
        list(read_in_order(dying, range(3), processes=2))


# -- the pieces ------------------------------------------------------------------------


def test_packets_meet_by_name_in_the_order_they_came():
    def together(name, packets):
        return Reading(name, None, (str(packets),))

    whole = Reading("whole", None, ("as it is",))
    things = [("b", 1), ("a", 2), whole, ("b", 0), ("\u00e9'; --", {"x": None})]
    found = list(gather_packets(iter(things), together))
    assert [(r.object_id, r.notes[0]) for r in found] == [
        ("whole", "as it is"),
        ("a", "[2]"),
        ("b", "[1, 0]"),
        ("\u00e9'; --", "[{'x': None}]"),
    ]


def test_the_shuffler_orders_as_the_one_of_tfds_does(tmp_path):
    from tensorflow_datasets.core.shuffle import Shuffler

    rng = np.random.default_rng(0)
    pairs = [(f"object{i}", rng.bytes(rng.integers(0, 50))) for i in range(300)]
    shuffler, expected = (
        kind(tmp_path, "objects") for kind in (DiskShuffler, Shuffler)
    )
    for key, data in pairs:
        shuffler.add(key, data)
        expected.add(key, data)
    assert shuffler.size == expected.size == sum(len(data) for _, data in pairs)
    assert (
        shuffler.num_examples
        == sum(shuffler.bucket_lengths)
        == expected.num_examples
        == 300
    )
    assert list(shuffler) == list(expected)


def test_a_data_set_larger_than_tfds_holds_in_memory_is_built(tmp_path, monkeypatch):
    # Beyond this size TFDS's own shuffler needs TensorFlow.
    monkeypatch.setattr(tfds.core.shuffle, "MAX_MEM_BUFFER_SIZE", 1000)
    assert len(build(tmp_path).as_data_source("all")) == 10


# -- preparing -------------------------------------------------------------------------


def test_files_of_a_killed_build_are_removed(tmp_path):
    left = tmp_path / "sdss_sn_sim" / "tiny" / "incomplete.ABC123_1.0.0"
    left.mkdir(parents=True)
    (left / "half.array_record").write_bytes(b"half")
    builder = prepare("sdss_sn_sim/tiny", data_dir=str(tmp_path))
    assert is_built(builder)
    assert not left.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "hist"}, "No builder named 'hist'. Known builders: asas"),
        ({"name": "hits/x"}, "Survey hits has no preset 'x'. Known presets: none"),
        ({"name": "hits", "processes": 0}, "0 processes"),
        ({"name": "hits", "beam_options": ["a=b"]}, "without a runner"),
    ],
)
def test_impossible_options_are_explained(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        prepare(**options, data_dir=str(tmp_path))


def test_without_beam_the_message_has_the_command_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setattr(preparing.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'jaxastro\[beam\]'"):
        prepare("hits", data_dir=str(tmp_path), beam_runner="DirectRunner")


def test_beam_is_loaded_only_if_it_is_requested(tmp_path):
    script = (
        "import sys\n"
        "from data_builders.opening import prepare\n"
        f"prepare('sdss_sn_sim/tiny', data_dir={str(tmp_path)!r})\n"
        "assert not {'apache_beam', 'tensorflow', 'jax'} & set(sys.modules)\n"
    )
    done = commands.python("-c", script)
    assert done.code == 0, done.stderr
