"""Gaussian mixture prior over codes, and divergences from it."""

import math
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

WIDEST = 8.0  # largest absolute value of a log variance


class FromMixture(NamedTuple):
    """Divergence and cluster probabilities of codes.

    Source: as Mixture.
    Differs: as Mixture.
    """

    divergence: Float[Array, " b"]  # of q(code, cluster) from the mixture, nats
    log_cluster: Float[Array, "b k"]  # log p(cluster | code)


class Mixture(nn.Module):
    """Gaussians with learned weights, means and diagonal covariances.

        p(z) = sum over k of w_k N(z; m_k, s_k)
        gamma_k = w_k N(z; m_k, s_k) / p(z),  at the sampled code
        divergence = sum over k of gamma_k (KL(q | N(m_k, s_k)) + log gamma_k / w_k)

    This is the divergence of (code, cluster) with q(cluster) = gamma. It is an upper
    bound of that of the code; with one cluster it is that of two Gaussians.

    Source: Jiang et al. 2017, arXiv 1611.05148, Eqs. 12 and 16.
    Differs: none.
    """

    clusters: int

    @nn.compact
    def __call__(
        self,
        mean: Float[Array, "b d"],
        log_variance: Float[Array, "b d"],
        code: Float[Array, "b d"],
    ) -> FromMixture:
        shape = (self.clusters, code.shape[-1])
        score = self.param("score", nn.initializers.zeros, shape[:1])
        center = self.param("mean", nn.initializers.normal(1.0), shape)
        wide = self.param("log_variance", nn.initializers.zeros, shape)
        wide = jnp.clip(wide, -WIDEST, WIDEST)
        log_weight = jax.nn.log_softmax(score)

        distance = jnp.square(code[:, None] - center) / jnp.exp(wide)  # b k d
        log_density = -(distance + wide + math.log(2 * math.pi)).sum(-1) / 2
        log_cluster = jax.nn.log_softmax(log_weight + log_density)
        distance = jnp.square(mean[:, None] - center) + jnp.exp(log_variance)[:, None]
        kl = distance / jnp.exp(wide) - 1 + wide - log_variance[:, None]
        terms = kl.sum(-1) / 2 + log_cluster - log_weight
        return FromMixture((jnp.exp(log_cluster) * terms).sum(-1), log_cluster)
