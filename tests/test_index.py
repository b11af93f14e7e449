"""The index of a data set is used only if it matches its files."""

import contextlib
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from hypothesis import given, settings
from hypothesis import strategies as st

from data_builders import opening as prepare_module
from data_builders.engine import index
from data_builders.engine.index import INDEX_FILE, index_from, index_of, read_index
from data_builders.opening import prepare

NAME = "sdss_sn_sim/tiny"


@pytest.fixture(scope="module")
def built(data_dir):
    return prepare(NAME, data_dir=data_dir)


@pytest.fixture
def copy(built, tmp_path):
    """The data set in a folder of its own, with the times of its files."""
    shutil.copytree(Path(built.data_dir).parents[2], tmp_path / "data")
    return prepare(NAME, data_dir=str(tmp_path / "data"))


def file_of(builder):
    return Path(builder.data_dir) / INDEX_FILE


def assert_same(one, other):
    for name, a, b in zip(one._fields, one, other, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)


def test_a_build_writes_the_index_of_all_records(built, monkeypatch):
    found = index_from(built.as_data_source(split="all"))
    assert len(found.label) == built.info.splits["objects"].num_examples
    monkeypatch.setattr(index, "index_from", None)  # whoever reads all records fails
    assert_same(index_of(built), found)


def test_others_read_the_data_set_as_before(copy):
    source = tfds.builder_from_directory(copy.data_dir).as_data_source("objects")
    assert_same(index_from(source), index_of(copy))


def test_a_data_set_without_an_index_is_read_once(copy, capsys):
    before = index_of(copy)
    file_of(copy).unlink()
    assert_same(index_of(copy), before)
    words = f"{NAME}/1.0.0: it has no index.npz. All objects are read, once."
    assert words in capsys.readouterr().err
    assert_same(index_of(copy), before)
    assert not capsys.readouterr().err


def touch(shard):
    os.utime(shard, (0, 0))


def grow(shard):
    time = shard.stat().st_mtime
    shard.write_bytes(shard.read_bytes() + b"1")
    os.utime(shard, (time, time))


def change_one_bit_near_the_end(shard):
    time, content = shard.stat().st_mtime, bytearray(shard.read_bytes())
    content[-1000] ^= 1
    shard.write_bytes(content)
    os.utime(shard, (time, time))


@pytest.mark.parametrize("change", [touch, grow, change_one_bit_near_the_end])
def test_an_index_of_other_files_is_noticed(copy, change):
    assert read_index(copy)[0] is not None
    change(Path(copy.info.splits["objects"].filepaths[0]))
    found, reason = read_index(copy)
    assert found is None
    assert reason.endswith("belongs to other files")


def test_an_index_of_other_objects_is_made_again(copy, capsys):
    right = index_of(copy)
    wrong = right._replace(label=np.roll(right.label, 1))
    with np.load(file_of(copy)) as file:
        np.savez(file_of(copy), checksum=file["checksum"], **wrong._asdict())
    assert_same(index_of(copy), right)
    assert "belongs to other files" in capsys.readouterr().err
    assert_same(read_index(copy)[0], right)


def test_a_damaged_index_is_never_used(copy):
    right, path = index_of(copy), file_of(copy)
    content = path.read_bytes()

    @settings(max_examples=60, deadline=None)
    @given(place=st.integers(0, len(content) - 1), bit=st.integers(0, 8))
    def damage(place, bit):
        torn = bytearray(content)
        if bit == 8:
            del torn[place:]
        else:
            torn[place] ^= 1 << bit
        path.write_bytes(torn)
        found, reason = read_index(copy)
        if found is None:
            assert INDEX_FILE in reason
        else:  # a date of the archive or the like: nothing that is read
            assert_same(found, right)

    damage()


def test_an_index_that_cannot_be_stored_is_reported(copy, capsys, monkeypatch):
    file_of(copy).unlink()

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    assert len(index_of(copy).label)
    assert (
        "could not be stored for the next start: [Errno 13]" in capsys.readouterr().err
    )
    assert not file_of(copy).exists()


def test_a_part_of_a_survey_is_its_first_objects(built, tmp_path):
    part = index_of(prepare(NAME, data_dir=str(tmp_path), most=5))
    assert len(part.label) == 5
    assert set(part.object_id) < set(index_of(built).object_id)


def test_who_waited_for_another_process_to_build_opens_what_that_one_built(
    tmp_path, monkeypatch
):
    @contextlib.contextmanager
    def after_another(builder):
        monkeypatch.undo()
        prepare(NAME, data_dir=str(tmp_path))
        yield

    monkeypatch.setattr(prepare_module, "_build_lock", after_another)
    builder = prepare(NAME, data_dir=str(tmp_path))
    assert len(index_of(builder, quiet=True).object_id) == len(
        builder.as_data_source("all")
    )
