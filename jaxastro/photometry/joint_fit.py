"""Linear least squares for many epochs that share some of their parameters."""

from typing import NamedTuple

import numpy as np


class JointFit(NamedTuple):
    """Fitted parameters, and the covariance of the first parameter of each epoch."""

    own: np.ndarray  # t k         parameters of each epoch
    shared: np.ndarray  # j        parameters of all epochs together
    variance: np.ndarray  # t      of the first one, at fixed shared parameters
    covariance: np.ndarray  # t t  of the first one, with the shared parameters free


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

    with a normal prior of mean zero on every parameter. The parameters of single
    epochs are eliminated first, so the cost is linear in the number of epochs.

    Args:
        data: [t p].
        weight: [t p], inverse variances of the noise; 0 for pixels without data.
        own: [t p k], design matrix of each epoch's own parameters.
        own_precision: [k], inverse variances of their prior; 0 for no prior.
        shared: [t p j], design matrix of the shared parameters; j may be 0.
        shared_precision: [j], inverse variances of their prior.
    """
    across = (own * weight[..., None]).swapaxes(1, 2)  # t k p
    inverse = np.linalg.inv(across @ own + np.diag(own_precision))
    right = (across @ data[..., None])[..., 0]  # t k
    own_only = np.einsum("tkl,tl->tk", inverse, right)  # solution for s = 0
    cross = across @ shared  # t k j
    response = inverse @ cross  # t k j: -d a_t / d s

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
        own=own_only - response @ solution,
        shared=solution,
        variance=variance,
        covariance=np.diag(variance) + first @ covariance @ first.T,
    )
