"""Transformer block over the epochs of a series."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


class AttentionBlock(nn.Module):
    """Self-attention over the observed epochs, then a feed-forward layer per epoch.

        x = x + attention(norm(x));  x = x + dense(gelu(dense(norm(x))))
    No epoch attends to padded epochs; with `causal`, none attends to later ones.

    Source: Vaswani et al. 2017, with pre-norm (Xiong et al. 2020, arXiv
        2002.04745).
    Differs: no dropout; the hidden layer is twice as wide, not four times.
    """

    num_heads: int
    causal: bool = False

    @nn.compact
    def __call__(
        self, x: Float[Array, "b t d"], mask: Bool[Array, "b t"]
    ) -> Float[Array, "b t d"]:
        width, seen = x.shape[-1], mask[:, None, None]
        if self.causal:
            seen = seen & jnp.tril(jnp.ones((x.shape[1], x.shape[1]), bool))
        attend = nn.MultiHeadDotProductAttention(self.num_heads, name="attention")
        x = x + attend(nn.LayerNorm(name="norm_0")(x), mask=seen)
        y = nn.Dense(2 * width, name="dense_0")(nn.LayerNorm(name="norm_1")(x))
        return x + nn.Dense(width, name="dense_1")(nn.gelu(y))
