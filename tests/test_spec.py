"""Settings of a run: typed, frozen, the same after a round trip through JSON."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import smoke, task_of

from configs import stamp_hierarchy
from jaxastro.errors import InputError, MissingFileError
from jaxastro.runs.spec import RunSpec, differences, read_spec, write_spec
from jaxastro.runs.task import read_task, write_task


@given(
    st.integers(0, 2**31),
    st.lists(st.text(min_size=1), max_size=3),
    st.floats(1e-6, 1),
    st.dictionaries(st.text(min_size=1), st.integers() | st.text(), max_size=3),
)
def test_a_spec_survives_json_with_its_types(seed, bands, rate, args):
    changes = {"seed": seed, "selection.bands": tuple(bands)}
    changes |= {"optimizer.learning_rate": rate, "model.args": args}
    spec = RunSpec().replace(changes)
    back = RunSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert back == spec
    assert type(back.selection.bands) is tuple


def test_a_spec_cannot_be_written_into():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RunSpec().seed = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        RunSpec().folds.test_fold = 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nun_steps": 3}, r"config has no key 'nun_steps'. Did you mean 'num_steps'"),
        ({"folds.testfold": 3}, r"config.folds has no key 'testfold'. Did you mean"),
        ({"seed": 1.5}, r"config.seed is 1.5, of type float. Expected type int"),
        (
            {"loader.balance": 1},
            r"config.loader.balance is 1, of type int. Expected type bool",
        ),
        (
            {"classes": "SNIa"},
            r"config.classes is 'SNIa', of type str. Expected type tuple",
        ),
        ({"folds": 3}, r"config.folds is 3, of type int. Expected type Folds"),
    ],
)
def test_a_wrong_setting_is_named(changes, message):
    with pytest.raises(InputError, match=message):
        RunSpec().replace(changes)


def test_differences_name_each_key():
    other = RunSpec().replace({"seed": 1, "folds.test_fold": 2})
    assert differences(RunSpec().to_dict(), other.to_dict()) == [
        "config.folds.test_fold: 0 there, 2 now",
        "config.seed: 0 there, 1 now",
    ]


def test_spec_and_task_are_read_back_from_a_run_folder(tmp_path):
    spec = smoke(stamp_hierarchy.get_config)
    task = task_of(spec)._replace(statistics={"scale": [0.1, 1 / 3], "zero": 2.0})
    write_spec(tmp_path, spec)
    write_task(tmp_path, task)
    assert read_spec(tmp_path) == spec
    assert read_task(tmp_path) == task


@pytest.mark.parametrize("text", ["", "[1]", '{"seed": "one"}', '{"sed": 1}'])
def test_a_damaged_config_is_refused(text, tmp_path):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InputError, match=r"config.json is not the config of a run"):
        read_spec(tmp_path)


def test_a_folder_without_a_run_is_a_missing_file(tmp_path):
    with pytest.raises(MissingFileError, match=r"config.json. .* is not the folder"):
        read_spec(tmp_path)
    with pytest.raises(MissingFileError, match=r"task.json. .* is not the folder"):
        read_task(tmp_path)
