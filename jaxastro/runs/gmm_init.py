"""The mixture that a clustering auto-encoder starts from: fitted to codes there are."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from ml_collections import ConfigDict

from jaxastro.runs.dataset import Dataset, evaluation_groups
from jaxastro.runs.predictor import Predictor, abstract_state
from jaxastro.runs.early_classification import predict_groups
from jaxastro.evaluation.clusters import fit_gaussian_mixture
from jaxastro.methods.autoencoder import with_mixture
from jaxastro.training import sharding
from jaxastro.types import Method, TrainState


def with_fitted_mixture(
    state: TrainState, method: Method, config: ConfigDict, dataset: Dataset, mesh, say
) -> TrainState:
    """Returns a state whose prior is fitted to the codes of the training objects.

    Of several processes all take the fit of the first: theirs may differ by a bit.
    """
    predictor = Predictor(config, method, abstract_state(method, config, mesh), mesh)
    groups = evaluation_groups(dataset, dataset.rows["train"], config, predictor)
    code = predict_groups(predictor, state, groups).embedding
    clusters = config.method.args.clusters
    fit = fit_gaussian_mixture(code, clusters, seed=config.seed)
    share = ", ".join(f"{weight:.0%}" for weight in sorted(fit.weights_)[::-1])
    say(f"A mixture of {clusters} clusters starts from {len(code)} codes: {share}")
    found = [np.float32(x) for x in (fit.weights_, fit.means_, fit.covariances_)]
    found = multihost_utils.broadcast_one_to_all(found)
    new = with_mixture(state, *map(jnp.asarray, found))
    return jax.tree.map(sharding.placed_like, new, state)
