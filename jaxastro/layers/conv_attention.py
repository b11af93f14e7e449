"""Convolutional attention over epochs, with a score map per head."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxastro.errors import InputError

SCORES = ("linear", "additive")


class ConvAttention(nn.Module):
    """Attention between epochs, separately at every pixel.

    The score of epoch j for query epoch i is a map. So the pixels of a transient and
    those of its host galaxy can attend to different epochs:
        s_ij = conv(act(q_i + k_j))              one map per head
        o_i  = sum_j v_j * softmax over observed j of s_ij

    score="linear" is act(x) = x, as published. The convolution is then linear, so
    conv(q_i) and its bias are the same for every j and cancel in the softmax: every
    query has the same output. This one output is computed in O(N) time and memory
    instead of O(N^2), without approximation. The queries get no gradient, as in the
    published code.

    score="additive" is act = relu, which does not cancel: the query-dependent
    attention that the paper describes. It needs O(N^2) products. They are computed for
    one query at a time and recomputed in the backward pass, so that memory is O(N)
    apart from that of the gradients.

    Source: Bairouk et al. 2023, A&A 673, A141 (ConvEntion), Sect. 3; after Liu et
        al. 2020, arXiv 2011.10185.
    Differs: padded epochs are masked; the published code attends to them. The relu of
        "additive" is ours. The score of each head uses all channels of q + k, as in
        the published code; in the paper's text each head has its own channels.
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
                f"{width} channels cannot be divided by {self.num_heads} heads. Use a "
                "number of channels that is a multiple of the number of heads."
            )
        q, k, v = jnp.split(
            nn.Dense(3 * width, dtype=x.dtype, name="qkv")(x), 3, axis=-1
        )
        v = v.reshape(*v.shape[:-1], self.num_heads, width // self.num_heads)
        kernel = (self.score_kernel, self.score_kernel)
        conv = nn.Conv(self.num_heads, kernel, dtype=x.dtype, name="score")
        observed = epoch_mask[:, :, None, None, None]

        def attend(score: Float[Array, "b t y x n"]) -> Float[Array, "b y x d"]:
            score = jnp.where(observed, score, jnp.finfo(score.dtype).min)
            wide = score.astype(jnp.promote_types(score.dtype, jnp.float32))
            weight = jax.nn.softmax(wide, axis=1).astype(v.dtype)
            out = jnp.einsum("btyxn,btyxnc->byxnc", weight, v)
            return out.reshape(*out.shape[:3], width)

        if self.score == "linear":
            out = attend(conv(k))[:, None]  # the same for every query epoch
        elif self.is_initializing():
            out = attend(conv(nn.relu(q + k)))[:, None]
        else:
            query = jax.checkpoint(lambda q_i: attend(conv(nn.relu(q_i[:, None] + k))))
            out = jnp.moveaxis(jax.lax.map(query, jnp.moveaxis(q, 1, 0)), 0, 1)
        merged = nn.Conv(width, (3, 3), dtype=x.dtype, name="merge")(out)
        return jnp.broadcast_to(merged, x.shape)
