"""Time and memory of both attention scores as a series gets longer.

    python -m benchmarks.attention [--json]

One training step (value and gradient) of a ConvAttention layer at the published
size: maps of 9x9 pixels and 8 channels, 4 heads, from 33 chunks (99 epochs) to 330
(990 epochs). The naive form is the published one: it builds every pair of epochs.
Time is the median of the repeats, with the fastest and the slowest; memory is what
XLA's compiler plans for beyond the arguments.
"""

import argparse
import json
import platform
import statistics
import time

import jax
import jax.numpy as jnp

from jaxastro.layers.conv_attention import ConvAttention

LENGTHS = (33, 66, 132, 264, 330)
OBJECTS, PIXELS, CHANNELS, HEADS = 1, 9, 8, 4


def naive(params, x, mask):
    """The published form of the linear score: all N^2 pairs, then the convolution."""
    layer = ConvAttention(HEADS)

    def pairs(params, x):
        dense, score, merge = params["qkv"], params["score"], params["merge"]
        q, k, v = jnp.split(x @ dense["kernel"] + dense["bias"], 3, axis=-1)
        both = q[:, :, None] + k[:, None]
        s = convolve(both, score["kernel"]) + score["bias"]
        s = jnp.where(mask[:, None, :, None, None, None], s, -jnp.inf)
        weight = jax.nn.softmax(s, axis=2)
        v = v.reshape(*v.shape[:-1], layer.num_heads, -1)
        out = jnp.einsum("bijyxn,bjyxnc->biyxnc", weight, v).reshape(x.shape)
        return convolve(out, merge["kernel"]) + merge["bias"]

    return pairs(params, x)


def convolve(x, kernel):
    """Returns a SAME 2-D convolution over the last three axes, any axes before."""
    flat = x.reshape(-1, *x.shape[-3:])
    layout = ("NHWC", "HWIO", "NHWC")
    y = jax.lax.conv_general_dilated(
        flat, kernel, (1, 1), "SAME", dimension_numbers=layout
    )
    return y.reshape(*x.shape[:-1], -1)


def measure(form: str, length: int, repeats: int) -> dict:
    """Returns seconds and bytes of one step of a form at a length."""
    score = "additive" if form == "additive" else "linear"
    layer = ConvAttention(HEADS, score)
    shape = (OBJECTS, length, PIXELS, PIXELS, CHANNELS)
    x = jax.random.normal(jax.random.key(0), shape)
    mask = jnp.ones((OBJECTS, length), bool)
    params = layer.init(jax.random.key(1), x[:, :3], mask[:, :3])["params"]

    def loss(params, x):
        if form == "naive":
            return jnp.sum(naive(params, x, mask) ** 2)
        return jnp.sum(layer.apply({"params": params}, x, mask) ** 2)

    step = jax.jit(jax.value_and_grad(loss, argnums=(0, 1))).lower(params, x).compile()
    jax.block_until_ready(step(params, x))
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(step(params, x))
        seconds.append(time.perf_counter() - start)
    return {
        "form": form,
        "chunks": length,
        "milliseconds": 1e3 * statistics.median(seconds),
        "fastest": 1e3 * min(seconds),
        "slowest": 1e3 * max(seconds),
        "mebibytes": step.memory_analysis().temp_size_in_bytes / 2**20,
    }


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON, not a table")
    parser.add_argument("--repeats", type=int, default=3, help="steps timed per row")
    arguments = parser.parse_args()
    rows = [
        measure(form, length, arguments.repeats)
        for form in ("linear", "naive", "additive")
        for length in LENGTHS
    ]
    device = f"{jax.devices()[0].device_kind}, {platform.machine()}"
    if arguments.json:
        print(json.dumps({"device": device, "jax": jax.__version__, "rows": rows}))
        return
    print(f"{device}, JAX {jax.__version__}, {OBJECTS} objects, forward and backward\n")
    print("| form | chunks | ms (fastest to slowest) | MiB |\n|---|---|---|---|")
    for row in rows:
        spread = f"{row['fastest']:.1f} to {row['slowest']:.1f}"
        print(
            f"| {row['form']} | {row['chunks']} | {row['milliseconds']:.1f} ({spread}) "
            f"| {row['mebibytes']:.1f} |"
        )


if __name__ == "__main__":
    main()
