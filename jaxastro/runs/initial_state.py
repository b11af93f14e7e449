"""The state a run begins with: new, or what another run learned."""

from jaxastro.errors import InputError
from pathlib import Path

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from jaxastro.runs import assemble
from jaxastro.runs.dataset import Dataset
from jaxastro.runs.predictor import abstract_state, restore_best
from jaxastro.runs.gmm_init import with_fitted_mixture
from jaxastro.training import sharding
from jaxastro.types import Method, TrainState

# What is taken over -> what stands for it where that run has none.
PARTS = {
    "params": "params",
    "batch_stats": "batch_stats",
    "target_params": "params",
    "target_batch_stats": "batch_stats",
}


def new_state(
    method: Method, config: ConfigDict, mesh, say, dataset: Dataset
) -> TrainState:
    """Returns a run's first state: drawn, or with config.init_from's best parameters.

    Its arrays are taken over where name and shape agree; others, such as the last
    layer where there are other classes, stay new, and are told. The optimizer starts
    anew. Where one of the two methods keeps the model as the "encoder" of a larger
    network and the other does not, the encoder alone is taken over. A target network
    for which that run has none starts as the parameters that are taken over; a mixture
    of codes, fitted to those of the training objects.

    Raises:
        FileNotFoundError: if config.init_from holds no trained run.
        ValueError: if it holds another model, or not one array agrees.
    """
    places = sharding.places(abstract_state(method, config, mesh))
    key, blank = jax.random.key(config.seed), assemble.blank_inputs(config)
    state = jax.jit(method.init, out_shardings=places)(key, blank)
    if not config.init_from:
        return state
    source = Path(config.init_from)
    other = assemble.read_config(source)
    others = getattr(assemble.model_of_config(config), "starts_from", ())
    if other.model.name not in (config.model.name, *others):
        raise InputError(
            f"config.init_from={source} holds a {other.model.name}, this run trains a "
            f"{config.model.name}. Start from a run of the same model{_or(others)}."
        )
    theirs = assemble.method_of_config(other, mesh)
    learned = restore_best(source, other, abstract_state(theirs, other, mesh))
    if other.method.args.get("average_decay"):  # the mean is what predicted there
        params, statistics = learned.target_params, learned.target_batch_stats
        learned = learned._replace(params=params, batch_stats=statistics)
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
                # a copy: an array that stands in the state twice cannot be donated
                return sharding.placed_like(jnp.copy(old[path]), new)
            kept.append(f"{part}{jax.tree_util.keystr(path)} {new.shape}")
            return new

        taken[part] = jax.tree_util.tree_map_with_path(take, getattr(state, part))
    count = len(jax.tree.leaves(taken))
    if len(kept) == count:
        raise InputError(
            f"Not one of {count} arrays of config.init_from={source} has the shape "
            "that this model needs. Set config.model.args as that run has them."
        )
    new = f"; new: {', '.join(kept)}" if kept else ""
    say(f"Starting from {source}: {count - len(kept)} of {count} arrays{new}")
    state = state._replace(**taken)
    if any(name.startswith("params['prior']") for name in kept):
        return with_fitted_mixture(state, method, config, dataset, mesh, say)
    return state


def _or(others: tuple[str, ...]) -> str:
    return f" or of {' or '.join(others)}" if others else ""
