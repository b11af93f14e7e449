"""Linear least squares for many epochs that share some of their unknowns."""

from typing import NamedTuple

import numpy as np


class JointFit(NamedTuple):
    """The unknowns of each epoch, those of all, and how well the first is known."""

    own: np.ndarray  # t k
    shared: np.ndarray  # j
    variance: np.ndarray  # t      of the first, were the shared unknowns known
    covariance: np.ndarray  # t t  of the first, in truth


def joint_fit(
    data: np.ndarray,
    weight: np.ndarray,
    *,
    own: np.ndarray,
    own_precision: np.ndarray,
    shared: np.ndarray,
    shared_precision: np.ndarray,
) -> JointFit:
    """Returns the least-squares solution, in a and s, of

        data_t = own_t @ a_t + shared_t @ s + noise_t

    under a normal prior of mean zero on every unknown. Each epoch's own unknowns are
    eliminated first, so the cost grows with the number of epochs, not with its cube.

    Args:
        data: [t p].
        weight: [t p] inverse variances of the noise, 0 where nothing was measured.
        own: [t p k].
        own_precision: [k] inverse variances of the prior; 0 where there is none.
        shared: [t p j]; j may be 0.
        shared_precision: [j].
    """
    across = (own * weight[..., None]).swapaxes(1, 2)  # t k p
    inverse = np.linalg.inv(across @ own + np.diag(own_precision))
    right = (across @ data[..., None])[..., 0]  # t k
    alone = np.einsum("tkl,tl->tk", inverse, right)
    cross = across @ shared  # t k j
    response = inverse @ cross  # t k j: what a_t loses per unit of s

    num_shared = shared.shape[-1]
    root = (np.sqrt(weight)[..., None] * shared).reshape(-1, num_shared)
    normal = root.T @ root + np.diag(shared_precision)
    normal -= np.tensordot(cross, response, axes=((0, 1), (0, 1)))
    target = np.tensordot(weight * data, shared, axes=2)
    target -= np.tensordot(right, response, axes=2)
    covariance = np.linalg.inv(normal)
    solution = covariance @ target
    variance, first = inverse[:, 0, 0], response[:, 0]
    return JointFit(
        own=alone - response @ solution,
        shared=solution,
        variance=variance,
        covariance=np.diag(variance) + first @ covariance @ first.T,
    )
