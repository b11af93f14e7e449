"""Codes of an auto-encoder for the tested objects, as the report shows them."""

from functools import partial

import jax
import numpy as np
from sklearn.neighbors import NearestNeighbors

from jaxastro.evaluation.clusters import fit_gaussian_mixture
from jaxastro.evaluation.predictions import LatentSpace, ObjectNumbers
from jaxastro.methods.autoencoder import decode
from jaxastro.runs.dataset import Dataset
from jaxastro.runs.input_pipeline import auxiliary_outputs
from jaxastro.runs.predictor import Output, Predictor
from jaxastro.training import sharding
from jaxastro.types import TrainState

NUM_NEIGHBOURS = 5
NUM_UNLIKELY = 12
WALKS, STEPS = 8, 7  # coordinates of the code that are walked along, places on each
NUMBERS = {"magnitude": "magpsf", "seeing": "fwhm"}  # and the columns that tell them


def numbers_by_object(dataset: Dataset, rows: np.ndarray) -> ObjectNumbers:
    """Returns magnitude and seeing [o] of the first alerts, if the survey has them."""
    names = [name for name, _ in dataset.survey.columns]
    known = {key: name for key, name in NUMBERS.items() if name in names}
    if not known:
        return ObjectNumbers()
    first = np.array([dataset.stored[row].metadata[0] for row in rows])
    columns = {key: first[:, names.index(name)] for key, name in known.items()}
    return ObjectNumbers(**columns)


def latent_fields(
    dataset: Dataset,
    predictor: Predictor,
    state: TrainState,
    rows: np.ndarray,
    whole: Output,
    shown: np.ndarray,
) -> tuple[ObjectNumbers, LatentSpace | None]:
    """Returns anomaly scores and clusters of objects, and what reports draw of them.

    Fewer than two objects have neither.
    """
    args, code = predictor.spec.method.args, whole.embedding
    if len(code) < 2:  # nothing to lie next to, nothing to cluster
        return ObjectNumbers(), None
    negative_elbo = whole.negative_elbo[:, 0]
    cluster, center = clusters_of(dataset, predictor, state, rows, code)
    near = neighbours(code, shown)
    strange = np.argsort(-negative_elbo, kind="stable")[:NUM_UNLIKELY]
    unlikely = first_stamps(dataset, predictor, rows[strange])
    how = {"widths": args["widths"], "likelihood": args["likelihood"]}
    draw_all = jax.jit(
        partial(decode, size=unlikely.shape[1], **how),
        out_shardings=sharding.replicated(predictor.mesh),
    )

    def drawn_from(codes: np.ndarray) -> np.ndarray:
        return np.asarray(draw_all(state, codes.astype(np.float32)))

    walked, at = walks(code)
    numbers = ObjectNumbers(anomaly_score=negative_elbo, cluster=cluster)
    latent_space = LatentSpace(
        traversals=np.stack([drawn_from(codes) for codes in walked]),
        traversal_values=at,
        cluster_centers=drawn_from(center),
        neighbour_rows=near,
        neighbours=np.stack(
            [first_stamps(dataset, predictor, rows[some]) for some in near]
        ),
        anomaly_rows=strange,
        anomalies=unlikely,
    )
    return numbers, latent_space


def first_stamps(
    dataset: Dataset, predictor: Predictor, rows: np.ndarray
) -> np.ndarray:
    """Returns the first alerts' stamps [n y x 3], normalised as the model's input."""
    make_example = predictor.example_maker(max_epochs=1)
    return np.stack([make_example(dataset.stored[row]).stamp[0] for row in rows])


def clusters_of(
    dataset: Dataset,
    predictor: Predictor,
    state: TrainState,
    rows: np.ndarray,
    code: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the cluster of each object [o], and the clusters' centres [k d].

    Those of the mixture that is learned; without one, of Gaussians that are fitted to
    these codes, as many as classes.
    """
    spec = predictor.spec
    if spec.method.args["prior"] == "mixture":
        extra = auxiliary_outputs(predictor, state, dataset, rows, ("log_cluster",))
        gather = jax.jit(lambda x: x, out_shardings=sharding.replicated(predictor.mesh))
        center = np.asarray(gather(state.params["prior"]["mean"]))
        return extra["log_cluster"].argmax(1), center
    count = min(len(predictor.task.classes), len(code))
    mixture = fit_gaussian_mixture(code, count, seed=spec.seed)
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
