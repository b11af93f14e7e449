"""Every experiment in every preset: its keys, the network it builds and its JSON."""

import ast
import dataclasses
import inspect
import json
import runpy
from pathlib import Path

import jax
import pytest
from support import commands
from support.runs import spec_of, task_of

from configs import base
from jaxastro.methods import METHODS
from jaxastro.models import MODELS
from jaxastro.runs.checks import check_best_metric, check_classes
from jaxastro.runs.description import batch_of
from jaxastro.runs.model_building import build_method
from jaxastro.runs.spec import RunSpec, differences
from jaxastro.runs.task import blank_inputs
from jaxastro.training import sharding

FOLDER = Path(base.__file__).parent
FILES = sorted(set(FOLDER.glob("[a-z]*.py")) - {FOLDER / "base.py"})
PRESETS = [name for name in base.PRESETS if name != "auto"]  # auto is one of these
WITHOUT_HITS = (  # their docstrings give the reason
    "deep_hits",
    "real_bogus_cnn",
    "scone",
    "stamp_autoencoder",
    "stamp_classifier",
    "stamp_hierarchy",
    "stamp_vade",
    "stamp_vae",
    "temporal_stamps",
)
EVERY = [
    pytest.param(path, preset, id=f"{path.stem}-{preset}")
    for path in FILES
    for preset in PRESETS
    if not (preset == "hits" and path.stem in WITHOUT_HITS)
]
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
each_preset = pytest.mark.parametrize(("path", "preset"), EVERY)


def config_of(path, preset):
    config = runpy.run_path(str(path))["get_config"](preset)
    config.lock()
    return config


def test_there_are_experiments():
    assert {"convention", "semiconformer"} <= {path.stem for path in FILES}


@each_file
def test_auto_has_the_values_of_laptop(path):
    auto, laptop = (config_of(path, name).to_dict() for name in ("auto", "laptop"))
    assert auto | {"preset": "laptop"} == laptop


@each_preset
def test_every_preset_builds_its_network(path, preset):
    spec = spec_of(config_of(path, preset))
    assert spec.preset == preset
    task = task_of(spec)
    method = build_method(spec, task, sharding.make_mesh())
    check_best_metric(spec, method.scores)
    blank = blank_inputs(spec, task)
    state = jax.eval_shape(method.init, jax.random.key(spec.seed), blank)
    assert sum(leaf.size for leaf in jax.tree.leaves(state.params)) > 1000
    output = jax.eval_shape(method.predict, state, blank)
    assert output.logits.shape == (1, len(spec.classes))


@each_file
def test_a_step_takes_the_batches_that_are_loaded(path):
    spec = spec_of(config_of(path, "smoke"))
    task = task_of(spec)
    method = build_method(spec, task, sharding.make_mesh())
    key, blank = jax.random.key(spec.seed), blank_inputs(spec, task)
    state = jax.eval_shape(method.init, key, blank)
    after, _ = jax.eval_shape(method.step, state, batch_of(spec, task, 2))
    shapes = jax.tree.map(lambda a: a.shape, (state, after))
    assert shapes[0] == shapes[1]


@each_preset
def test_every_preset_can_be_evaluated_and_stored(path, preset):
    spec = spec_of(config_of(path, preset))
    assert spec.num_steps % spec.evaluate_every == 0  # the last state is evaluated
    assert spec.augment.max_epochs <= spec.loader.loaded_epochs
    survey = task_of(spec).survey
    check_classes(spec, survey)
    assert spec.survey.replace(".", "/").startswith(survey.name.replace(".", "/"))
    back = RunSpec.from_dict(json.loads(json.dumps(spec.to_dict(), indent=1)))
    assert back == spec
    assert not differences(spec.to_dict(), back.to_dict())


@each_file
def test_every_argument_of_model_and_method_can_be_set(path):
    config = config_of(path, "paper")
    model, method = MODELS[config.model.name], METHODS[config.method.name]
    fields = {field.name for field in dataclasses.fields(model)}
    fields -= {"num_classes", "parent", "name", *model.set_by_task}
    assert set(config.model.args) == fields
    keywords = inspect.signature(method).parameters.values()
    known = {p.name for p in keywords if p.kind is p.KEYWORD_ONLY}
    assert set(config.method.args) == known - {"seed", "gradient_accumulation"}


@each_file
def test_every_docstring_has_its_four_parts(path):
    text = ast.get_docstring(ast.parse(path.read_text()))
    for word in ("Reproduces:", "Run:", "Presets:", "Expect:"):
        assert f"\n{word} " in text, word
    assert f"--config=configs/{path.name}" in text


def test_a_misspelt_key_or_a_wrong_type_is_refused():
    config = config_of(FOLDER / "convention.py", "laptop")
    with pytest.raises(AttributeError, match=r'Did you mean "num_steps"'):
        config.num_step = 3
    with pytest.raises(TypeError):
        config.num_steps = "many"


def test_an_unknown_preset_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="No preset named 'small'"):
        base.get_config("small")


def test_training_prints_which_preset_auto_became(tmp_path):
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
