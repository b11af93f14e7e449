"""The settings of a run: typed, frozen, stored as config.json in the run folder.

Each key has its default, its unit and its reason here. The experiments in configs/
change some of them; `RunSpec(survey="hits", ...)` does so from Python.
"""

import dataclasses
import difflib
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from jaxastro.atomic_write import atomic_write
from jaxastro.errors import InputError, MissingFileError

CONFIG_FILE = "config.json"
# Keys that may change when a run continues: the state does not depend on them, except
# for the rounding that another placement of the parameters brings.
CHANGEABLE = (
    "config.evaluate_every",
    "config.loader.cache_examples",
    "config.loader.num_threads",
    "config.loader.num_workers",
    "config.mesh.fsdp",
    "config.patience",
)
# Smallest and largest value of each number; what depends on others is checked later.
LIMITS = {
    "seed": (0, 2**32 - 1),
    "selection.crop": (0, math.inf),
    "selection.per_class": (0, math.inf),
    "selection.min_class_size": (0, math.inf),
    "folds.num_folds": (3, 1000),
    "folds.test_fold": (0, 999),
    "folds.split_seed": (0, math.inf),
    "folds.num_validated": (0, math.inf),
    "representation.max_epochs": (1, 100_000),
    "loader.loaded_epochs": (1, 100_000),
    "loader.unlabelled_share": (0, 1),
    "loader.num_threads": (1, 1024),
    "loader.num_workers": (0, 1024),
    "augment.max_epochs": (1, 100_000),
    "augment.drop": (0, 1),
    "augment.rotation": (0, 360),
    "augment.rotation_step": (0, 360),
    "augment.drop_bands": (0, 1),
    "augment.gap": (0, 1),
    "augment.truncate": (0, 1),
    "augment.jitter": (0, 100),
    "optimizer.learning_rate": (0, math.inf),
    "optimizer.warmup_steps": (0, math.inf),
    "optimizer.weight_decay": (0, math.inf),
    "optimizer.clip": (0, math.inf),
    "mesh.fsdp": (1, 1_000_000),
    "batch_size": (1, 10_000_000),
    "gradient_accumulation": (1, 10_000_000),
    "num_steps": (1, 10**10),
    "evaluate_every": (1, 10**10),
    "patience": (0, math.inf),
}


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which part of the data set is used."""

    bands: tuple[str, ...] = ()  # such as ("g",); empty: all of the survey
    columns: tuple[str, ...] = ()  # numbers per object or alert; empty: all
    crop: int = 0  # pixels on a side of the central part of images; 0: all
    per_class: int = 0  # labelled training objects kept of each class; 0: all
    min_class_size: int = 0  # training objects; rarer classes are pooled; 0: none is


@dataclass(frozen=True, kw_only=True)
class Folds:
    """Which objects train, which select the state and which are tested."""

    num_folds: int = 5
    test_fold: int = 0  # validation is the next one
    split_seed: int = 0
    protocol: str = "honest"  # "published": jaxastro/data/protocol.py
    # "validation": no test fold. "nothing": no validation fold either, the last state
    # is kept. Both are for a model that goes into use: it learns from more objects.
    held_out: str = "validation_and_test"
    # Label sources whose objects train in every fold and are never tested, such as
    # ("simulated",) of sdss_sn_sim/with_simulations.
    only_training: tuple[str, ...] = ()
    stage: str = "all"  # whose labels train: "photometric", then "confirmed"
    num_validated: int = 0  # labelled validation objects, at random; 0: all


@dataclass(frozen=True, kw_only=True)
class Representation:
    """How a record becomes the input of a model: jaxastro/representations/."""

    name: str = "series"
    normalisation: str = "asinh"
    max_epochs: int = 60  # epochs of an object that a prediction uses: M


@dataclass(frozen=True, kw_only=True)
class Loader:
    """How training batches are sampled and read."""

    loaded_epochs: int = 60  # epochs per object, of which training views are sampled
    balance: bool = True  # sample every class equally often
    unlabelled_share: float = 0.0  # of the batch; for methods that can use them
    cache_examples: bool = False  # in memory: for small examples that are slow to make
    num_threads: int = 2  # that read records ahead, in each reading process
    num_workers: int = 0  # processes that read for training; 0: threads alone


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Random changes of training views: jaxastro/augment.py."""

    max_epochs: int = 24  # of a view; a joint norm needs representation.max_epochs
    drop: float = 0.5  # largest share of epochs dropped
    rotation: float = 180.0  # degrees, either way
    rotation_step: float = 0.0  # 90: by quarter turns, no pixel interpolated
    flip: bool = True
    drop_bands: float = 0.0  # chance of each band to be dropped from a view
    gap: float = 0.0  # longest gap in time, as a share of the object's span
    truncate: float = 0.0  # chance of a view to end early
    jitter: float = 0.0  # of a light curve's fluxes, in units of their errors


@dataclass(frozen=True)
class Component:
    """A model or a method: its registered name and its own arguments."""

    name: str = ""
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """The optimizer and its schedule: jaxastro/training/optimizer.py."""

    name: str = "adam"
    learning_rate: float = 1e-3
    warmup_steps: int = 0
    decay: str = "cosine"
    weight_decay: float = 0.0
    clip: float = 1.0  # global norm of the gradients; 0: no limit
    train_only: tuple[str, ...] = ()  # groups that learn, such as ("head",); empty: all


@dataclass(frozen=True, kw_only=True)
class MeshShape:
    """How devices share the parameters: jaxastro/training/sharding.py."""

    fsdp: int = 1  # devices that share one copy of the parameters


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """All settings of one run."""

    preset: str = "laptop"  # which sizes the experiment chose; "auto" was resolved
    seed: int = 0  # of parameters, sampling, views and dropout
    init_from: str = ""  # folder of a run whose best parameters this one starts from

    survey: str = "sdss_sn_sim/laptop"  # a data set and its preset: data_builders
    classes: tuple[str, ...] = ("AGN", "SNIa", "SNOther", "Variable")  # order of logits
    # Rows of (name, members), which are labels or other rows: levels above classes.
    hierarchy: tuple[tuple[str, tuple[str, ...]], ...] = ()

    selection: Selection = field(default_factory=Selection)
    folds: Folds = field(default_factory=Folds)
    representation: Representation = field(default_factory=Representation)
    loader: Loader = field(default_factory=Loader)
    augment: Augmentation = field(default_factory=Augmentation)

    model: Component = field(default_factory=Component)
    method: Component = field(default_factory=Component)
    optimizer: Optimizer = field(default_factory=Optimizer)
    mesh: MeshShape = field(default_factory=MeshShape)

    batch_size: int = 32  # objects, over all devices
    gradient_accumulation: int = 1  # parts a batch is computed in, to save memory
    num_steps: int = 450
    evaluate_every: int = 75  # steps; a checkpoint is saved each time
    patience: int = 0  # evaluations without a better score before stopping; 0: never
    best_metric: str = "macro_f1"  # validation score that selects the checkpoint

    def __post_init__(self):
        """Refuses numbers outside LIMITS.

        Raises:
            InputError: if one is, or is not a number.
        """
        for key, (lowest, highest) in LIMITS.items():
            value = self
            for name in key.split("."):
                value = getattr(value, name)
            if not lowest <= value <= highest:  # NaN is in no range
                limit = f"from {lowest} to {highest}"
                if highest == math.inf:
                    limit = f"{lowest} or more"
                raise InputError(
                    f"config.{key} is {value}. Expected {limit}: see the comment on "
                    "it in jaxastro/runs/spec.py."
                )

    @classmethod
    def from_dict(cls, plain: dict) -> Self:
        """Returns the spec of a dictionary, such as JSON gives; absent keys: defaults.

        Raises:
            InputError: if a key is unknown or a value has the wrong type.
        """
        return _section(cls, plain, "config")

    def to_dict(self) -> dict:
        """Returns the spec as JSON would give it back: tuples are lists."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    def replace(self, changes: dict[str, Any]) -> Self:
        """Returns the spec with some keys set, such as {"folds.test_fold": 1}.

        Raises:
            InputError: if a key is unknown or a value has the wrong type.
        """
        plain = dataclasses.asdict(self)
        for key, value in changes.items():
            *path, last = key.split(".")
            part = plain
            for name in path:
                part = part.setdefault(name, {})
            part[last] = value
        return type(self).from_dict(plain)


def read_spec(workdir: Path) -> RunSpec:
    """Returns the spec of a run folder.

    Raises:
        MissingFileError: if it is not the folder of a run.
        InputError: if its config.json cannot be read.
    """
    path = Path(workdir) / CONFIG_FILE
    if not path.exists():
        raise MissingFileError(
            f"No {path}. {workdir} is not the folder of a run. Train one with "
            f"`python -m experiments.train --config=... --workdir={workdir}`."
        )
    try:
        spec = RunSpec.from_dict(json.loads(path.read_text(encoding="utf-8")))
        if not spec.model.name:
            raise InputError("it names no model")
        return spec
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} is not the config of a run ({error}). Train again with the same "
            "command: it continues from its last checkpoint and writes the file anew."
        ) from error


def write_spec(workdir: Path, spec: RunSpec) -> None:
    """Writes the spec into a run folder, whole or not at all."""
    with atomic_write(Path(workdir) / CONFIG_FILE) as file:
        file.write(json.dumps(spec.to_dict(), indent=1))


def differences(a: dict, b: dict, where: str = "config") -> list[str]:
    """Returns one line for each key in which two plain dictionaries differ."""
    lines = []
    for key in sorted(set(a) | set(b)):
        left, right = a.get(key, "absent"), b.get(key, "absent")
        if isinstance(left, dict) and isinstance(right, dict):
            lines += differences(left, right, f"{where}.{key}")
        elif left != right:
            lines.append(f"{where}.{key}: {left} there, {right} now")
    return lines


def is_changeable(difference: str) -> bool:
    """Returns whether a run can continue with a line of `differences`."""
    return difference.partition(":")[0] in CHANGEABLE


def _section(kind: type, plain: dict, where: str):
    known = {f.name: f for f in dataclasses.fields(kind)}
    values = {}
    for key, value in plain.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise InputError(
                f"{where} has no key {key!r}.{hint} Known: {', '.join(known)}."
            )
        one = known[key]
        default = one.default
        if one.default_factory is not dataclasses.MISSING:
            default = one.default_factory()
        values[key] = _value(default, value, f"{where}.{key}")
    return kind(**values)


def _value(default, value, where: str):
    if dataclasses.is_dataclass(default) and isinstance(value, dict):
        return _section(type(default), value, where)
    if isinstance(default, float) and type(value) is int:
        return float(value)
    value = _tuples(value)
    if type(value) is not type(default):
        raise InputError(
            f"{where} is {value!r}, of type {type(value).__name__}. Expected type "
            f"{type(default).__name__}, such as {default!r}."
        )
    return value


def _tuples(value):
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_tuples(item) for item in value)
    return value
