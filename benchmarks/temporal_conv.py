"""Time, memory and error of several ways to compute the 3D-CNN's largest layers.

    python -m benchmarks.temporal_conv [--chunks 132] [--json]

The second layer of ConvEntion takes 83 % of the arithmetic (3 frames of 13x13 padded by
2, kernel 3x5x5, 64 to 128 channels), the third most of the rest (5 frames, not padded,
3x3x3, 128 to 64). 132 chunks are 4 sequences of 99 frames. All forms compute the same
function; `error` is the largest difference from XLA's 3-D convolution in float64,
relative to its largest value. Gradients are with respect to frames and weights; those
of XLA's 3-D convolution take minutes on a CPU and are left out.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from tqdm import tqdm

from benchmarks import result
from jaxastro.layers.batched_dot import batched_dot
from jaxastro.layers.fourier_conv import fourier_conv
from jaxastro.layers.toom_cook import toom_cook
from jaxastro.runs.malloc import keep_freed_memory

# frames, pixels, channels in, channels out, kernel, padding
LAYERS = {"second": (3, 13, 64, 128, 5, 2), "third": (5, 13, 128, 64, 3, 0)}
TAPS = 3
SLOWEST = "XLA 3-D, including zeros"
TILE = 4  # outputs on a side of a Winograd tile


def mix(matrix, x):
    """Multiplies the first axis with a small matrix."""
    return jnp.einsum("st,t...->s...", jnp.asarray(matrix, x.dtype), x)


def sum_of_taps(x, kernel, pad, convolve):
    """Sums convolve(frames, taps) over the pairs of a frame and a tap that overlap."""
    outputs = len(x) + 2 * pad - TAPS + 1
    pairs = [(t, t - s + pad, s) for t in range(len(x)) for s in range(outputs)]
    frame, tap, output = zip(*(p for p in pairs if 0 <= p[1] < TAPS), strict=True)
    y = convolve(x[np.array(frame)], kernel[np.array(tap)])
    return jnp.stack(
        [sum(y[i] for i, o in enumerate(output) if o == s) for s in range(outputs)]
    )


def xla_3d(x, kernel, pad):
    """XLA's 3-D convolution."""
    return jax.lax.conv_general_dilated(
        x,
        kernel,
        window_strides=(1, 1, 1),
        padding=((pad, pad),) * 3,
        dimension_numbers=("DHWNC", "DHWIO", "DHWNC"),
    )


def xla_2d(x, kernel, *, pad):
    """XLA's 2-D convolution, of each group [g y x n d] with its kernel."""
    one = partial(
        jax.lax.conv_general_dilated,
        window_strides=(1, 1),
        padding=((pad, pad),) * 2,
        dimension_numbers=("HWNC", "HWIO", "HWNC"),
    )
    return jnp.stack([one(*both) for both in zip(x, kernel, strict=True)])


def patches_2d(x, kernel, *, pad):
    """Concatenated patches times a matrix, of each group with its kernel."""
    length = kernel.shape[1]
    x = jnp.pad(x, [(0, 0), (pad, pad), (pad, pad), (0, 0), (0, 0)])
    height, width = (size - length + 1 for size in x.shape[1:3])
    shifted = [
        x[:, i : i + height, j : j + width]
        for i in range(length)
        for j in range(length)
    ]
    patches = jnp.concatenate(shifted, axis=-1)
    flat = patches.reshape(len(x), -1, patches.shape[-1])
    y = batched_dot(flat, kernel.reshape(len(x), flat.shape[-1], -1))
    return y.reshape(*patches.shape[:-1], -1)


def winograd_2d(x, kernel, *, pad):
    """Tiles of 4x4 outputs by Toom-Cook along both axes: Winograd's convolution."""
    length, outputs = kernel.shape[1], x.shape[1] + 2 * pad - kernel.shape[1] + 1
    size, tiles = TILE + length - 1, -(-outputs // TILE)
    of_frame, of_kernel, back = toom_cook(size, length, 0)
    spare = tiles * TILE - outputs
    x = jnp.pad(x, [(0, 0), *[(pad, pad + spare)] * 2, (0, 0), (0, 0)])
    places = TILE * np.arange(tiles)[:, None] + np.arange(size)
    x = x[:, places][:, :, :, places]  # g tile y tile x n d
    matrices = (jnp.asarray(m, x.dtype) for m in (of_frame, of_kernel, back))
    of_frame, of_kernel, back = matrices
    x = jnp.einsum("uy,vx,gaybxnd->guvabnd", of_frame, of_frame, x)
    kernel = jnp.einsum("uy,vx,gyxdf->guvdf", of_kernel, of_kernel, kernel)
    y = batched_dot(x.reshape(*x.shape[:3], -1, x.shape[-1]), kernel)
    y = y.reshape(*x.shape[:-1], -1)
    y = jnp.einsum("yu,xv,guvabnf->gaybxnf", back, back, y)
    y = y.reshape(len(y), tiles * TILE, tiles * TILE, *y.shape[-2:])
    return y[:, :outputs, :outputs]


def fourier_2d(x, kernel, *, pad):
    """Convolution in Fourier space, of each group with its kernel."""
    pairs = zip(x, kernel, strict=True)
    return jnp.stack([fourier_conv(*both, pad=pad) for both in pairs])


def few_products(x, kernel, pad, convolve):
    """Toom-Cook in time, and a 2-D convolution for each of its products."""
    of_frames, of_taps, back = toom_cook(len(x), TAPS, pad)
    return mix(back, convolve(mix(of_frames, x), mix(of_taps, kernel), pad=pad))


def forms(pad: int) -> dict:
    """Returns every form, as a function of x [t y x n d] and kernel [j k k d f]."""
    ways = {
        "XLA 2-D": xla_2d,
        "patches": patches_2d,
        "Winograd 4x4": winograd_2d,
        "Fourier": fourier_2d,
    }
    every = {SLOWEST: partial(xla_3d, pad=pad)}
    for name, way in ways.items():
        nine = partial(way, pad=pad)
        every[f"9 products, {name}"] = partial(sum_of_taps, pad=pad, convolve=nine)
    for name, way in ways.items():
        every[f"5 products, {name}"] = partial(few_products, pad=pad, convolve=way)
    return every


def measure(layer: str, chunks: int, form: str, repeats: int) -> dict:
    """Returns the measures of one form of one layer."""
    frames, size, depth, features, length, pad = LAYERS[layer]
    generator = np.random.default_rng(0)
    x = generator.normal(size=(frames, size, size, chunks, depth))
    kernel = generator.normal(size=(TAPS, length, length, depth, features))
    convolve = forms(pad)[form]
    with jax.enable_x64(True):
        exact = jax.jit(partial(xla_3d, pad=pad))(x[..., :2, :], kernel)
        exact = np.asarray(exact)
    x, kernel = jnp.float32(x), jnp.float32(kernel)
    forward = jax.jit(convolve).lower(x, kernel).compile()
    found = forward(x, kernel)

    def milliseconds(program):
        def run():
            jax.block_until_ready(program(x, kernel))

        return result.scaled(result.seconds_of(run, repeats), 1e3)

    measures = {
        "error": float(np.abs(found[..., :2, :] - exact).max() / np.abs(exact).max()),
        "forward ms": milliseconds(forward),
    }
    if form == SLOWEST:
        return measures
    gradient = jax.grad(lambda *both: jnp.square(convolve(*both)).sum(), (0, 1))
    both = jax.jit(gradient).lower(x, kernel).compile()
    return measures | {
        "with backward ms": milliseconds(both),
        "MiB": both.memory_analysis().temp_size_in_bytes / 2**20,
    }


def main() -> None:
    """Runs the command."""
    parser = result.parser_of(__doc__, repeats=5)
    parser.add_argument("--chunks", type=int, default=132)
    given = parser.parse_args()
    keep_freed_memory()
    # Rows with the same columns together.
    names = sorted(forms(0), key=lambda form: form == SLOWEST)
    cases = [(layer, form) for form in names for layer in LAYERS]
    rows = []
    for layer, form in tqdm(cases, desc="Measuring", unit="form"):
        measures = measure(layer, given.chunks, form, given.repeats)
        rows.append(result.Row({"layer": layer, "form": form}, measures))
    result.show(rows, as_json=given.json)


if __name__ == "__main__":
    main()
