"""The state a run starts with: new, or taken from another run."""

from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp

from jaxastro.errors import InputError
from jaxastro.runs.dataset import Dataset
from jaxastro.runs.gmm_init import with_fitted_mixture
from jaxastro.runs.model_building import (
    abstract_state,
    build_method,
    build_model,
    restore_best,
)
from jaxastro.runs.spec import RunSpec, read_spec
from jaxastro.runs.task import blank_inputs, read_task
from jaxastro.training import sharding
from jaxastro.types import Method, Task, TrainState

# Part of the state -> part that replaces it where the other run has none.
PARTS = {
    "params": "params",
    "batch_stats": "batch_stats",
    "target_params": "params",
    "target_batch_stats": "batch_stats",
}


def initial_state(
    method: Method,
    spec: RunSpec,
    task: Task,
    mesh,
    log: Callable[[str], None],
    dataset: Dataset,
) -> TrainState:
    """Returns a run's first state: random, or with config.init_from's best parameters.

    Arrays are copied where name and shape agree; others, such as the last layer where
    the classes differ, stay new and are logged. The optimizer starts anew. Where one of
    the two methods keeps the model as the "encoder" of a larger network and the other
    does not, the encoder alone is copied. A target network that the other run does not
    have starts as the copied parameters; a mixture of codes is fitted to those of the
    training objects.

    Raises:
        MissingFileError: if config.init_from holds no trained run.
        InputError: if it holds another model, or not one array agrees.
    """
    places = sharding.shardings_of(abstract_state(method, spec, task, mesh))
    key, blank = jax.random.key(spec.seed), blank_inputs(spec, task)
    state = jax.jit(method.init, out_shardings=places)(key, blank)
    if not spec.init_from:
        return state
    source = Path(spec.init_from)
    other, other_task = read_spec(source), read_task(source)
    related = build_model(spec, task).starts_from
    if other.model.name not in (spec.model.name, *related):
        models = " or ".join(["the same model", *related])
        raise InputError(
            f"config.init_from={source} holds a {other.model.name}, this run trains a "
            f"{spec.model.name}. Start from a run of {models}."
        )
    theirs = build_method(other, other_task, mesh)
    abstract = abstract_state(theirs, other, other_task, mesh)
    learned = restore_best(source, other, abstract)
    if theirs.predicts_with_target:
        params, statistics = learned.target_params, learned.target_batch_stats
        learned = learned._replace(params=params, batch_stats=statistics)
    taken, kept = _copy_parts(state, learned)
    count = len(jax.tree.leaves(taken))
    if len(kept) == count:
        raise InputError(
            f"Not one of {count} arrays of config.init_from={source} has the shape "
            "that this model needs. Set config.model.args as that run has them."
        )
    new = f"; new: {', '.join(kept)}" if kept else ""
    log(f"Starting from {source}: {count - len(kept)} of {count} arrays{new}")
    state = state._replace(**taken)
    if any(name.startswith("params['prior']") for name in kept):
        return with_fitted_mixture(state, method, spec, task, dataset, mesh, log)
    return state


def _copy_parts(state: TrainState, learned: TrainState) -> tuple[dict, list[str]]:
    """Returns the parts with what was learned, and the names of arrays that stay."""
    ours_has, theirs_has = ("encoder" in s.params for s in (state, learned))
    taken, kept = {}, []
    for part, of_online in PARTS.items():
        old = getattr(learned, part) or getattr(learned, of_online)
        if ours_has and not theirs_has:
            old = {"encoder": old}
        elif theirs_has and not ours_has:
            old = old.get("encoder", {})
        old = dict(jax.tree.leaves_with_path(old))

        def take(path, new, old=old, part=part):
            if path in old and old[path].shape == new.shape:
                # A copy: an array that is in the state twice cannot be donated.
                return sharding.put_like(jnp.copy(old[path]), new)
            kept.append(f"{part}{jax.tree_util.keystr(path)} {new.shape}")
            return new

        taken[part] = jax.tree_util.tree_map_with_path(take, getattr(state, part))
    return taken, kept
