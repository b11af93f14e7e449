"""Layer normalisation of an encoded series without its padded epochs."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxastro.errors import InputError

NORMS = ("joint", "per_epoch")


class SeriesNorm(nn.Module):
    """Normalises a series by its mean and variance; `over` selects the axes.

    over="joint": over time, space and channels, with a scale and a bias per element,
    as published. The weights then have the length of the series, and the statistics of
    each epoch depend on all epochs. A shorter series uses the first weights, as it
    would if it were padded.
    over="per_epoch": over space and channels of each epoch, with a scale and a bias
    that all epochs share. It takes any length, and no epoch depends on later ones.
        out = (x - mean) / sqrt(variance + epsilon) * scale + bias

    Source: Bairouk et al. 2023, A&A 673, A141 (ConvEntion); joint as published code.
    Differs: padded epochs are excluded from the statistics, and their output is the
        bias; "per_epoch" is ours.
    """

    over: str = "joint"
    epsilon: float = 1e-5

    @nn.compact
    def __call__(
        self, x: Float[Array, "b t y x d"], epoch_mask: Bool[Array, "b t"]
    ) -> Float[Array, "b t y x d"]:
        if self.over not in NORMS:
            raise InputError(f"No norm over {self.over!r}. Known: {', '.join(NORMS)}.")
        axes, shape = ((2, 3, 4), x.shape[2:])
        if self.over == "joint":
            axes, shape = (1, 2, 3, 4), (self._length(x.shape[1]), *x.shape[2:])
        scale = self.param("scale", nn.initializers.ones, shape)
        bias = self.param("bias", nn.initializers.zeros, shape)
        if self.over == "joint":
            scale, bias = scale[: x.shape[1]], bias[: x.shape[1]]

        wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
        observed = epoch_mask[:, :, None, None, None]
        observed = jnp.broadcast_to(observed, x.shape)
        mean = _masked_mean(wide, observed, axes)
        variance = _masked_mean(jnp.square(wide - mean), observed, axes)
        normal = (wide - mean) / jnp.sqrt(variance + self.epsilon)
        # A padded epoch has variance 0: without this each block scales it by 1000.
        normal = jnp.where(observed, normal, 0)
        return (normal * scale + bias).astype(x.dtype)

    def _length(self, length: int) -> int:
        """Returns the length for which the weights were created."""
        if not self.has_variable("params", "scale"):
            return length
        created_for = self.get_variable("params", "scale").shape[0]
        if length > created_for:
            raise InputError(
                f"A series of {length} maps. The joint norm was trained on series of "
                f"{created_for} maps and has as many weights. Use shorter series, or "
                "train with norm='per_epoch', which takes any length."
            )
        return created_for


def _masked_mean(x, mask, axes):
    # A row that pads the batch has no observed epoch: its mean is 0, not NaN.
    count = jnp.maximum(mask.sum(axes, keepdims=True), 1)
    return jnp.where(mask, x, 0).sum(axes, keepdims=True) / count
