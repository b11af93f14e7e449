"""ConvEntion in PyTorch, in two forms: what benchmarks/convention.py compares with.

Written from the description of the published model, not from its code. Both forms are
the same function with the same parameters. They take series in which every epoch is
observed, in complete chunks of three, for which jaxastro's masks have no effect.

Published: time is the last axis, and Python loops over chunks and frames, as published.
A batch norm inside a loop takes its training statistics from one chunk, or one frame,
at a time; Batched and jaxastro take those of all together. So Batched agrees with
jaxastro in training; Published agrees with both in eval(), and in training on a single
chunk.

Batched: the usual optimisations of PyTorch. All chunks are one batch, frames are part
of it, and attention is O(N): the score does not depend on the query, so that one map
serves all queries, as in jaxastro. There are three ways to convolve: "conv3d" and
"channels_last" are one Conv3d in either layout, whose CPU kernels skip the zeros of
temporal padding; "stacked" convolves each frame in 2-D with its taps stacked in the
output channels. One convolution per output frame over its window of frames, in 3-D or
with frames stacked in the channels, was not faster.
"""

import math
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from jaxastro.errors import InputError

# kernel (pixels), stride, padding of the four 3-D convolutions, each of 3 frames
DOWNSIZE = ((11, 2, 2), (5, 1, 2), (3, 1, 0), (3, 1, 0))
CONVOLUTIONS = ("conv3d", "channels_last", "stacked")


class Network(nn.Module):
    """The layers of both forms, under the names of jaxastro's."""

    conv_axes: tuple[int, ...]  # of jaxastro's [t y x c d] -> this form's
    norm_axes: tuple[int, ...]  # of jaxastro's [t y x d] -> this form's

    def __init__(
        self,
        num_classes: int,
        *,
        epochs: int = 99,
        size: int = 32,
        widths: tuple[int, ...] = (64, 128, 64, 8),
        num_blocks: int = 2,
        num_heads: int = 4,
        hidden: int = 256,
        dropout: float = 0.3,
    ):
        super().__init__()
        self.size, self.num_blocks = size, num_blocks
        self.band_table = nn.Embedding(10, size * size, padding_idx=0)
        depth, chunks = 2, epochs // 3
        for i, (width, shape) in enumerate(zip(widths, DOWNSIZE, strict=True)):
            self.add_module(f"conv_{i}", self.conv(depth, width, *shape))
            self.add_module(f"norm_{i}", nn.BatchNorm3d(width))
            kernel, stride, pad = shape
            size, depth = (size + 2 * pad - kernel) // stride + 1, width
        axes = (chunks, size, size, depth)
        shape = [axes[axis] for axis in self.norm_axes]
        for i in range(num_blocks):
            self.add_module(f"block_{i}", self.block(shape, depth, num_heads))
        self.head = nn.Sequential()
        self.head.add_module("dropout_0", nn.Dropout(dropout))
        self.head.add_module("hidden", nn.Linear(depth * size * size, hidden))
        self.head.add_module("relu", nn.ReLU())
        self.head.add_module("dropout_1", nn.Dropout(dropout))
        self.head.add_module("logits", nn.Linear(hidden, num_classes))
        n, d = torch.arange(chunks)[:, None], torch.arange(depth)
        angle = n / 10000.0 ** (2 * (d // 2) / depth)
        code = torch.where(d % 2 == 0, torch.sin(angle), torch.cos(angle))
        self.register_buffer("encoding", code, persistent=False)  # n d

    def with_bands(self, image: Tensor, band: Tensor) -> Tensor:
        """Returns frames [b t y x] with the map of their band [b 2 t y x]."""
        maps = self.band_table(band + 1).reshape(image.shape)
        return torch.stack((image, maps.to(image.dtype)), dim=1)

    def convolved(self, x: Tensor) -> Tensor:
        """Returns the 3D-CNN of one batch of chunks."""
        for i in range(len(DOWNSIZE)):
            conv, norm = getattr(self, f"conv_{i}"), getattr(self, f"norm_{i}")
            x = F.relu(norm(conv(x)))
        return x

    def attended(self, x: Tensor) -> Tensor:
        """Returns the output of the attention blocks for all maps."""
        for i in range(self.num_blocks):
            x = getattr(self, f"block_{i}")(x)
        return x


class Attention(nn.Module):
    """The layers of both forms of the attention."""

    def __init__(self, depth: int, num_heads: int):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Conv2d(depth, 3 * depth, 1)
        self.score = nn.Conv2d(depth, num_heads, 5, padding=2)
        self.merge = nn.Conv2d(depth, depth, 3, padding=1)


class Block(nn.Module):
    """The layers of both forms of a block."""

    attention_of: type[Attention]

    def __init__(self, shape: list[int], depth: int, num_heads: int):
        super().__init__()
        self.norm_0, self.norm_1 = nn.LayerNorm(shape), nn.LayerNorm(shape)
        self.attention = self.attention_of(depth, num_heads)
        self.conv_0 = nn.Conv2d(depth, 2 * depth, 3, padding=1)
        self.batch_norm_0 = nn.BatchNorm2d(2 * depth)
        self.conv_1 = nn.Conv2d(2 * depth, depth, 3, padding=1)
        self.batch_norm_1 = nn.BatchNorm2d(depth)

    def feed_forward(self, frame: Tensor) -> Tensor:
        """Returns both convolutions of frames [b d y x]."""
        frame = self.batch_norm_0(F.relu(self.conv_0(frame)))
        return self.batch_norm_1(F.relu(self.conv_1(frame)))


# -- as published ----------------------------------------------------------------------


class PublishedAttention(Attention):
    """Every pair of frames: one convolution of q_n + k_m for each n, over all m."""

    def forward(self, x: Tensor) -> Tensor:  # b d y x n
        parts = [self.qkv(frame).chunk(3, dim=1) for frame in x.unbind(-1)]
        k, v = (torch.stack([part[i] for part in parts], dim=1) for i in (1, 2))
        v = v.unflatten(2, (self.num_heads, -1))  # b m h c y x
        out = []
        for q, _, _ in parts:
            score = self.score((q[:, None] + k).flatten(0, 1))
            share = score.unflatten(0, k.shape[:2]).softmax(dim=1)  # b m h y x
            read = (share[:, :, :, None] * v).sum(dim=1).flatten(1, 2)
            out.append(self.merge(read))
        return torch.stack(out, dim=-1)


class PublishedBlock(Block):
    """Frame by frame."""

    attention_of = PublishedAttention

    def forward(self, x: Tensor) -> Tensor:  # b d y x n
        x = x + self.attention(self.norm_0(x))
        frames = self.norm_1(x).unbind(-1)
        return x + torch.stack([self.feed_forward(f) for f in frames], dim=-1)


class Published(Network):
    """Chunk by chunk, time last."""

    conv_axes, norm_axes, block = (4, 3, 1, 2, 0), (3, 1, 2, 0), PublishedBlock

    def conv(self, depth: int, width: int, kernel: int, stride: int, pad: int):
        """Returns one layer of the 3D-CNN."""
        return nn.Conv3d(depth, width, (kernel, kernel, 3), stride, pad)

    def forward(self, image: Tensor, band: Tensor) -> Tensor:
        x = self.with_bands(image, band).permute(0, 1, 3, 4, 2)  # b c y x t
        maps = [self.convolved(chunk)[..., 0] for chunk in x.split(3, dim=-1)]
        x = torch.stack(maps, dim=-1) + self.encoding.T[:, None, None]
        x = self.attended(x)
        x = F.max_pool3d(x, (1, 1, x.shape[-1]))
        return self.head(x.flatten(1))


# -- batched ---------------------------------------------------------------------------


class BatchedAttention(Attention):
    """One map for every query; the third of the weights for queries is not used."""

    def forward(self, x: Tensor) -> Tensor:  # b n d y x
        depth = x.shape[2]
        weight, bias = self.qkv.weight[depth:], self.qkv.bias[depth:]
        k, v = F.conv2d(x.flatten(0, 1), weight, bias).chunk(2, dim=1)
        share = self.score(k).unflatten(0, x.shape[:2]).softmax(dim=1)  # b n h y x
        v = v.unflatten(1, (self.num_heads, -1)).unflatten(0, x.shape[:2])
        read = (share[:, :, :, None] * v).sum(dim=1).flatten(1, 2)
        return self.merge(read)[:, None]


class BatchedBlock(Block):
    """All frames as one batch."""

    attention_of = BatchedAttention

    def forward(self, x: Tensor) -> Tensor:  # b n d y x
        x = x + self.attention(self.norm_0(x))
        frames = self.norm_1(x).flatten(0, 1)
        return x + self.feed_forward(frames).unflatten(0, x.shape[:2])


class StackedConv3d(nn.Conv3d):
    """A Conv3d as 2-D convolutions: taps of a frame stacked in the output channels."""

    def forward(self, x: Tensor) -> Tensor:  # n c t y x
        stride, pad = self.stride[0], self.padding[0]
        num_out = (x.shape[2] + 2 * pad - 3) // stride + 1
        parts = [[] for _ in range(num_out)]
        for t, frame in enumerate(x.unbind(2)):
            taps = {t - stride * s + pad: s for s in range(num_out)}
            taps = {j: s for j, s in taps.items() if 0 <= j < 3}
            kernel = torch.cat([self.weight[:, :, j] for j in taps])
            kernel = kernel.contiguous(memory_format=torch.channels_last)
            frame = frame.contiguous(memory_format=torch.channels_last)
            y = F.conv2d(frame, kernel, stride=stride, padding=pad)
            for s, part in zip(taps.values(), y.chunk(len(taps), dim=1), strict=True):
                parts[s].append(part)
        return torch.stack([sum(p) for p in parts], 2) + self.bias[:, None, None, None]


class Batched(Network):
    """All chunks as one batch, time before space."""

    conv_axes, norm_axes, block = (4, 3, 0, 1, 2), (0, 3, 1, 2), BatchedBlock

    def __init__(self, num_classes: int, *, convolution: str = "conv3d", **sizes):
        if convolution not in CONVOLUTIONS:
            raise InputError(
                f"No convolution {convolution!r}. Known: {', '.join(CONVOLUTIONS)}."
            )
        self.convolution = convolution
        super().__init__(num_classes, **sizes)

    def conv(self, depth: int, width: int, kernel: int, stride: int, pad: int):
        """Returns one layer of the 3D-CNN."""
        of = StackedConv3d if self.convolution == "stacked" else nn.Conv3d
        layer = of(depth, width, (3, kernel, kernel), stride, pad)
        if self.convolution == "channels_last":
            layer = layer.to(memory_format=torch.channels_last_3d)
        return layer

    def forward(self, image: Tensor, band: Tensor) -> Tensor:
        b, t = band.shape
        x = self.with_bands(image, band).unflatten(2, (t // 3, 3))
        x = x.transpose(1, 2).flatten(0, 1)  # (b n) c 3 y x
        if self.convolution == "channels_last":
            x = x.contiguous(memory_format=torch.channels_last_3d)
        x = self.convolved(x)[:, :, 0].unflatten(0, (b, t // 3)).contiguous()
        x = self.attended(x + self.encoding[:, :, None, None])
        return self.head(x.max(dim=1).values.flatten(1))


# -- weights ---------------------------------------------------------------------------


def copy_weights(variables: Mapping, model: Network) -> None:
    """Gives a form the parameters and batch statistics of jaxastro's ConvEntion.

    Raises:
        ValueError: if the two do not have the same layers.
    """
    own, state = model.state_dict(), {}
    for collection in ("params", "batch_stats"):
        for path, array in _leaves(variables[collection]):
            *layer, kind = path
            name = ".".join((*layer, NAMES[kind]))
            state[name] = torch.tensor(_as_torch(name, np.asarray(array), model))
    wanted = {name for name in own if not name.endswith("num_batches_tracked")}
    wrong = wanted ^ set(state)
    wrong |= {n for n in wanted & set(state) if own[n].shape != state[n].shape}
    if wrong:
        raise InputError(
            f"{', '.join(sorted(wrong))}: different in the two models. Build both with "
            "the same classes, epochs, size, widths, blocks, heads and hidden units."
        )
    model.load_state_dict(state, strict=False)


NAMES = {
    "kernel": "weight",
    "scale": "weight",
    "bias": "bias",
    "mean": "running_mean",
    "var": "running_var",
    "band_table": "band_table.weight",
}


def _leaves(tree, path: tuple[str, ...] = ()):
    if not isinstance(tree, Mapping):
        yield path, tree
        return
    for name, branch in tree.items():
        yield from _leaves(branch, (*path, name))


def _as_torch(name: str, array: np.ndarray, model: Network) -> np.ndarray:
    if name == "band_table.weight":
        return array.reshape(len(array), -1)
    if name == "head.hidden.weight":  # jaxastro flattens [y x d], both forms [d y x]
        depth = model.encoding.shape[1]
        side = math.isqrt(len(array) // depth)
        array = array.reshape(side, side, depth, -1)
        return array.transpose(3, 2, 0, 1).reshape(array.shape[-1], -1)
    if array.ndim == 5:
        return array.transpose(model.conv_axes)
    if array.ndim == 4:
        is_norm = name.split(".")[1].startswith("norm")
        return array.transpose(model.norm_axes if is_norm else (3, 2, 0, 1))
    if name.endswith("qkv.weight"):
        return array.T[:, :, None, None]
    return array.T if array.ndim == 2 else array
