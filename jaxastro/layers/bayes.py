"""Weights that are distributions: Bayes by backprop."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

# Of the prior, two normal laws about 0: the share of the wide one, and their widths.
SHARE, WIDE, NARROW = 0.75, np.exp(-1.0), np.exp(-7.0)
NARROWEST = 1e-5  # of a weight's own standard deviation


def initial_rho(key: Key[Array, ""], shape: tuple[int, ...]) -> Float[Array, "*w"]:
    """Returns where the spreads of weights start: a quarter to a third of the prior's.

    Source: published code of SuperNNova, Moller & de Boissiere 2020, MNRAS 491, 4277.
    Differs: none.
    """
    prior = np.sqrt(SHARE * WIDE**2 + (1 - SHARE) * NARROW**2)
    low, high = (np.log(np.expm1(prior / n)) for n in (4, 3))
    return jax.random.uniform(key, shape, minval=low, maxval=high)


def standard_deviation(rho: Float[Array, "*w"]) -> Float[Array, "*w"]:
    """Returns a weight's standard deviation, log(1 + e^rho), never quite 0.

    Source: Blundell et al. 2015, arXiv 1505.05424, Sect. 3.2.
    Differs: a floor of 1e-5, as in the published code of SuperNNova.
    """
    return jax.nn.softplus(rho) + NARROWEST


def sample_weights(key: Key[Array, ""], mean, rho):
    """Returns one draw of a tree of weights, and its log q - log p, summed.

        w = mean + spread e,  e ~ N(0, 1)
        log q = sum log N(w; mean, spread),  log p = sum log (share N(w; 0, wide)
                                                        + (1 - share) N(w; 0, narrow))

    Args:
        mean: the tree.
        rho: another of the same form.
    Source: Blundell et al. 2015, arXiv 1505.05424, Eq. 2 and Sect. 3.3.
    Differs: none.
    """
    leaves, form = jax.tree.flatten(mean)
    keys = jax.random.split(key, len(leaves))
    drawn, divergence = [], 0.0
    for one, centre, its_rho in zip(keys, leaves, jax.tree.leaves(rho), strict=True):
        luck, spread = jax.random.normal(one, centre.shape), standard_deviation(its_rho)
        weight = centre + spread * luck
        log_q = -(luck**2) / 2 - jnp.log(spread)
        log_p = jnp.logaddexp(
            np.log(SHARE / WIDE) - (weight / WIDE) ** 2 / 2,
            np.log((1 - SHARE) / NARROW) - (weight / NARROW) ** 2 / 2,
        )
        drawn.append(weight)  # both lack the same constant, log(2 pi) / 2
        divergence += jnp.sum(log_q - log_p)
    return jax.tree.unflatten(form, drawn), divergence
