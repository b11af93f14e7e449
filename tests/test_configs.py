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

from configs import base
from experiments.describe import batch_of
from jaxastro.methods import METHODS
from jaxastro.models import MODELS
from jaxastro.runs import assemble
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
            "statistics",
        ):
            yield from keys_of(value, f"{before}{key}.")
        else:
            yield f"{before}{key}"


def test_there_are_experiments():
    assert {"convention", "semiconformer"} <= {path.stem for path in FILES}


def num_parameters(config):
    method = assemble.method_of_config(config, sharding.make_mesh())
    blank = assemble.blank_inputs(config)
    state = jax.eval_shape(method.init, jax.random.key(config.seed), blank)
    output = jax.eval_shape(method.predict, state, blank)
    assert output.logits.shape == (1, len(config.classes))
    return sum(leaf.size for leaf in jax.tree.leaves(state.params))


@pytest.mark.parametrize(("path", "preset"), EVERY)
def test_every_preset_builds(path, preset):
    assert num_parameters(config_of(path, preset)) > 1000


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_step_takes_the_batches_that_are_loaded(path):
    config = config_of(path, "smoke")
    method = assemble.method_of_config(config, sharding.make_mesh())
    key, blank = jax.random.key(config.seed), assemble.blank_inputs(config)
    state = jax.eval_shape(method.init, key, blank)
    after, _ = jax.eval_shape(method.step, state, batch_of(config, 2))
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
    config = config_of(path, preset)
    with config.unlocked():
        config.statistics.update({"softening": [0.1, 1 / 3, 1e-300]})
    plain = assemble.to_plain(config)
    back = assemble.from_plain(json.loads(json.dumps(plain, indent=1)))
    assert back.to_dict() == config.to_dict()
    assert not assemble.differences(plain, assemble.to_plain(back))


def test_a_run_older_than_a_key_or_an_argument_comes_back_with_its_default():
    config = config_of(Path(base.__file__).with_name("convention.py"), "paper")
    plain = assemble.to_plain(config)
    del plain["method"]["args"]["average_decay"], plain["model"]["args"]["change"]
    del plain["augment"]["truncate"]
    assert assemble.from_plain(plain).to_dict() == config.to_dict()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_says_what_it_reproduces_how_to_run_it_and_what_to_expect(path):
    text = ast.get_docstring(ast.parse(path.read_text()))
    for word in ("Reproduces:", "Run:", "Presets:", "Expect:"):
        assert f"\n{word} " in text, word
    assert f"--config=configs/{path.name}" in text


@pytest.mark.parametrize(("path", "preset"), EVERY)
def test_a_run_of_every_preset_can_be_evaluated(path, preset):
    config = config_of(path, preset)
    assert config.num_steps % config.evaluate_every == 0  # the last state is looked at
    assert config.augment.max_epochs <= config.loader.loaded_epochs
    name = assemble.survey_of_config(config).name
    assert config.survey.replace(".", "/").startswith(name.replace(".", "/"))


def test_an_unknown_preset_is_answered_with_the_known():
    with pytest.raises(ValueError, match="No preset named 'small'"):
        base.get_config("small")


def test_differences_are_told_key_by_key():
    one = {"a": 1, "b": {"c": [1, 2], "d": 3}}
    other = {"a": 1, "b": {"c": [1, 3]}, "e": 0}
    assert assemble.differences(one, other) == [
        "config.b.c: [1, 2] there, [1, 3] now",
        "config.b.d: 3 there, absent now",
        "config.e: absent there, 0 now",
    ]


def test_training_says_first_what_auto_became(tmp_path):
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
