"""Encodes light curves by attention between visits."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxastro.layers.attention_block import AttentionBlock
from jaxastro.layers.encoding import date_features
from jaxastro.layers.gaps import append_gaps
from jaxastro.layers.pooling import max_over_time, mean_over_time
from jaxastro.layers.visits import (
    Visits,
    find_visits,
    knots_of_epochs,
    merge_visits,
    other_mean,
    summarise_visits,
)
from jaxastro.types import LightCurve, Series


class VisitEncoder(nn.Module):
    """Encodes light curves by attention between visits; all bands of one in a token.

        token = dense([values of the visit at each wavelength, cover, date, gap])
        x = AttentionBlock(x), num_blocks times
        embedding = [max and mean over the visits of norm(x), summary of the values]
    Values are brightness, signal to noise, error, and the change since the other visits
    (if `causal` the earlier ones) in units of its error. The summary is that of
    `summarise_visits`. With `causal` the state of a visit depends on earlier ones only.

    Source: ours; compare transformers of light curves: Pimentel et al. 2022, AJ 165,
        18; fluxes of a night together: Moller & de Boissiere 2020, MNRAS 491, 4277.
    Differs: fluxes of one night are one token, on a grid of wavelengths.
    """

    wavelengths: tuple[float, ...]
    width: int
    num_blocks: int
    num_heads: int
    causal: bool
    longest: float
    num_visits: int

    @nn.compact
    def __call__(
        self,
        flux: Float[Array, "b t m"],
        error: Float[Array, "b t m"],
        scale: float,
        more: Float[Array, "b t f"],
        inputs: Series | LightCurve,
    ) -> tuple[Float[Array, "b d"], Visits]:
        visits = find_visits(inputs, self.longest, self.num_visits)
        knots = knots_of_epochs(inputs, self.wavelengths).astype(flux.dtype)
        mean, mean_error = other_mean(
            flux, error, inputs, visits.night, causal=self.causal
        )
        change = (flux - mean) / jnp.hypot(error, mean_error)
        columns = flux / scale, flux / error, change
        columns = *map(jnp.arcsinh, columns), jnp.log(error / scale), more
        values = jnp.concatenate(columns, axis=-1)
        merged, cover = merge_visits(values, knots, visits)
        b, v = visits.mask.shape
        x = jnp.concatenate([merged.reshape(b, v, -1), cover], -1)
        x = jnp.concatenate([x, date_features(visits.time).astype(x.dtype)], -1)
        x = append_gaps(x, visits.time, visits.mask, "gaps")
        x = nn.Dense(self.width, name="token")(x)
        for i in range(self.num_blocks):
            block = AttentionBlock(self.num_heads, self.causal, name=f"block_{i}")
            x = block(x, visits.mask)
        x = nn.LayerNorm(name="norm")(x)
        pooled = max_over_time(x, visits.mask), mean_over_time(x, visits.mask)
        summary = summarise_visits(merged, cover)
        return jnp.concatenate([*pooled, summary], -1), visits
