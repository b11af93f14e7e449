"""3-D convolution over short chunks of frames, doing only the useful products."""

from collections import defaultdict

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxastro.layers.frame_conv import frame_conv


class TemporalConv(nn.Module):
    """Convolves a few frames in time and space, as 2-D convolutions.

    A tap is one time slice of the kernel. Output frame s sees input frame t through
    tap j = t - stride * s + pad; with t and s few, most taps of most frames would
    multiply the zeros of the temporal padding. Each frame is convolved once, with
    the taps it needs stacked in the output channels, and the results are added up:
        out_s = bias + sum over t of conv2d(x_t, kernel[t - stride s + pad])

    A channel that takes few distinct values (a map per band) can be given as a
    `table` of maps and a `weight` of frames on maps. This equals appending the
    channel einsum("ntm,myx->ntyx", weight, table) to x, but convolves each map once,
    and spares x, which is data, the costliest gradient of all.

    Source: Bairouk et al. 2023, A&A 673, A141 (ConvEntion), Table 2: the layer.
    Differs: equal to the 3-D convolution up to rounding. XLA's own is hundreds of
        times slower on CPU where the input needs a gradient.
    """

    features: int
    kernel: int  # pixels on a side
    stride: int = 1  # in time and in space
    pad: int = 0  # zero frames and zero pixels on every side
    taps: int = 3  # frames the kernel spans

    @nn.compact
    def __call__(
        self,
        x: Float[Array, "n t y x d"],
        table: Float[Array, "m y x"] | None = None,
        weight: Float[Array, "n t m"] | None = None,
    ) -> Float[Array, "n s y2 x2 f"]:
        frames, depth = x.shape[1], x.shape[-1] + (table is not None)
        shape = (self.taps, self.kernel, self.kernel, depth, self.features)
        # torch's default, uniform in +-1/sqrt(fan_in), from which the paper trained
        init = nn.initializers.variance_scaling(
            1 / 3, "fan_in", "uniform", in_axis=(0, 1, 2, 3), out_axis=4
        )
        kernel = self.param("kernel", init, shape).astype(x.dtype)
        bias = self.param("bias", nn.initializers.zeros, (self.features,))

        if self.pad >= self.taps:
            raise ValueError(
                f"Padding by {self.pad} frames makes outputs that see no frame through "
                f"{self.taps} taps. Use less padding."
            )
        num_out = (frames + 2 * self.pad - self.taps) // self.stride + 1
        if num_out < 1:
            raise ValueError(
                f"{frames} frames padded by {self.pad} are fewer than the kernel's "
                f"{self.taps} taps. Use more frames per chunk or more padding."
            )
        parts = [[] for _ in range(num_out)]  # what is added up for each output frame
        for group, reach in self._frames_by_taps(frames, num_out):
            taps = jnp.array(list(reach[group[0]]))
            y = self._conv2d(x[:, jnp.array(group)], kernel[taps, :, :, : x.shape[-1]])
            if table is not None:
                maps = table.astype(x.dtype)[None, ..., None]
                y_map = self._conv2d(maps, kernel[taps, :, :, -1:])[0]
                on_map = weight[:, jnp.array(group)].astype(x.dtype)
                y += jnp.einsum("ntm,myxjf->ntyxjf", on_map, y_map)
            for i, t in enumerate(group):
                for k, s in enumerate(reach[t].values()):
                    parts[s].append(y[:, i, ..., k, :])
        out = jnp.stack([sum(part) for part in parts], axis=1)
        return out + bias.astype(x.dtype)

    def _frames_by_taps(self, frames: int, num_out: int):
        """Yields frames that need the same taps, and each frame's {tap: output}."""
        reach = {}
        for t in range(frames):
            taps = {t - self.stride * s + self.pad: s for s in range(num_out)}
            reach[t] = {j: s for j, s in taps.items() if 0 <= j < self.taps}
        alike = defaultdict(list)
        for t, taps in reach.items():
            alike[tuple(taps)].append(t)
        return [(group, reach) for taps, group in alike.items() if taps]

    def _conv2d(
        self, x: Float[Array, "n t y x d"], kernel: Float[Array, "j k k d f"]
    ) -> Float[Array, "n t y2 x2 j f"]:
        num_taps, *_, features = kernel.shape
        stacked = jnp.moveaxis(kernel, 0, 3).reshape(*kernel.shape[1:4], -1)
        flat = x.reshape(-1, *x.shape[2:])
        y = frame_conv(flat, stacked, stride=self.stride, pad=self.pad)
        return y.reshape(*x.shape[:2], *y.shape[1:3], num_taps, features)
