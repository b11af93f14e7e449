"""How well clusters that no label made are the classes."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.mixture import GaussianMixture

from jaxastro.errors import InputError


def fit_gaussian_mixture(
    code: np.ndarray, clusters: int, *, seed: int
) -> GaussianMixture:
    """Returns the best of five mixtures of Gaussians, each of variances of its own.

    Args:
        code: [o d], at least as many as clusters.
    Raises:
        ValueError: if they are fewer.
    """
    if len(code) < clusters:
        raise InputError(
            f"{len(code)} codes cannot make {clusters} clusters. Ask for fewer, in "
            "config.method.args.clusters, or give more objects."
        )
    mixture = GaussianMixture(
        clusters, covariance_type="diag", reg_covar=1e-4, n_init=5, random_state=seed
    )
    return mixture.fit(np.asarray(code, np.float64))


def cluster_scores(label: np.ndarray, cluster: np.ndarray) -> dict[str, float]:
    """Returns what clusters tell of the classes; 1 is best, and chance 0 of ari alone.

    cluster_accuracy: of the best matching of one cluster to each class, objects of
    clusters without a class counted as wrong; purity: of each cluster's commonest
    class; nmi: normalised mutual information; ari: adjusted Rand index.

    Args:
        label, cluster: [o] integers from 0.
    """
    table = np.zeros((label.max() + 1, cluster.max() + 1), int)
    np.add.at(table, (label, cluster), 1)
    rows, columns = linear_sum_assignment(-table)
    return {
        "cluster_accuracy": float(table[rows, columns].sum() / len(label)),
        "purity": float(table.max(0).sum() / len(label)),
        "nmi": float(normalized_mutual_info_score(label, cluster)),
        "ari": float(adjusted_rand_score(label, cluster)),
    }
