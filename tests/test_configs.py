"""Every experiment in every preset: it builds, is locked and comes back from JSON."""

import ast
import dataclasses
import inspect
import json
import runpy
from pathlib import Path

import jax
import pytest
from ml_collections import ConfigDict
from support import commands
from support.runs import error_message, spec_of, task_of

from configs import base
from jaxastro.methods import METHODS
from jaxastro.models import MODELS
from jaxastro.runs.checks import check_best_metric, check_classes
from jaxastro.runs.description import batch_of
from jaxastro.runs.model_building import build_method
from jaxastro.runs.spec import RunSpec, differences, read_spec, write_spec
from jaxastro.runs.task import blank_inputs, read_task, write_task
from jaxastro.training import sharding

FILES = sorted(
    set(Path(base.__file__).parent.glob("[a-z]*.py")) - {Path(base.__file__)}
)
LEFT_OUT = {  # their docstrings say why
    *(("scone", "hits"), ("deep_hits", "hits"), ("stamp_classifier", "hits")),
    *(("temporal_stamps", "hits"), ("real_bogus_cnn", "hits")),
    *(("stamp_autoencoder", "hits"), ("stamp_vae", "hits")),
    ("stamp_vade", "hits"),
    ("stamp_hierarchy", "hits"),
}
EVERY = [
    pytest.param(path, preset, id=f"{path.stem}-{preset}")
    for path in FILES
    for preset in base.PRESETS
    if (path.stem, preset) not in LEFT_OUT
]


def config_of(path, preset):
    config = runpy.run_path(str(path))["get_config"](preset)
    config.lock()
    return config


def keys_of(config, before=""):
    for key, value in config.items():
        if isinstance(value, ConfigDict) and f"{before}{key}" not in (
            "model.args",
            "method.args",
        ):
            yield from keys_of(value, f"{before}{key}.")
        else:
            yield f"{before}{key}"


def test_there_are_experiments():
    assert {"convention", "semiconformer"} <= {path.stem for path in FILES}


def count_parameters(spec):
    task = task_of(spec)
    method = build_method(spec, task, sharding.make_mesh())
    check_best_metric(spec, method.scores)
    blank = blank_inputs(spec, task)
    state = jax.eval_shape(method.init, jax.random.key(spec.seed), blank)
    output = jax.eval_shape(method.predict, state, blank)
    assert output.logits.shape == (1, len(task.classes))
    return sum(leaf.size for leaf in jax.tree.leaves(state.params))


@pytest.mark.parametrize(("path", "preset"), EVERY)
def test_every_preset_builds(path, preset):
    assert count_parameters(spec_of(config_of(path, preset))) > 1000


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_step_takes_the_batches_that_are_loaded(path):
    spec = spec_of(config_of(path, "smoke"))
    task = task_of(spec)
    method = build_method(spec, task, sharding.make_mesh())
    key, blank = jax.random.key(spec.seed), blank_inputs(spec, task)
    state = jax.eval_shape(method.init, key, blank)
    after, _ = jax.eval_shape(method.step, state, batch_of(spec, task, 2))
    shapes = jax.tree.map(lambda a: a.shape, (state, after))
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize(("path", "preset"), EVERY)
def test_every_preset_has_the_shared_keys_and_no_other(path, preset):
    config = config_of(path, preset)
    assert set(keys_of(config)) == set(keys_of(base.get_config(preset)))
    assert config.preset == preset
    with pytest.raises(AttributeError, match=r'Did you mean "num_steps"'):
        config.num_step = 3
    with pytest.raises(TypeError):
        config.num_steps = "many"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_argument_of_model_and_method_can_be_set(path):
    config = config_of(path, "paper")
    model, method = MODELS[config.model.name], METHODS[config.method.name]
    fields = {field.name for field in dataclasses.fields(model)}
    assert set(config.model.args) == fields - {"num_classes", "parent", "name"}
    keywords = inspect.signature(method).parameters.values()
    known = {p.name for p in keywords if p.kind is p.KEYWORD_ONLY} - {
        "seed",
        "gradient_accumulation",
    }
    assert set(config.method.args) == known


@pytest.mark.parametrize(("path", "preset"), EVERY)
def test_every_preset_comes_back_from_json(path, preset):
    spec = spec_of(config_of(path, preset))
    plain = spec.to_dict()
    back = RunSpec.from_dict(json.loads(json.dumps(plain, indent=1)))
    assert back == spec
    assert back.to_dict() == plain
    assert not differences(plain, back.to_dict())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_states_what_it_reproduces_how_to_run_it_and_what_to_expect(path):
    text = ast.get_docstring(ast.parse(path.read_text()))
    for word in ("Reproduces:", "Run:", "Presets:", "Expect:"):
        assert f"\n{word} " in text, word
    assert f"--config=configs/{path.name}" in text


@pytest.mark.parametrize(("path", "preset"), EVERY)
def test_a_run_of_every_preset_can_be_evaluated(path, preset):
    spec = spec_of(config_of(path, preset))
    assert spec.num_steps % spec.evaluate_every == 0  # the last state is evaluated
    assert spec.augment.max_epochs <= spec.loader.loaded_epochs
    survey = task_of(spec).survey
    check_classes(spec, survey)
    assert spec.survey.replace(".", "/").startswith(survey.name.replace(".", "/"))


# -- specs and tasks on disk -----------------------------------------------------------


def smallest():
    return spec_of(config_of(Path(base.__file__).with_name("convention.py"), "smoke"))


def test_a_spec_comes_back_from_a_run_folder(tmp_path):
    spec = smallest().replace({"hierarchy": (("SN", ("SNIa", "SNOther")),)})
    write_spec(tmp_path, spec)
    assert read_spec(tmp_path) == spec


def test_a_task_comes_back_from_a_run_folder(tmp_path):
    spec = smallest().replace(
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
    write_task(tmp_path, task_of(smallest()))
    whole = (tmp_path / "task.json").read_text()
    for part in (whole[:100], "{}", "[]"):
        (tmp_path / "task.json").write_text(part)
        words = error_message(read_task, tmp_path)
        assert f"{tmp_path}/task.json is not the task of a run" in words
        assert "Train again with the same command" in words


def test_keys_that_are_absent_have_their_defaults():
    spec = smallest()
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
    assert words in error_message(smallest().replace, changed)


def test_replace_does_not_change_the_spec_it_starts_from():
    spec = smallest()
    other = spec.replace({"folds.test_fold": 1, "model.args.num_heads": 4})
    assert (spec.folds.test_fold, spec.model.args["num_heads"]) == (0, 2)
    assert (other.folds.test_fold, other.model.args["num_heads"]) == (1, 4)
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.seed = 1


def test_an_unknown_preset_is_answered_with_the_known():
    with pytest.raises(ValueError, match="No preset named 'small'"):
        base.get_config("small")


def test_differences_are_listed_key_by_key():
    one = {"a": 1, "b": {"c": [1, 2], "d": 3}}
    other = {"a": 1, "b": {"c": [1, 3]}, "e": 0}
    assert differences(one, other) == [
        "config.b.c: [1, 2] there, [1, 3] now",
        "config.b.d: 3 there, absent now",
        "config.e: absent there, 0 now",
    ]


def test_training_prints_first_what_auto_became(tmp_path):
    done = commands.run(
        "train",
        "--config=configs/convention.py",
        "--config.classes=('Quasar',)",
        workdir=tmp_path,
    )
    assert done.stdout.splitlines()[0] == (
        "Preset: laptop (no accelerator found). Force the published sizes with "
        "--config=configs/convention.py:paper, or small ones with "
        "--config=configs/convention.py:laptop."
    )
    assert "config.classes has 'Quasar'" in done.error_message
