"""From a config to the objects it names. Here ConfigDict ends."""

from jaxastro.errors import InputError, MissingFileError
import inspect
import json
import runpy
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import get_type_hints

import jax
import optax
from ml_collections import ConfigDict, config_flags

from configs import base
from jaxastro.augment import make_augment
from jaxastro.data.bands import record_in_bands, survey_in_bands
from jaxastro.data.columns import record_with_columns, survey_with_columns
from jaxastro.data.crop import record_cropped, survey_cropped
from jaxastro.data.hierarchy import check_hierarchy
from jaxastro.data.hierarchy import nodes_of
from jaxastro.data.hierarchy import expand_classes
from jaxastro.data.loader import labels_of_classes
from jaxastro.data.record import Record
from jaxastro.data.survey_json import survey_from_json
from jaxastro.methods import METHODS, make_method
from jaxastro.models import MODELS, make_model
from jaxastro.representations import representation_of
from jaxastro.surveys import Survey, survey_of
from jaxastro.training import sharding
from jaxastro.training.optimizer import make_optimizer
from jaxastro.training.sharding import Mesh
from jaxastro.types import Inputs, Method

CONFIG_FILE = "config.json"
# What constructors take that stands elsewhere in a config, or nowhere.
NO_ARGUMENTS = ("gradient_accumulation", "name", "num_classes", "parent")
# What a run may change when it continues: the state does not depend on it, but for
# the rounding that other places of the parameters bring.
HARMLESS = (
    "config.loader.cache_examples",
    "config.loader.num_threads",
    "config.loader.num_workers",
    "config.evaluate_every",
    "config.mesh.fsdp",
    "config.patience",
)


def resolve_preset(flags, said=sys.stdout) -> ConfigDict:
    """Returns the config of --config, with preset auto made laptop or paper, and says.

    What was set on the command line is set again, so --config.seed=3 holds whatever
    auto becomes.
    """
    config = flags["config"].value
    if config.preset == "auto":
        path = config_flags.get_config_filename(flags["config"])
        path, _, _ = path.partition(":")
        preset = "laptop" if jax.default_backend() == "cpu" else "paper"
        config = runpy.run_path(path)["get_config"](preset)
        config.lock()
        config.update_from_flattened_dict(
            config_flags.get_override_values(flags["config"])
        )
        other = "no accelerator found" if preset == "laptop" else "accelerator found"
        print(
            f"Preset: {preset} ({other}). Force the published sizes with "
            f"--config={path}:paper, or small ones with --config={path}:laptop.",
            file=said,
        )
    return config


def whole_survey(config: ConfigDict) -> Survey:
    """Returns the facts of the survey, with all of its bands."""
    survey = survey_of(config.survey)
    if config.facts:  # of a data set that brings its own
        survey = survey_from_json(config.facts, otherwise=survey)
    return survey


def survey_of_config(config: ConfigDict) -> Survey:
    """Returns the survey as a model sees it, after checking that it can eat it."""
    survey = whole_survey(config)
    eaten = representation_of(config.representation.name).KIND
    if survey.kind != eaten:
        raise InputError(
            f"Survey {config.survey} holds records of kind {survey.kind!r}, the "
            f"representation {config.representation.name!r} is of kind {eaten!r}. "
            "Choose a survey or a representation that fits."
        )
    if survey.kind in ("series", "alerts") and not survey.image_size:
        raise InputError(
            f"Survey {config.survey} has images of several sizes, or was not opened "
            "yet. A model needs one size. Cut all images to the same number of pixels."
        )
    _check_classes(config, survey)
    data = config.selection
    for part, chosen in (
        (survey_in_bands, data.bands),
        (survey_with_columns, data.columns),
        (survey_cropped, data.crop),
    ):
        survey = part(survey, chosen) if chosen else survey
    return survey


def written_classes(config: ConfigDict) -> tuple[str, ...]:
    """Returns the classes as all labels that each joins, its hierarchy's too."""
    return expand_classes(tuple(config.classes), config.hierarchy)


def _check_classes(config: ConfigDict, survey: Survey) -> None:
    """Says so if a class is unknown or stands twice, or the hierarchy is no tree."""
    check_hierarchy(config.hierarchy, survey.classes)
    known = (*survey.classes, *(name for name, _ in config.hierarchy))
    names = labels_of_classes(written_classes(config))
    for name in names:
        if name not in known:
            raise InputError(
                f"config.classes has {name!r}. Survey {config.survey} has "
                f"{', '.join(survey.classes)}."
            )
        if names.count(name) > 1:
            raise InputError(
                f"config.classes {config.classes} has {name} twice. Name each label "
                "once, alone or joined to others by +."
            )
    nodes_of(tuple(config.classes), config.hierarchy)


def model_of_config(config: ConfigDict):
    """Returns the model, after checking that it can eat what it will be given."""
    args, bands = dict(config.model.args), survey_of_config(config).bands
    model = make_model(config.model.name, num_classes=len(config.classes), **args)
    _check_representation(config, model)
    rows = getattr(model, "band_rows", len(bands) + 1)
    if len(bands) >= rows:  # row 0 is padding's
        raise InputError(
            f"Survey {config.survey} has {len(bands)} bands ({', '.join(bands)}), the "
            f"model's table {rows} rows, one of them for padding. Set "
            f"config.model.args.band_rows={len(bands) + 1} or more."
        )
    if getattr(model, "change", "") == "asinh" != config.representation.normalisation:
        raise InputError(
            f"config.model.args.change='asinh' takes images to be asinh of the flux, "
            f"but config.representation.normalisation is {config.representation.normalisation!r}. Set it "
            "to 'asinh', or the change to 'linear'."
        )
    merges = hasattr(model, "bands") and getattr(model, "frames", "merged") == "merged"
    if merges and model.bands != len(bands):
        raise InputError(
            f"Survey {config.survey} is looked at in {len(bands)} bands "
            f"({', '.join(bands)}), the model's merged epochs have {model.bands}. Set "
            f"config.model.args.bands={len(bands)}."
        )
    return model


def _check_representation(config: ConfigDict, model) -> None:
    """Says so if the model eats something else, or would look ahead."""
    representation = representation_of(config.representation.name)
    eaten = get_type_hints(type(model).__call__)["inputs"]
    if eaten is not representation.Example:
        raise InputError(
            f"Model {config.model.name} eats a {eaten.__name__}, the representation "
            f"{config.representation.name!r} makes a "
            f"{representation.Example.__name__}. Choose another of one or the other."
        )
    if getattr(model, "features", False) and not survey_of_config(config).columns:
        raise InputError(
            f"config.model.args.features=True, but survey {config.survey} has no "
            "catalogue. Set it to False."
        )
    if _is_told_catalogue(config) and config.augment.truncate:
        raise InputError(
            "config.model.args.features=True with config.augment.truncate: a catalogue "
            "has looked at whole light curves, so none ends early. Leave one out."
        )
    if config.augment.jitter and config.representation.normalisation == "log":
        raise InputError(
            "config.augment.jitter with normalisation 'log', whose errors are on a "
            "scale of their own. Use another of the two."
        )
    causal = representation.CAUSAL
    if config.augment.truncate and config.representation.normalisation not in causal:
        raise InputError(
            f"config.augment.truncate={config.augment.truncate} ends series early, but "
            f"normalisation {config.representation.normalisation!r} has looked at all of them "
            f"before. It can be with {', '.join(causal) or 'none of this kind'}."
        )


def reads_catalogue(config: ConfigDict) -> bool:
    """Returns whether the model sees what a catalogue knows of an object.

    As numbers that it is told, or as a curve that is drawn of them.
    """
    drawn = representation_of(config.representation.name).CATALOGUED
    return _is_told_catalogue(config) or config.representation.normalisation in drawn


def _is_told_catalogue(config: ConfigDict) -> bool:
    """Returns whether the model is told numbers of the object as a whole."""
    eaten = representation_of(config.representation.name).Example
    has_catalogue = "feature" in eaten._fields  # an alert has numbers of its own
    return has_catalogue and bool(config.model.args.get("features", False))


def method_of_config(config: ConfigDict, mesh: Mesh) -> Method:
    """Returns the method, with its model, optimizer and augmentation, for a mesh."""
    optimizer = sharding.with_whole_gradients(_optimizer_of(config), mesh)
    method = _method_of(config, optimizer, config.seed)
    step, predict = (sharding.whole(f, mesh) for f in (method.step, method.predict))
    return method._replace(step=step, predict=predict)


def member_of_config(config: ConfigDict, seed: int | jax.Array) -> Method:
    """Returns the method of one of many models: each wholly on some device."""
    return _method_of(config, _optimizer_of(config), seed)


def record_of_config(config: ConfigDict) -> Callable[[Record], Record]:
    """Returns record -> what of it the config looks at.

    The epochs in its bands, its columns, the middle of its images.
    """
    data, survey, parts = config.selection, whole_survey(config), []
    if data.bands:
        bands = tuple(data.bands)
        parts.append(partial(record_in_bands, bands=bands, survey=survey))
    if data.columns:
        names = tuple(data.columns)
        parts.append(partial(record_with_columns, names=names, survey=survey))
    if data.crop:
        parts.append(partial(record_cropped, side=data.crop, kind=survey.kind))
    return partial(_through, tuple(parts))


def example_of_config(
    config: ConfigDict,
    *,
    max_epochs: int,
    cut: Callable[[Record], Record] | None = None,
) -> Callable[[tuple], Inputs]:
    """Returns record -> example, with the statistics that training stored.

    Args:
        cut: what else to leave out of the record, in the config's bands.
    """
    make_example = partial(
        representation_of(config.representation.name).make_example,
        max_epochs=max_epochs,
        normalisation=config.representation.normalisation,
        statistics=config.statistics.to_dict(),
    )
    return partial(_example, record_of_config(config), cut or _as_it_is, make_example)


def blank_inputs(config: ConfigDict, *, num_objects: int = 1) -> Inputs:
    """Returns an input of the config's shape that holds nothing, to make states of."""
    return representation_of(config.representation.name).blank(
        survey_of_config(config),
        max_epochs=config.representation.max_epochs,
        num_objects=num_objects,
    )


def input_shapes(
    blank: Inputs, *, num_objects: int, epochs: int, sharding=None
) -> Inputs:
    """Returns the shapes of so many objects of so many epochs, without a number."""

    def shape(name: str):
        one = getattr(blank, name)
        rest = (epochs, *one.shape[2:]) if name in blank.OF_EPOCHS else one.shape[1:]
        return jax.ShapeDtypeStruct((num_objects, *rest), one.dtype, sharding=sharding)

    return type(blank)(*map(shape, blank._fields))


def to_plain(config: ConfigDict) -> dict:
    """Returns the config as JSON would give it back: tuples are lists."""
    return json.loads(json.dumps(config.to_dict()))


def from_plain(plain: dict) -> ConfigDict:
    """Returns the config of what to_plain gave: lists are tuples, but in statistics.

    Keys and arguments that are younger than the run have the default, which is what it
    did.
    """
    statistics = plain["statistics"]
    default = base.get_config().to_dict()
    if plain["survey"].startswith("ztf_alerts_sim"):  # once its labels were its classes
        default["hierarchy"] = base.ALERT_HIERARCHY
    for part, known in (("model", MODELS), ("method", METHODS)):
        default[part]["args"] = _defaults(known.get(plain[part]["name"]))
    config = ConfigDict(_filled(_tuples(plain), default))
    config.statistics = ConfigDict(statistics)
    return config


def read_config(workdir: Path) -> ConfigDict:
    """Returns the config of a run, from its folder."""
    path = workdir / CONFIG_FILE
    if not path.exists():
        raise MissingFileError(
            f"No {path}. {workdir} is not the folder of a run. Train one with "
            f"python -m experiments.train --config=... --workdir={workdir}."
        )
    try:
        return from_plain(json.loads(path.read_text()))
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is not the config of a run ({error!r}). Train again by the same "
            "command: it continues from its last checkpoint and writes the file anew."
        ) from error


def write_config(workdir: Path, plain: dict) -> None:
    """Writes the config of a run into its folder, whole or not at all."""
    partial_file = workdir / f"{CONFIG_FILE}.partial"
    partial_file.write_text(json.dumps(plain, indent=1))
    partial_file.replace(workdir / CONFIG_FILE)


def differences(a: dict, b: dict, where: str = "config") -> list[str]:
    """Returns one line for each key in which two plain configs differ."""
    lines = []
    for key in sorted(set(a) | set(b)):
        left, right = a.get(key, "absent"), b.get(key, "absent")
        if isinstance(left, dict) and isinstance(right, dict):
            lines += differences(left, right, f"{where}.{key}")
        elif left != right:
            lines.append(f"{where}.{key}: {left} there, {right} now")
    return lines


def is_harmless(difference: str) -> bool:
    """Returns whether a run can continue with a line of `differences`."""
    return difference.partition(":")[0] in HARMLESS


def _as_it_is(record: Record) -> Record:
    return record


# No closures: processes that read are sent these.


def _through(parts: tuple[Callable, ...], record: Record) -> Record:
    for part in parts:
        record = part(record)
    return record


def _example(looked_at, cut, make_example, record: tuple) -> Inputs:
    return make_example(cut(looked_at(record)))


def _optimizer_of(config: ConfigDict) -> optax.GradientTransformation:
    return make_optimizer(num_steps=config.num_steps, **config.optimizer)


def _method_of(config: ConfigDict, optimizer, seed: int | jax.Array) -> Method:
    return make_method(
        config.method.name,
        model_of_config(config),
        optimizer,
        make_augment(**config.augment),
        seed=seed,
        gradient_accumulation=config.gradient_accumulation,
        train_only=config.optimizer.train_only,
        **dict(config.method.args),
    )


def _defaults(constructor) -> dict:
    """Returns the arguments that a config may leave out, with their defaults."""
    if constructor is None:  # a name that is gone is told by who builds it
        return {}
    given = inspect.signature(constructor).parameters.values()
    return {
        one.name: one.default
        for one in given
        if one.default is not one.empty and one.name not in NO_ARGUMENTS
    }


def _filled(plain: dict, default: dict) -> dict:
    here = {
        key: _filled(value, default.get(key, {}))
        for key, value in plain.items()
        if isinstance(value, dict)
    }
    return default | plain | here


def _tuples(value):
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
