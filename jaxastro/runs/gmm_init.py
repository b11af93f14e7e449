"""Initialises the Gaussian-mixture prior of a clustering auto-encoder."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils

from jaxastro.evaluation.clusters import fit_gaussian_mixture
from jaxastro.methods.autoencoder import set_mixture
from jaxastro.runs.dataset import Dataset
from jaxastro.runs.input_pipeline import predict_rows
from jaxastro.runs.model_building import abstract_state
from jaxastro.runs.predictor import Predictor
from jaxastro.runs.spec import RunSpec
from jaxastro.training import sharding
from jaxastro.types import Method, Task, TrainState


def with_fitted_mixture(
    state: TrainState,
    method: Method,
    spec: RunSpec,
    task: Task,
    dataset: Dataset,
    mesh,
    log: Callable[[str], None],
) -> TrainState:
    """Returns a state whose prior is fitted to the codes of the training objects.

    All processes use the fit of the first: theirs may differ in the last bit.
    """
    abstract = abstract_state(method, spec, task, mesh)
    predictor = Predictor(spec, task, method, abstract, mesh)
    output = predict_rows(predictor, state, dataset, dataset.rows["train"])
    code, clusters = output.embedding, spec.method.args["clusters"]
    fit = fit_gaussian_mixture(code, clusters, seed=spec.seed)
    share = ", ".join(f"{weight:.0%}" for weight in sorted(fit.weights_)[::-1])
    log(f"A mixture of {clusters} clusters starts from {len(code)} codes: {share}")
    found = [np.float32(x) for x in (fit.weights_, fit.means_, fit.covariances_)]
    found = multihost_utils.broadcast_one_to_all(found)
    new = set_mixture(state, *map(jnp.asarray, found))
    return jax.tree.map(sharding.put_like, new, state)
