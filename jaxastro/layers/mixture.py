"""A mixture of Gaussians over codes, and how far one code's distribution is from it."""

import math
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

WIDEST = 8.0  # of a log variance, either way


class FromMixture(NamedTuple):
    """What a mixture says of some codes.

    Source: as Mixture.
    Differs: the same.
    """

    divergence: Float[Array, " b"]  # of q(code) from the mixture, nats
    log_cluster: Float[Array, "b k"]  # log p(cluster | code)


class Mixture(nn.Module):
    """Gaussians with variances of their own in each direction, and their weights.

        p(z) = sum over k of w_k N(z; m_k, s_k)
        gamma_k = w_k N(z; m_k, s_k) / p(z),  at the code that was drawn
        divergence = sum over k of gamma_k (KL(q | N(m_k, s_k)) + log gamma_k / w_k)

    The divergence is that of (code, cluster), gamma taken for q(cluster), and so never
    below that of the codes alone; with one cluster it is that of two Gaussians.

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

        away = jnp.square(code[:, None] - center) / jnp.exp(wide)  # b k d
        log_density = -(away + wide + math.log(2 * math.pi)).sum(-1) / 2
        log_cluster = jax.nn.log_softmax(log_weight + log_density)
        away = jnp.square(mean[:, None] - center) + jnp.exp(log_variance)[:, None]
        apart = away / jnp.exp(wide) - 1 + wide - log_variance[:, None]
        each = apart.sum(-1) / 2 + log_cluster - log_weight
        return FromMixture((jnp.exp(log_cluster) * each).sum(-1), log_cluster)
