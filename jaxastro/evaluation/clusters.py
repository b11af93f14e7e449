"""Agreement of unsupervised clusters with the classes."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.mixture import GaussianMixture

from jaxastro.errors import InputError


def fit_gaussian_mixture(
    code: np.ndarray, clusters: int, *, seed: int
) -> GaussianMixture:
    """Returns the most likely of five Gaussian mixtures with diagonal covariances.

    Args:
        code: [o d], at least as many rows as clusters.
        clusters: number of components.
    Raises:
        InputError: if there are fewer rows.
    """
    if len(code) < clusters:
        raise InputError(
            f"{len(code)} codes cannot form {clusters} clusters. Reduce "
            "config.method.args.clusters, or give more objects."
        )
    mixture = GaussianMixture(
        clusters, covariance_type="diag", reg_covar=1e-4, n_init=5, random_state=seed
    )
    return mixture.fit(np.asarray(code, np.float64))


def cluster_scores(label: np.ndarray, cluster: np.ndarray) -> dict[str, float]:
    """Returns four scores of a clustering; 1 is best, and only ari is 0 by chance.

        cluster_accuracy  of the best one-to-one matching of clusters to classes;
                          objects of unmatched clusters count as wrong
        purity            share of objects in the most frequent class of their cluster
        nmi               normalised mutual information
        ari               adjusted Rand index

    Args:
        label: [o], classes from 0.
        cluster: [o], clusters from 0.
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
