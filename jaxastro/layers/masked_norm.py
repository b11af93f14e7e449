"""Layer normalisation of an encoded series, blind to padded epochs."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxastro.errors import InputError

NORMS = ("joint", "per_epoch")


class SeriesNorm(nn.Module):
    """Normalises a series by its mean and variance over axes that `over` names.

    over="joint" takes them over time, space and channels together, with one scale
    and bias for every element, as published: the length of the series becomes part
    of the weights, and every epoch's statistics see every other epoch. A shorter
    series takes the first of them, as it would if it were padded to that length.
    over="per_epoch" takes them over space and channels of one epoch, with scales
    shared by all epochs: any length fits, and the past does not see the future.
        out = (x - mean) / sqrt(variance + epsilon) * scale + bias

    Source: Bairouk et al. 2023, A&A 673, A141 (ConvEntion); joint as published code.
    Differs: padded epochs do not enter the statistics and come out as the bias;
        "per_epoch" is ours.
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
        seen = epoch_mask[:, :, None, None, None]
        seen = jnp.broadcast_to(seen, x.shape)
        mean = _masked_mean(wide, seen, axes)
        variance = _masked_mean(jnp.square(wide - mean), seen, axes)
        normal = (wide - mean) / jnp.sqrt(variance + self.epsilon)
        # A padded epoch alone has variance 0: each block would enlarge it 1000 times.
        normal = jnp.where(seen, normal, 0)
        return (normal * scale + bias).astype(x.dtype)

    def _length(self, length: int) -> int:
        """Returns the length that the weights were made for."""
        if not self.has_variable("params", "scale"):
            return length
        made_for = self.get_variable("params", "scale").shape[0]
        if length > made_for:
            raise InputError(
                f"A series of {length} maps. The joint norm was trained on series of "
                f"{made_for}, and its weights are as long. Give shorter series, or "
                "train with norm='per_epoch', which takes any length."
            )
        return made_for


def _masked_mean(x, mask, axes):
    # A row without one observed epoch fills up a batch: its mean is 0, not NaN.
    count = jnp.maximum(mask.sum(axes, keepdims=True), 1)
    return jnp.where(mask, x, 0).sum(axes, keepdims=True) / count
