"""From spec and task to the model, the method that trains it, and its state."""

import math
import sys
from pathlib import Path

import jax
import optax
from tqdm import tqdm

from jaxastro.augment import make_augment
from jaxastro.errors import InputError, MissingFileError
from jaxastro.methods import make_method
from jaxastro.models import MODELS, make_model
from jaxastro.runs.checks import check_augmentation, check_inputs
from jaxastro.runs.spec import RunSpec
from jaxastro.runs.task import blank_inputs
from jaxastro.training import sharding
from jaxastro.training.checkpoint import Checkpoints
from jaxastro.training.optimizer import make_optimizer
from jaxastro.training.sharding import Mesh
from jaxastro.types import Inputs, Method, Task, TrainState


def build_model(spec: RunSpec, task: Task):
    """Returns the linen module of a run, checked against its task.

    Raises:
        InputError: if the model is unknown or cannot be built for the task.
    """
    model = _make_model(spec, len(task.classes))
    check_inputs(spec, task, model.inputs)
    model.check(task)
    check_augmentation(spec, reads_catalogue=model.reads_catalogue)
    return model.for_task(task)


def reads_catalogue(spec: RunSpec) -> bool:
    """Returns whether the model reads numbers of a catalogue."""
    return _make_model(spec, len(spec.classes)).reads_catalogue


def build_method(spec: RunSpec, task: Task, mesh: Mesh) -> Method:
    """Returns the method of one run whose state is sharded over a mesh."""
    optimizer = sharding.with_summed_gradients(_build_optimizer(spec), mesh)
    method = _build_method(spec, task, optimizer, spec.seed)
    step, predict = (
        sharding.with_gathered_parameters(f, mesh)
        for f in (method.step, method.predict)
    )
    return method._replace(step=step, predict=predict)


def build_member_method(spec: RunSpec, task: Task, seed: int | jax.Array) -> Method:
    """Returns the method of one of many runs, whose state lies on one device.

    Args:
        seed: may be traced, so that one program trains runs of different seeds.
    """
    return _build_method(spec, task, _build_optimizer(spec), seed)


def abstract_state(method: Method, spec: RunSpec, task: Task, mesh: Mesh) -> TrainState:
    """Returns shapes, types and shardings of a run's state, without its values."""
    key, blank = jax.random.key(spec.seed), blank_inputs(spec, task)
    return sharding.abstract_state(method.init, mesh, key, blank)


def mesh_for(spec: RunSpec) -> Mesh:
    """Returns the mesh of a run, as far as the devices there are allow."""
    return sharding.make_mesh(math.gcd(spec.mesh.fsdp, jax.device_count()))


def count_parameters(spec: RunSpec, task: Task) -> int:
    """Returns how many numbers of one network are trained."""
    method = build_method(spec, task, sharding.make_mesh(1, jax.devices()[:1]))
    key, blank = jax.random.key(0), blank_inputs(spec, task)
    params = jax.eval_shape(method.init, key, blank).params
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def input_shapes(
    blank: Inputs, *, num_objects: int, epochs: int, sharding=None
) -> Inputs:
    """Returns the shapes of inputs of so many objects and epochs, without values."""

    def shape(name: str):
        one = getattr(blank, name)
        rest = (epochs, *one.shape[2:]) if name in blank.OF_EPOCHS else one.shape[1:]
        return jax.ShapeDtypeStruct((num_objects, *rest), one.dtype, sharding=sharding)

    return type(blank)(*map(shape, blank._fields))


def state_metric(spec: RunSpec) -> str:
    """Returns the score that selects a run's state; "step": the last one is kept."""
    return "step" if spec.folds.held_out == "nothing" else spec.best_metric


def restore_best(workdir: Path, spec: RunSpec, abstract: TrainState) -> TrainState:
    """Returns the selected state of a run, with the shardings of `abstract`.

    Damaged checkpoints are skipped; each is named on standard error.

    Raises:
        MissingFileError: if there is no complete checkpoint.
    """
    if not (workdir / "checkpoints").is_dir():
        raise MissingFileError(
            f"No {workdir / 'checkpoints'}. Train the run with python -m "
            f"experiments.train --workdir={workdir}."
        )
    checkpoints = Checkpoints(workdir / "checkpoints", metric=state_metric(spec))
    for sentence in checkpoints.damaged:
        tqdm.write(sentence, file=sys.stderr)
    step = checkpoints.best_step()
    if step is None:
        raise MissingFileError(
            f"{workdir} holds no complete checkpoint with a score. Train it with "
            f"python -m experiments.train --workdir={workdir}."
        )
    return checkpoints.restore(step, abstract)


def _make_model(spec: RunSpec, num_classes: int):
    args = spec.model.args
    try:
        return make_model(spec.model.name, num_classes=num_classes, **args)
    except TypeError as error:
        model = MODELS[spec.model.name]
        known = sorted(
            name
            for name in model.__dataclass_fields__
            if name not in ("parent", "name", "num_classes", *model.set_by_task)
        )
        raise InputError(
            f"config.model.args of {spec.model.name} cannot be used: {error}. Known: "
            f"{', '.join(known)}."
        ) from error


def _build_optimizer(spec: RunSpec) -> optax.GradientTransformation:
    return make_optimizer(num_steps=spec.num_steps, **vars(spec.optimizer))


def _build_method(spec: RunSpec, task: Task, optimizer, seed) -> Method:
    return make_method(
        spec.method.name,
        build_model(spec, task),
        optimizer,
        make_augment(**vars(spec.augment)),
        seed=seed,
        gradient_accumulation=spec.gradient_accumulation,
        train_only=spec.optimizer.train_only,
        **spec.method.args,
    )
