"""Settings of a run: typed, frozen, the same after a round trip through JSON."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import error_message, smoke, task_of

from configs import stamp_hierarchy
from jaxastro.errors import InputError, MissingFileError
from jaxastro.runs.spec import LIMITS, RunSpec, differences, read_spec, write_spec
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


def test_replace_does_not_change_the_spec_it_starts_from():
    spec = smoke()
    other = spec.replace({"folds.test_fold": 1, "model.args.num_heads": 4})
    assert (spec.folds.test_fold, spec.model.args["num_heads"]) == (0, 2)
    assert (other.folds.test_fold, other.model.args["num_heads"]) == (1, 4)


def test_absent_keys_have_their_defaults():
    spec = smoke()
    plain = spec.to_dict()
    del plain["augment"]["truncate"], plain["hierarchy"], plain["mesh"]
    assert RunSpec.from_dict(plain) == spec


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
        ({"seed": True}, r"config.seed is True, of type bool. .* int, such as 0\."),
        ({"unlike": 3}, r"config has no key 'unlike'\. Known: preset, seed"),
    ],
)
def test_a_wrong_setting_is_named(changes, message):
    with pytest.raises(InputError, match=message):
        RunSpec().replace(changes)


@pytest.mark.parametrize("key", LIMITS)
def test_every_number_has_limits(key):
    lowest, highest = LIMITS[key]
    kind = float if type(value_of(RunSpec(), key)) is float else int
    RunSpec().replace({key: kind(lowest)})
    for wrong in (lowest - 1, highest + 1, float("nan")):
        if wrong == float("inf") or (kind is int and wrong != wrong):
            continue
        with pytest.raises(InputError, match=f"config.{key} is .* Expected"):
            RunSpec().replace({key: kind(wrong)})


def value_of(spec, key):
    for name in key.split("."):
        spec = getattr(spec, name)
    return spec


def test_no_number_of_a_spec_is_without_limits():
    numbers = set()
    for field in dataclasses.fields(RunSpec):
        value = getattr(RunSpec(), field.name)
        inner = dataclasses.fields(value) if dataclasses.is_dataclass(value) else ()
        for part in inner:
            if type(getattr(value, part.name)) in (int, float):
                numbers.add(f"{field.name}.{part.name}")
        if type(value) in (int, float):
            numbers.add(field.name)
    assert numbers == set(LIMITS)


def test_differences_name_each_key():
    other = RunSpec().replace({"seed": 1, "folds.test_fold": 2})
    assert differences(RunSpec().to_dict(), other.to_dict()) == [
        "config.folds.test_fold: 0 there, 2 now",
        "config.seed: 0 there, 1 now",
    ]
    one = {"a": 1, "b": {"c": [1, 2], "d": 3}}
    other = {"a": 1, "b": {"c": [1, 3]}, "e": 0}
    assert differences(one, other) == [
        "config.b.c: [1, 2] there, [1, 3] now",
        "config.b.d: 3 there, absent now",
        "config.e: absent there, 0 now",
    ]


def test_spec_and_task_are_read_back_from_a_run_folder(tmp_path):
    spec = smoke(stamp_hierarchy.get_config, **{"selection.bands": ("g",)})
    statistics = {"scale": [0.1, 1 / 3, 1e-300], "zero": 2.0}
    task = task_of(spec)._replace(statistics=statistics)
    assert task.survey != task.whole_survey
    write_spec(tmp_path, spec)
    write_task(tmp_path, task)
    assert read_spec(tmp_path) == spec
    assert read_task(tmp_path) == task


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"seed": "one"}', '{"sed": 1}'])
def test_a_damaged_config_is_refused(text, tmp_path):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InputError, match=r"config.json is not the config of a run"):
        read_spec(tmp_path)


def test_a_damaged_task_is_refused(tmp_path):
    write_task(tmp_path, task_of(smoke()))
    whole = (tmp_path / "task.json").read_text()
    for part in (whole[:100], "{}", "[]"):
        (tmp_path / "task.json").write_text(part)
        words = error_message(read_task, tmp_path)
        assert f"{tmp_path}/task.json is not the task of a run" in words
        assert "Train again with the same command" in words


def test_a_folder_without_a_run_is_a_missing_file(tmp_path):
    with pytest.raises(MissingFileError, match=r"config.json. .* is not the folder"):
        read_spec(tmp_path)
    with pytest.raises(MissingFileError, match=r"task.json. .* is not the folder"):
        read_task(tmp_path)
