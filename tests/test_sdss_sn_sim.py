import subprocess
import sys

import numpy as np
import pytest

import data_builders
from data_builders.commands import new_objects
from data_builders.sdss import sdss_sn_sim
from jaxastro.data.record import record_from_example
from jaxastro.data.series import SeriesRecord
from jaxastro.simulation import survey

TINY = survey.PRESETS["tiny"]
REPOSITORY = __file__.rsplit("/tests/", 1)[0]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    builder = data_builders.builder(
        "sdss_sn_sim/tiny", data_dir=tmp_path_factory.mktemp("tensorflow_datasets")
    )
    builder.download_and_prepare()
    return builder


def assert_same(one: SeriesRecord, other: SeriesRecord):
    for name, a, b in zip(SeriesRecord._fields, one, other, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype, name


def test_records_come_back_bit_for_bit(built):
    made = [
        survey.simulate_object(number, seed=0, preset=TINY)
        for number in range(TINY.objects)
    ]
    made = {record.object_id: record for record in made}
    source = built.as_data_source(split="all")
    assert len(source) == len(made) == TINY.objects
    for example in source:
        record = record_from_example(example)
        assert record.mjd.dtype == np.float64
        assert_same(record, made[record.object_id])


def test_tiny_objects_have_some_ten_epochs_and_all_classes(built):
    records = [record_from_example(e) for e in built.as_data_source(split="all")]
    epochs = [len(record.mjd) for record in records]
    assert min(epochs) >= 9
    assert max(epochs) <= 15
    assert {record.truth for record in records} == set(sdss_sn_sim.SURVEY.classes)
    assert {record.label for record in records} > set(sdss_sn_sim.SURVEY.classes)


def test_the_files_are_array_record_and_need_no_tensorflow_and_no_jax(tmp_path):
    script = (
        "import sys, data_builders\n"
        "print(sorted({'tensorflow_datasets', 'pyarrow'} & set(sys.modules)))\n"
        "builder = data_builders.builder(\n"
        f"    'sdss_sn_sim/tiny', data_dir={str(tmp_path)!r}\n"
        ")\n"
        "builder.download_and_prepare()\n"
        "print(len(builder.as_data_source('all')), builder.info.file_format.value)\n"
        "print(sorted({'tensorflow', 'jax'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "[]"
    assert lines[-2:] == ["60 array_record", "[]"]


def test_names_tell_nothing_and_are_unique():
    names = [survey.object_name(number, seed=0) for number in range(10217)]
    assert len(set(names)) == 10217
    rank = np.argsort(np.argsort(names))
    assert abs(np.corrcoef(rank, np.arange(10217))[0, 1]) < 0.05


def test_raw_objects_can_be_read_again(tmp_path):
    records = [survey.simulate_object(i, seed=99, preset=TINY) for i in range(4)]
    path = tmp_path / "new_objects.npz"
    assert sdss_sn_sim.write_raw(path, records) == 4
    readings = list(sdss_sn_sim.read(path))
    assert [reading.object_id for reading in readings] == [
        record.object_id for record in records
    ]
    for reading, record in zip(readings, records, strict=True):
        assert_same(reading.record, record)


def test_raw_files_hold_plain_arrays(tmp_path):
    path = tmp_path / "new_objects.npz"
    sdss_sn_sim.write_raw(path, [survey.simulate_object(0, seed=9, preset=TINY)])
    with np.load(path, allow_pickle=False) as raw:
        assert raw["images"].dtype == np.float32
        assert raw["mjd"].dtype == np.float64
        assert raw["offsets"].tolist() == [0, len(raw["images"])]
        assert set(raw["band"]) <= set("ugriz")
        assert all(raw[name].dtype != object for name in raw.files)


def test_the_command_writes_new_objects(tmp_path):
    path = tmp_path / "three.npz"
    arguments = ["--objects", "3", "--preset", "tiny", "--output", str(path)]
    done = subprocess.run(
        [sys.executable, "-m", "data_builders.commands.new_objects", *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
    )
    assert "3 objects of seed 99" in done.stdout
    assert not done.stderr
    assert all(reading.record for reading in sdss_sn_sim.read(path))


def test_the_command_answers_a_bad_wish_in_words(tmp_path, capsys):
    path = str(tmp_path / "none.npz")
    with pytest.raises(SystemExit):
        new_objects.main(["--preset", "huge", "--output", path])
    assert "Known presets: tiny, laptop, paper" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        new_objects.main(["--objects", "0", "--output", path])
    assert "needs one at least" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        new_objects.main(["--seed", "-1", "--output", path])
    assert "0 or more" in capsys.readouterr().err
    nowhere = str(tmp_path / "missing" / "x.npz")
    with pytest.raises(SystemExit):
        new_objects.main(["--objects", "1", "--preset", "tiny", "--output", nowhere])
    assert "cannot be written: No such file" in capsys.readouterr().err


def test_help_teaches(capsys):
    with pytest.raises(SystemExit):
        new_objects.main(["--help"])
    text = capsys.readouterr().out
    assert "--objects 20 --seed 99 --output new_objects.npz" in text
