"""3-D convolution over short chunks of frames, without products of padding."""

from collections import defaultdict

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxastro.errors import InputError
from jaxastro.layers.batched_dot import batched_dot
from jaxastro.layers.fourier_conv import fourier_conv
from jaxastro.layers.toom_cook import MOST, num_products, toom_cook


class TemporalConv(nn.Module):
    """Convolves a few frames in time and space by 2-D convolutions.

    A tap is one time slice of the kernel. Output frame s depends on input frame t by
    tap j = t - stride * s + pad:
        out_s = bias + sum over t of conv2d(x_t, kernel[t - stride s + pad])
    For few frames, most taps would multiply the zeros of the temporal padding. Two
    forms avoid this:
    - stacked: each frame is convolved once, with the taps it needs stacked as output
      channels, and the results are summed;
    - on CPU with stride 1: even fewer products, in time (`toom_cook`) and in space
      (`fourier_conv`).

    A channel with few distinct maps, such as one per band, can be given as a `table` of
    maps and a `weight` of each map in each frame. This equals appending the channel
    einsum("tnm,myx->tyxn", weight, table) to x. But it convolves each map once, and it
    needs no gradient of x, which is the most expensive one.

    Objects and channels are the last axes, so that each product covers all of them.

    Source: Bairouk et al. 2023, A&A 673, A141 (ConvEntion), Table 2: the layer.
    Differs: equals a 3-D convolution up to rounding. That of XLA is hundreds of times
        slower on CPU if the input needs a gradient.
    """

    features: int
    kernel: int  # pixels on a side
    stride: int = 1  # in time and in space
    pad: int = 0  # zero pixels on every side; with taps > 1 also zero frames
    taps: int = 3  # frames of the kernel; 1 is a 2-D convolution of each frame

    @property
    def pad_frames(self) -> int:
        return self.pad if self.taps > 1 else 0

    @nn.compact
    def __call__(
        self,
        x: Float[Array, "t y x n d"],
        table: Float[Array, "m y x"] | None = None,
        weight: Float[Array, "t n m"] | None = None,
    ) -> Float[Array, "s y2 x2 n f"]:
        frames, depth = x.shape[0], x.shape[-1] + (table is not None)
        shape = (self.taps, self.kernel, self.kernel, depth, self.features)
        # the default of torch, uniform in +-1/sqrt(fan_in), as in the published code
        init = nn.initializers.variance_scaling(
            1 / 3, "fan_in", "uniform", in_axis=(0, 1, 2, 3), out_axis=4
        )
        kernel = self.param("kernel", init, shape).astype(x.dtype)
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        bias = bias.astype(x.dtype)

        if self.pad_frames >= self.taps:
            raise InputError(
                f"Padding by {self.pad} frames makes outputs that depend on no frame, "
                f"as there are {self.taps} taps. Use less padding."
            )
        num_out = (frames + 2 * self.pad_frames - self.taps) // self.stride + 1
        if num_out < 1:
            raise InputError(
                f"{frames} frames padded by {self.pad_frames} are fewer than the "
                f"kernel's {self.taps} taps. Use more frames per chunk or more padding."
            )
        if table is None and self._fourier_is_faster(frames):
            return self._fourier(x, kernel) + bias
        parts = [[] for _ in range(num_out)]  # terms of each output frame
        for group, reach in self._frames_by_taps(frames, num_out):
            taps = jnp.array(list(reach[group[0]]))
            y = self._stacked(x[jnp.array(group)], kernel[taps, :, :, : x.shape[-1]])
            if table is not None:
                maps = jnp.moveaxis(table.astype(x.dtype), 0, -1)[None, ..., None]
                y_map = self._stacked(maps, kernel[taps, :, :, -1:])[0]
                y += _on_maps(weight[jnp.array(group)].astype(x.dtype), y_map)
            for i, t in enumerate(group):
                for k, s in enumerate(reach[t].values()):
                    parts[s].append(y[i, ..., k, :])
        return jnp.stack([sum(part) for part in parts]) + bias

    def _fourier_is_faster(self, frames: int) -> bool:
        few = num_products(frames, self.taps, self.pad_frames) <= MOST
        on_cpu = jax.default_backend() == "cpu"
        return on_cpu and self.stride == 1 and self.pad < self.kernel and few

    def _fourier(
        self, x: Float[Array, "t y x n d"], kernel: Float[Array, "j k k d f"]
    ) -> Float[Array, "s y2 x2 n f"]:
        of_frames, of_taps, back = toom_cook(x.shape[0], self.taps, self.pad_frames)
        # bfloat16 is not precise enough for sums of large terms that nearly cancel.
        wide = jnp.promote_types(x.dtype, jnp.float32)
        # Unstacked once, so that the gradients of all products are summed before they
        # are stacked.
        x_wide, taps = list(x.astype(wide)), list(kernel.astype(wide))
        # One product at a time, which needs less memory and uses the cache better.
        products = [
            fourier_conv(_mix(a, x_wide), _mix(g, taps), pad=self.pad)
            for a, g in zip(of_frames, of_taps, strict=True)
        ]
        return jnp.stack([_mix(c, products) for c in back]).astype(x.dtype)

    def _frames_by_taps(self, frames: int, num_out: int):
        """Returns groups of frames with equal taps, and each frame's {tap: output}."""
        reach = {}
        for t in range(frames):
            taps = {t - self.stride * s + self.pad_frames: s for s in range(num_out)}
            reach[t] = {j: s for j, s in taps.items() if 0 <= j < self.taps}
        alike = defaultdict(list)
        for t, taps in reach.items():
            alike[tuple(taps)].append(t)
        return [(group, reach) for taps, group in alike.items() if taps]

    def _stacked(
        self, x: Float[Array, "t y x n d"], kernel: Float[Array, "j k k d f"]
    ) -> Float[Array, "t y2 x2 n j f"]:
        num_taps, *_, features = kernel.shape
        stacked = jnp.moveaxis(kernel, 0, 3).reshape(*kernel.shape[1:4], -1)
        frames = jnp.moveaxis(x, 3, 0)  # objects first: devices share them
        y = jax.lax.conv_general_dilated(
            frames.reshape(-1, *frames.shape[2:]),
            stacked,
            window_strides=(self.stride, self.stride),
            padding=((self.pad, self.pad), (self.pad, self.pad)),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
        y = y.reshape(*frames.shape[:2], *y.shape[1:3], num_taps, features)
        return jnp.moveaxis(y, 0, 3)


def _on_maps(
    weight: Float[Array, "t n m"], y_map: Float[Array, "y x m j f"]
) -> Float[Array, "t y x n j f"]:
    """Returns for every frame the weighted sum of the maps."""
    if jax.default_backend() != "cpu":
        return jnp.einsum("tnm,yxmjf->tyxnjf", weight, y_map)
    # The same per pixel, which needs no transpose. A TPU would pad each of the copies
    # of the weights to 128 maps.
    (t, n, m), (y, x, _, *taps) = weight.shape, y_map.shape
    weight = jnp.broadcast_to(weight[:, None, None], (t, y, x, n, m))
    y_map = jnp.broadcast_to(y_map.reshape(y, x, m, -1), (t, y, x, m, np.prod(taps)))
    return batched_dot(weight, y_map).reshape(t, y, x, n, *taps)


def _mix(row: np.ndarray, x) -> Float[Array, "*rest"]:
    """Returns the weighted sum of some arrays; many weights are 0."""
    pairs = zip(x, row.tolist(), strict=True)
    return sum(part * factor for part, factor in pairs if factor)
