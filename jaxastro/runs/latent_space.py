"""What an auto-encoder's codes tell of the tested objects, for the report's pages."""

from functools import partial

import jax
import numpy as np
from ml_collections import ConfigDict
from sklearn.neighbors import NearestNeighbors

from jaxastro.runs.assemble import example_of_config
from jaxastro.runs.dataset import Dataset, evaluation_groups
from jaxastro.runs.predictor import Output, Predictor, aux_of_groups
from jaxastro.evaluation.clusters import fit_gaussian_mixture
from jaxastro.evaluation.predictions import LatentSpace, ObjectNumbers
from jaxastro.methods.autoencoder import draw
from jaxastro.surveys import survey_of
from jaxastro.training import sharding
from jaxastro.types import TrainState

NUM_NEIGHBOURS = 5
NUM_UNLIKELY = 12
WALKS, STEPS = 8, 7  # coordinates of the code that are walked along, places on each
NUMBERS = {"magnitude": "magpsf", "seeing": "fwhm"}  # and the columns that tell them


def numbers_by_object(dataset: Dataset, rows: np.ndarray, config) -> ObjectNumbers:
    """Returns magnitude and seeing of the first alerts, where the survey tells them."""
    names = [name for name, _ in survey_of(config.survey).columns]
    told = {key: name for key, name in NUMBERS.items() if name in names}
    if not told:
        return ObjectNumbers()
    first = np.array([dataset.stored[row].metadata[0] for row in rows])
    columns = {key: first[:, names.index(name)] for key, name in told.items()}
    return ObjectNumbers(**columns)


def latent_fields(
    dataset: Dataset,
    config: ConfigDict,
    predictor: Predictor,
    state: TrainState,
    rows: np.ndarray,
    whole: Output,
    shown: np.ndarray,
) -> tuple[ObjectNumbers, LatentSpace | None]:
    """Returns anomaly scores and clusters of objects, and what reports draw of them.

    Fewer than two objects have neither.
    """
    args, code = config.method.args, whole.embedding
    if len(code) < 2:  # nothing to lie next to, nothing to cluster
        return ObjectNumbers(), None
    surprise = whole.surprise[:, 0]
    groups = evaluation_groups(dataset, rows, config, predictor)
    cluster, center = clusters_of(config, predictor, state, groups, code)
    near = neighbours(code, shown)
    strange = np.argsort(-surprise, kind="stable")[:NUM_UNLIKELY]
    unlikely = first_stamps(dataset, rows[strange], config)
    how = {"widths": args.widths, "likelihood": args.likelihood}
    draw_all = jax.jit(
        partial(draw, size=unlikely.shape[1], **how),
        out_shardings=sharding.everywhere(predictor.mesh),
    )

    def drawn_from(codes: np.ndarray) -> np.ndarray:
        return np.asarray(draw_all(state, codes.astype(np.float32)))

    walked, at = walks(code)
    numbers = ObjectNumbers(anomaly_score=surprise, cluster=cluster)
    latent_space = LatentSpace(
        traversals=np.stack([drawn_from(codes) for codes in walked]),
        traversal_values=at,
        cluster_centers=drawn_from(center),
        neighbour_rows=near,
        neighbours=np.stack(
            [first_stamps(dataset, rows[some], config) for some in near]
        ),
        anomaly_rows=strange,
        anomalies=unlikely,
    )
    return numbers, latent_space


def first_stamps(dataset: Dataset, rows: np.ndarray, config) -> np.ndarray:
    """Returns the first alerts' stamps [n y x 3], as a network sees them."""
    make_example = example_of_config(config, max_epochs=1)
    return np.stack([make_example(dataset.stored[row]).stamp[0] for row in rows])


def clusters_of(
    config: ConfigDict,
    predictor: Predictor,
    state: TrainState,
    groups: list,
    code: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the cluster of each object [o], and the clusters' centres [k d].

    Those of the mixture that is learned; without one, of Gaussians that are fitted to
    these codes, as many as classes.
    """
    if config.method.args.prior == "mixture":
        extra = aux_of_groups(predictor, state, groups, ("log_cluster",))
        gather = jax.jit(lambda x: x, out_shardings=sharding.everywhere(predictor.mesh))
        center = np.asarray(gather(state.params["prior"]["mean"]))
        return extra["log_cluster"].argmax(1), center
    count = min(len(config.classes), len(code))
    mixture = fit_gaussian_mixture(code, count, seed=config.seed)
    return mixture.predict(code.astype(np.float64)), mixture.means_


def walks(code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns codes [w k d] along the widest coordinates, and where they are [w k].

    From the second to the 98th percentile of one, the others at their median.
    """
    low, middle, high = np.percentile(code, [2, 50, 98], axis=0)
    widest = np.argsort(low - high, kind="stable")[:WALKS]
    at = np.linspace(low[widest], high[widest], STEPS).T
    codes = np.tile(middle, (*at.shape, 1))
    for walk, coordinate in enumerate(widest):
        codes[walk, :, coordinate] = at[walk]
    return codes, at


def neighbours(code: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Returns the nearest others [s n] of some objects, in the space of codes."""
    count = min(NUM_NEIGHBOURS + 1, len(code))
    near = NearestNeighbors(n_neighbors=count).fit(code)
    found = near.kneighbors(code[places], return_distance=False)
    # Where codes are alike an object need not be its own nearest.
    pairs = zip(found, places, strict=True)
    others = [row[row != place][: count - 1] for row, place in pairs]
    return np.array(others).reshape(len(places), count - 1)
