"""Attention over time, one map per head and epoch instead of one number."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxastro.errors import InputError

SCORES = ("linear", "additive")


class ConvAttention(nn.Module):
    """Lets every pixel of every epoch look at the same pixel of the others.

    The score epoch i gives epoch j is a map, so a fading transient and its steady
    host galaxy may look at different epochs:
        s_ij = conv(act(q_i + k_j))              one map per head
        o_i  = sum_j v_j * softmax over observed j of s_ij

    score="linear" is act(x) = x, as published. The convolution is then linear, so
    conv(q_i) and its bias are the same for every j and cancel in the softmax: every
    i gets the same map. We compute that one map, in O(N) time and memory instead of
    O(N^2), with no approximation; the queries get no gradient, here as there.

    score="additive" is act = relu, which does not cancel: the attention that was
    meant. It needs O(N^2) products. They are formed for one query at a time and
    recomputed on the way back, so memory grows as N alone beyond the gradients' own.

    Source: Bairouk et al. 2023, A&A 673, A141 (ConvEntion), Sect. 3; after Liu et
        al. 2020, arXiv 2011.10185.
    Differs: padded epochs are masked, where the published code attends to them. The
        relu of "additive" is ours. Each head's map sees all channels of q + k, as in
        the published code; the text gives each head its own share of them.
    """

    num_heads: int
    score: str = "linear"
    score_kernel: int = 5  # pixels

    @nn.compact
    def __call__(
        self, x: Float[Array, "b t y x d"], epoch_mask: Bool[Array, "b t"]
    ) -> Float[Array, "b t y x d"]:
        width = x.shape[-1]
        if self.score not in SCORES:
            raise InputError(
                f"No attention score named {self.score!r}. Known: {', '.join(SCORES)}."
            )
        if width % self.num_heads:
            raise InputError(
                f"{width} channels cannot be shared by {self.num_heads} heads. Make "
                "the number of channels a multiple of the number of heads."
            )
        q, k, v = jnp.split(
            nn.Dense(3 * width, dtype=x.dtype, name="qkv")(x), 3, axis=-1
        )
        v = v.reshape(*v.shape[:-1], self.num_heads, width // self.num_heads)
        kernel = (self.score_kernel, self.score_kernel)
        conv = nn.Conv(self.num_heads, kernel, dtype=x.dtype, name="score")
        observed = epoch_mask[:, :, None, None, None]

        def read(score: Float[Array, "b t y x n"]) -> Float[Array, "b y x d"]:
            score = jnp.where(observed, score, jnp.finfo(score.dtype).min)
            wide = score.astype(jnp.promote_types(score.dtype, jnp.float32))
            weight = jax.nn.softmax(wide, axis=1).astype(v.dtype)
            out = jnp.einsum("btyxn,btyxnc->byxnc", weight, v)
            return out.reshape(*out.shape[:3], width)

        if self.score == "linear":
            out = read(conv(k))[:, None]  # the same for every epoch, also when merged
        elif self.is_initializing():
            out = read(conv(nn.relu(q + k)))[:, None]
        else:
            one = jax.checkpoint(lambda q_i: read(conv(nn.relu(q_i[:, None] + k))))
            out = jnp.moveaxis(jax.lax.map(one, jnp.moveaxis(q, 1, 0)), 0, 1)
        merged = nn.Conv(width, (3, 3), dtype=x.dtype, name="merge")(out)
        return jnp.broadcast_to(merged, x.shape)
