import subprocess
import sys

import numpy as np
import pytest
from support import commands

import data_builders
from data_builders import __main__ as command
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


def test_objects_for_training_are_of_other_nights_and_know_their_class(built):
    preset = TINY._replace(simulations=6)
    source = built.as_data_source(split="all")
    known = {example["object_id"].decode() for example in source}
    for number in range(preset.simulations):
        record = survey.simulate_for_training(number, seed=0, preset=preset)
        other = survey.simulate_object(number, seed=0, preset=preset)
        assert record.label == record.truth
        assert record.label_source == "simulated"
        assert record.object_id not in known
        assert not set(record.mjd) & set(other.mjd)
        assert record.group.startswith("simulation of field")


def test_names_are_unique_and_independent_of_the_class():
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
    options = ("--objects=3", "--preset=tiny", f"--output={path}")
    done = commands.python("-m", "data_builders", "new-objects", *options)
    assert "3 objects of seed 99" in done.stdout
    assert not done.stderr
    assert all(reading.record for reading in sdss_sn_sim.read(path))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "huge"}, "Known presets: tiny, laptop, paper"),
        ({"objects": 0}, "objects is 0. A whole number from 1 to"),
        ({"seed": -1}, "seed is -1. A whole number from 0 to"),
        ({"output": "missing/x.npz"}, "cannot be written: No such file"),
    ],
)
def test_wrong_options_are_explained(tmp_path, capsys, options, message):
    options = {"objects": 1, "preset": "tiny", "output": "x.npz"} | options
    options["output"] = tmp_path / options["output"]
    line = [f"--{name}={value}" for name, value in options.items()]
    try:
        code = command.main(["new-objects", *line])
    except SystemExit as end:  # of the parser of the command line
        code = end.code
    assert code == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_file_of_no_objects_is_refused(tmp_path):
    with pytest.raises(ValueError, match="needs at least one"):
        sdss_sn_sim.write_raw(tmp_path / "none.npz", [])


def test_help_teaches(capsys):
    with pytest.raises(SystemExit):
        command.main(["new-objects", "--help"])
    text = capsys.readouterr().out
    assert "new-objects --objects=20 --output=new_objects.npz" in text
