"""Weights with normal distributions: Bayes by backprop."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

# Prior: a mixture of two normal distributions with mean 0. SHARE is the weight of the
# wide one, WIDE and NARROW are the standard deviations.
SHARE, WIDE, NARROW = 0.75, np.exp(-1.0), np.exp(-7.0)
NARROWEST = 1e-5  # smallest standard deviation of a weight


def initial_rho(key: Key[Array, ""], shape: tuple[int, ...]) -> Float[Array, "*w"]:
    """Returns initial rho: standard deviations of 1/4 to 1/3 of that of the prior.

    Source: published code of SuperNNova, Moller & de Boissiere 2020, MNRAS 491, 4277.
    Differs: none.
    """
    prior = np.sqrt(SHARE * WIDE**2 + (1 - SHARE) * NARROW**2)
    low, high = (np.log(np.expm1(prior / n)) for n in (4, 3))
    return jax.random.uniform(key, shape, minval=low, maxval=high)


def standard_deviation(rho: Float[Array, "*w"]) -> Float[Array, "*w"]:
    """Returns the standard deviation of a weight, log(1 + e^rho) + 1e-5.

    Source: Blundell et al. 2015, arXiv 1505.05424, Sect. 3.2.
    Differs: the 1e-5, from the published code of SuperNNova.
    """
    return jax.nn.softplus(rho) + NARROWEST


def sample_weights(key: Key[Array, ""], mean, rho):
    """Samples a tree of weights; returns it with the sum of log q - log p.

        w = mean + deviation * noise,  noise ~ N(0, 1)
        log q = sum log N(w; mean, deviation),  log p = sum log (share N(w; 0, wide)
                                                        + (1 - share) N(w; 0, narrow))

    Args:
        mean: tree of the means of the weights.
        rho: tree of the same structure; see `standard_deviation`.
    Source: Blundell et al. 2015, arXiv 1505.05424, Eq. 2 and Sect. 3.3.
    Differs: none.
    """
    leaves, structure = jax.tree.flatten(mean)
    keys = jax.random.split(key, len(leaves))
    weights, divergence = [], 0.0
    for leaf_key, leaf, leaf_rho in zip(
        keys, leaves, jax.tree.leaves(rho), strict=True
    ):
        noise = jax.random.normal(leaf_key, leaf.shape)
        deviation = standard_deviation(leaf_rho)
        weight = leaf + deviation * noise
        # Both log densities omit the constant -log(2 pi) / 2, which cancels.
        log_q = -(noise**2) / 2 - jnp.log(deviation)
        log_p = jnp.logaddexp(
            np.log(SHARE / WIDE) - (weight / WIDE) ** 2 / 2,
            np.log((1 - SHARE) / NARROW) - (weight / NARROW) ** 2 / 2,
        )
        weights.append(weight)
        divergence += jnp.sum(log_q - log_p)
    return jax.tree.unflatten(structure, weights), divergence
