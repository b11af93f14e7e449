"""The command line of the data sets."""

import gzip
import io
import json
import os
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import commands

from data_builders import __main__ as command
from data_builders.commands import inspect_raw
from data_builders.commands.show_schema import markdown
from data_builders.commands.summary import MAX_REASONS, Summary, date_of, reason_of
from data_builders.engine.builder import REPORT_FILE
from data_builders.engine.file_type import describe_file
from data_builders.engine.printable import printable
from data_builders.engine.schema import COLUMNS, FURTHER, OBJECT, record_features
from data_builders.registry import BUILDERS
from data_builders.sdss import sdss_sn_sim
from jaxastro.data.record import RECORD_TYPES, Reading
from jaxastro.errors import InputError
from jaxastro.simulation.survey import PRESETS, simulate_object
from jaxastro.surveys import SURVEYS

SCHEMA_PAGE = commands.ROOT / "docs" / "schema.md"


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """A folder with raw objects of the simulated survey and three other files."""
    folder = tmp_path_factory.mktemp("raw")
    records = (simulate_object(i, seed=9, preset=PRESETS["tiny"]) for i in range(4))
    sdss_sn_sim.write_raw(folder / "four.npz", records)
    (folder / "notes.txt").write_text("a note\nand more\n")
    (folder / "table.csv").write_text("object;mjd\na;1\n")
    (folder / "unknown.bin").write_bytes(b"\x01\xff" * 99)
    return folder


def output_of(capsys, *arguments, code=0):
    assert command.main([str(a) for a in arguments]) == code
    return capsys.readouterr().out


def error_of(capsys, *arguments):
    assert command.main([str(a) for a in arguments]) == 2
    return capsys.readouterr().err


# -- what every sub-command does -------------------------------------------------------


@pytest.mark.parametrize("name", ["", *command.COMMANDS])
def test_help_teaches_by_examples(name, capsys):
    with pytest.raises(SystemExit) as end:
        command.main([*([name] if name else []), "--help"])
    text = capsys.readouterr().out
    assert end.value.code == 0
    assert f"python -m data_builders {name}" in text
    assert "examples:" in text
    assert all(len(line) <= 88 for line in text.splitlines())


def test_a_typing_error_ends_with_2_and_the_usage(capsys):
    for wrong in ([], ["biuld"], ["build"], ["build", "hits", "--procesess=2"]):
        with pytest.raises(SystemExit) as end:
            command.main(wrong)
        assert end.value.code == 2
        assert "usage:" in capsys.readouterr().err


def test_errors_are_one_sentence_and_debug_shows_where(capsys, tmp_path):
    text = error_of(capsys, "build", "hist", f"--data_dir={tmp_path}")
    assert text.startswith("No builder named 'hist'. Known builders: asas")
    assert len(text.splitlines()) == 1
    with pytest.raises(ValueError, match="No builder named 'hist'"):
        command.main(["build", "hist", "--debug"])


def test_it_runs_as_a_command_without_tensorflow_and_jax(tmp_path):
    options = ("sdss_sn_sim/tiny", f"--data_dir={tmp_path}")
    done = commands.python("-X", "importtime", "-m", "data_builders", "build", *options)
    assert done.code == 0, done.stderr
    assert "60 objects read" in done.stdout
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "tensorflow_datasets" in loaded
    assert not {"jax", "tensorflow", "apache_beam"} & loaded
    done = commands.python("-m", "data_builders", "build", "hist")
    assert done.code == 2
    assert "Traceback" not in done.stderr


# -- list, build, schema ---------------------------------------------------------------


def test_the_list_shows_what_is_there_and_what_is_missing(
    data_dir, capsys, monkeypatch, tmp_path
):
    monkeypatch.delenv("JAXASTRO_DATA", raising=False)
    command.main(["build", "sdss_sn_sim/tiny", f"--data_dir={data_dir}"])
    capsys.readouterr()
    rows = json.loads(output_of(capsys, "list", "--json", f"--data_dir={data_dir}"))
    rows = {row["name"]: row for row in rows}
    assert {row["survey"] for row in rows.values()} == set(BUILDERS)
    tiny, hits = rows["sdss_sn_sim/tiny"], rows["hits"]
    assert (tiny["raw_files"], tiny["built"]) == ("none", True)
    assert (hits["raw_files"], hits["built"], hits["kind"]) == (
        "missing",
        False,
        "series",
    )
    assert "HiTS_simulations" in hits["missing"]
    (tmp_path / "hits").mkdir()
    (tmp_path / "hits" / "hits_image_sequences.npz").touch()
    text = output_of(
        capsys, "list", f"--data_dir={data_dir}", f"--manual_dir={tmp_path}"
    )
    lines = {line.split()[0]: line.split() for line in text.splitlines() if line}
    assert lines["hits"][2] == "found"
    assert lines["sdss_sn_sim/tiny"][3].startswith(data_dir)
    assert lines["sdss_sn_sim/paper"][3] == "-"


def test_a_built_data_set_is_not_built_again(tmp_path, capsys):
    options = ("sdss_sn_sim/tiny", f"--data_dir={tmp_path}")
    text = output_of(capsys, "build", *options)
    assert "sdss_sn_sim/tiny is built:" in text
    assert "        13 SNIa\n" in text
    assert "0 set aside, 0 repaired: see" in text
    (report,) = tmp_path.rglob(REPORT_FILE)
    before = report.stat().st_mtime_ns
    assert "exists and is not built again" in output_of(capsys, "build", *options)
    assert report.stat().st_mtime_ns == before
    report.write_text("{}")
    assert "of an earlier version" in output_of(capsys, "build", *options)


def test_the_report_names_what_was_set_aside(tmp_path, capsys):
    images = np.random.default_rng(0).normal(120, 4, (6, 21, 21))
    np.savez(
        tmp_path / "hits_image_sequences.npz",
        images=images,
        offsets=[0, 3, 6],
        mjd=57070.0 + np.arange(6),
        name=np.array(["good", "bad\x1b[2J"]),
        label=np.array(["SN", "Quasar"]),
    )
    options = (f"--manual_dir={tmp_path}", f"--data_dir={tmp_path / 'built'}")
    text = output_of(capsys, "build", "hits", *options)
    assert "1 set aside" in text
    assert "unknown class 'Quasar'" in text
    assert "bad\\x1b[2J" in text
    assert "\x1b" not in text


def test_a_refusal_shows_no_control_code_of_a_file(capsys, monkeypatch):
    def refuse(given):
        raise InputError("Object a\x1b[2J: no light.\nRemove it.")

    monkeypatch.setattr("data_builders.commands.build.run", refuse)
    assert (
        error_of(capsys, "build", "hits") == "Object a\\x1b[2J: no light.\nRemove it.\n"
    )


def test_columns_are_described_once_for_tfds_the_page_and_the_command(capsys):
    page = SCHEMA_PAGE.read_text()
    for columns in (OBJECT, *FURTHER.values()):
        assert markdown(columns) in page
    for kind, columns in COLUMNS.items():
        assert set(columns) == set(RECORD_TYPES[kind]._fields)
        assert markdown(columns) in output_of(capsys, "schema", kind)
    survey = SURVEYS["hits"]
    features = record_features(survey)
    assert list(features) == list(RECORD_TYPES["series"]._fields)
    assert features["flux"].doc.desc == "flux of each pixel [ADU per pixel]"
    found = json.loads(output_of(capsys, "schema", "hits", "--json"))
    assert found["schema"]["mjd"]["unit"] == "d"
    assert found["bands"] == ["g"]
    assert "Surveys: " in error_of(capsys, "schema", "nonsense")


# -- inspect: what raw data are --------------------------------------------------------


def test_raw_data_of_a_survey_are_read_and_counted(raw, capsys):
    found = json.loads(output_of(capsys, "inspect", raw / "four.npz", "--json"))
    assert found["recognised_by"] == ["sdss_sn_sim"]
    (what,) = found["found"]
    assert (what["objects"], what["records"], what["set_aside"]) == (4, 4, 0)
    assert what["kind"] == "series"
    assert what["image_sizes"] == {"32x32": 4}
    assert set(what["bands"]) == set("ugriz")
    assert sum(what["labels"].values()) == what["with_position"] == 4
    assert what["dates"][0].startswith("200")
    text = output_of(capsys, "inspect", raw / "four.npz", "--objects=2")
    assert "a zip archive, such as npz: " in text
    assert "         2 records" in text


def test_a_folder_is_examined_file_by_file(raw, capsys):
    found = json.loads(output_of(capsys, "inspect", raw, "--json"))
    assert found["files"] == 4
    assert found["file_types"]["a table as text"] == 1
    assert found["recognised_by"] == ["sdss_sn_sim"]
    assert "         1 a table as text" in output_of(capsys, "inspect", raw)


def test_an_unknown_file_is_described_and_ends_with_1(raw, capsys):
    text = output_of(capsys, "inspect", raw / "unknown.bin", code=1)
    assert "of unknown type, first bytes 01 ff 01" in text
    assert "In no survey's format. Known surveys: asas" in text
    assert "does not exist" in error_of(capsys, "inspect", raw / "gone")
    assert "No survey named 'x'" in error_of(capsys, "inspect", raw, "--survey=x")


def test_reasons_are_counted_by_kind_and_shown_without_control_codes(
    tmp_path, capsys, monkeypatch
):
    def read(path):
        for i in range(300):
            note = f"Object bad{i}\x1b]0;owned\x07: {i} epochs too many. Drop them."
            yield Reading(f"bad{i}", None, (note,))
        yield Reading("other", None, ("Object other: no light.",))
        raise RuntimeError("the \x1b[31mdisk\u202e is gone")

    monkeypatch.setattr("data_builders.hits.hits.read", read)
    path = tmp_path / "file"
    path.write_bytes(b"")
    text = output_of(capsys, "inspect", path, "--survey=hits", "--reasons=1", code=1)
    assert "       300 such as: Object bad0" in text
    assert "and 1 further reasons" in text
    assert "Reading stopped. file: RuntimeError: the \\x1b[31mdisk\\u202e is" in text
    assert not {"\x1b", "\x07", "\u202e"} & set(text)


def test_memory_for_counts_has_a_limit():
    summary = Summary(SURVEYS["hits"])
    letters = [chr(0x4E00 + i) for i in range(MAX_REASONS + 50)]
    for letter in letters:
        summary.add(Reading("x", None, (f"{letter} is wrong.",)))
    answer = summary.counts()
    assert len(answer["reasons_set_aside"]) == MAX_REASONS
    assert answer["further_reasons"] == 50
    assert answer["set_aside"] == len(letters)


def test_equal_reasons_are_one_whatever_names_and_numbers_they_hold():
    one = reason_of("Object a7: 3 of 12 epochs, -1.5e+03 ADU.", "a7")
    other = reason_of("Object b: 44 of 2 epochs, 2 ADU.", "b")
    assert one == other == "Object ...: N of N epochs, N ADU."
    assert date_of(51544.5) == "2000-01-01"
    assert date_of(1e12) == "no calendar date"


def test_letters_that_act_are_spelled_out():
    assert printable("a\x1b[2J\n\u202e\ud800 é") == "a\\x1b[2J\\n\\u202e\\ud800 é"
    assert printable("x" * 400) == "x" * 300 + "..."


KINDS_OF_FILES = {
    "a FITS file: first image of 63 x 63 pixels": b"SIMPLE  =   T".ljust(80)
    + b"".join(
        card.ljust(80)
        for card in (b"BITPIX  = -32", b"NAXIS = 2", b"NAXIS1 = 63", b"NAXIS2 = 63")
    ),
    "an Avro container": b"Obj\x01\x04",
    "an HDF5 file": b"\x89HDF\r\n\x1a\n",
    "data compressed by gzip: a table as text: a,b": gzip.compress(b"a,b\n1,2\n"),
    "perhaps one message of an alert stream": b"\x00\x00\x00\x04\x4c\x02\x80",
    "an empty file": b"",
    "a web page or XML": b"\n<!DOCTYPE html><html>404</html>",
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1",
    "text, perhaps JSON: {": b'{\n "a": 1}\n',
    "a zip archive, such as npz, damaged": b"PK\x03\x04nonsense",
    "a Parquet table, damaged": b"PAR1nonsense",
    "a PNG picture": b"\x89PNG\r\n",
}


@pytest.mark.parametrize(
    ("kind", "content"), KINDS_OF_FILES.items(), ids=list(KINDS_OF_FILES)
)
def test_file_types_are_found_from_the_first_bytes(kind, content, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content)
    assert describe_file(path).startswith(kind)


def test_content_of_arrays_and_archives_is_described(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 4)))
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(tmp_path / "a.npy", "b")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for i in range(9):
            archive.writestr(f"file{i}", "x")
    assert (
        describe_file(tmp_path / "a.npy") == "a NumPy array: shape (3, 4), type float64"
    )
    assert describe_file(tmp_path / "a.tar") == "a tar archive"
    assert describe_file(tmp_path / "a.zip").endswith("file3, file4 and 4 more")


def test_a_pipe_is_not_waited_for(tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe")
    assert "neither a file" in output_of(capsys, "inspect", tmp_path / "pipe", code=1)
    assert "neither a file" in output_of(capsys, "inspect", tmp_path, code=1)


# -- inspect: hostile bytes ------------------------------------------------------------


def inspected(folder, content, suffix=""):
    path = Path(folder) / f"file{suffix}"
    path.write_bytes(content)
    answer = inspect_raw.inspect(path)
    assert json.loads(json.dumps(answer))["path"] == str(path)
    return answer


def damaged(data, complete):
    """A truncated file with a few changed bytes."""
    content = bytearray(complete[: data.draw(st.integers(0, len(complete)))])
    for _ in range(data.draw(st.integers(0, 4))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(
                st.integers(0, 255)
            )
    return bytes(content)


QUIET = settings(
    deadline=20_000,  # milliseconds: none may take for ever
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.filterwarnings("ignore::UserWarning")  # astropy's, of damaged files
@QUIET
@given(
    content=st.binary(max_size=600),
    start=st.sampled_from([b"", *KINDS_OF_FILES.values()]),
    suffix=st.sampled_from([".fits", ".avro", ".csv", ".npz", ".tar.gz", ".parquet"]),
)
def test_no_bytes_make_it_raise(content, start, suffix, tmp_path):
    inspected(tmp_path, start + content, suffix)


@pytest.fixture(scope="module")
def complete_files(raw):
    """Small files of several kinds."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as file:
        file.add(raw / "table.csv", "table.csv")
    plain = io.BytesIO()
    np.savez(plain, images=np.zeros((1, 21, 21)), offsets=[0, 1], mjd=[1.0], name=["a"])
    return {
        ".npz": plain.getvalue(),
        ".tar.gz": archive.getvalue(),
        ".fits": KINDS_OF_FILES["a FITS file: first image of 63 x 63 pixels"].ljust(
            2880
        ),
        ".csv": b"object,file,mjd,band\na,b.fits,1,g\n",
    }


@pytest.mark.filterwarnings("ignore::UserWarning")  # astropy's, of damaged files
@QUIET
@given(data=st.data())
def test_no_damage_makes_it_raise(data, complete_files, tmp_path):
    suffix = data.draw(st.sampled_from(sorted(complete_files)))
    inspected(tmp_path, damaged(data, complete_files[suffix]), suffix)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.slow
def test_truncated_real_files_are_reported(tmp_path):
    if not os.environ.get("JAXASTRO_DATA"):
        pytest.skip("JAXASTRO_DATA is not set: no real files to cut")
    files = sorted(Path(os.environ["JAXASTRO_DATA"]).rglob("*.*"))
    for path in (p for p in files if p.is_file() and p.stat().st_size < 3e6):
        content = path.read_bytes()
        for size in (len(content) // 2, max(len(content) - 9, 0)):
            inspected(tmp_path, content[:size], "".join(path.suffixes))
