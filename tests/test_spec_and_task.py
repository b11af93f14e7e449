"""Specs and tasks: stored and read back, changed, and refused where they are wrong."""

import dataclasses

import pytest
from support.runs import error_message, smoke, task_of

from jaxastro.runs.spec import RunSpec, differences, read_spec, write_spec
from jaxastro.runs.task import read_task, write_task


def test_a_spec_comes_back_from_a_run_folder(tmp_path):
    spec = smoke().replace({"hierarchy": (("SN", ("SNIa", "SNOther")),)})
    write_spec(tmp_path, spec)
    assert read_spec(tmp_path) == spec


def test_a_task_comes_back_from_a_run_folder(tmp_path):
    spec = smoke().replace(
        {"hierarchy": (("SN", ("SNIa", "SNOther")),), "selection.bands": ("g", "r")}
    )
    statistics = {"softening": [0.1, 1 / 3, 1e-300]}
    task = task_of(spec)._replace(statistics=statistics)
    assert task.survey != task.whole_survey
    write_task(tmp_path, task)
    assert read_task(tmp_path) == task


def test_a_file_that_is_no_task_is_refused(tmp_path):
    words = error_message(read_task, tmp_path)
    assert words.startswith(f"No {tmp_path}/task.json. {tmp_path} is not the folder of")
    write_task(tmp_path, task_of(smoke()))
    whole = (tmp_path / "task.json").read_text()
    for part in (whole[:100], "{}", "[]"):
        (tmp_path / "task.json").write_text(part)
        words = error_message(read_task, tmp_path)
        assert f"{tmp_path}/task.json is not the task of a run" in words
        assert "Train again with the same command" in words


def test_keys_that_are_absent_have_their_defaults():
    spec = smoke()
    plain = spec.to_dict()
    del plain["augment"]["truncate"], plain["hierarchy"], plain["mesh"]
    assert RunSpec.from_dict(plain) == spec


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"num_step": 3}, "config has no key 'num_step'. Did you mean 'num_steps'?"),
        (
            {"folds.test_fould": 3},
            "config.folds has no key 'test_fould'. Did you mean 'test_fold'? Known:",
        ),
        (
            {"wholly_unlike": 3},
            "config has no key 'wholly_unlike'. Known: preset, seed",
        ),
        (
            {"num_steps": "many"},
            "config.num_steps is 'many', of type str. Expected type int",
        ),
        ({"mesh": 3}, "config.mesh is 3, of type int. Expected type MeshShape"),
        (
            {"seed": True},
            "config.seed is True, of type bool. Expected type int, such as 0.",
        ),
    ],
)
def test_unknown_keys_and_values_of_another_type_are_refused(changed, words):
    assert words in error_message(smoke().replace, changed)


def test_replace_does_not_change_the_spec_it_starts_from():
    spec = smoke()
    other = spec.replace({"folds.test_fold": 1, "model.args.num_heads": 4})
    assert (spec.folds.test_fold, spec.model.args["num_heads"]) == (0, 2)
    assert (other.folds.test_fold, other.model.args["num_heads"]) == (1, 4)
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.seed = 1


def test_differences_are_listed_key_by_key():
    one = {"a": 1, "b": {"c": [1, 2], "d": 3}}
    other = {"a": 1, "b": {"c": [1, 3]}, "e": 0}
    assert differences(one, other) == [
        "config.b.c: [1, 2] there, [1, 3] now",
        "config.b.d: 3 there, absent now",
        "config.e: absent there, 0 now",
    ]
