"""Time and memory of both attention scores by series length.

    python -m benchmarks.attention [--longest 3300] [--longest_pairs 330] [--json]

One training step (value and gradient) of a ConvAttention layer at the published size:
maps of 9x9 pixels and 8 channels, 4 heads, one object of 33 chunks (99 epochs) to 3,300
(9,900 epochs). The naive form is the published one, which computes every pair of
chunks; "additive" needs every pair as well, so both are measured up to --longest_pairs.
Memory is what XLA's compiler plans in addition to the arguments.
"""

import jax
import jax.numpy as jnp

from benchmarks import result
from jaxastro.layers.conv_attention import ConvAttention

LENGTHS = (33, 66, 132, 264, 330, 660, 1320, 2640, 3300)
OBJECTS, PIXELS, CHANNELS, HEADS = 1, 9, 8, 4


def naive(params, x, mask):
    """Returns the published form of the linear score: all N^2 pairs are convolved."""
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
    """Returns a SAME 2-D convolution of x [.. y x d]."""
    flat = x.reshape(-1, *x.shape[-3:])
    layout = ("NHWC", "HWIO", "NHWC")
    y = jax.lax.conv_general_dilated(
        flat, kernel, (1, 1), "SAME", dimension_numbers=layout
    )
    return y.reshape(*x.shape[:-1], -1)


def measure(form: str, length: int, repeats: int) -> result.Row:
    """Returns the time and memory of one step of a form at a length."""
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
    seconds = result.seconds_of(lambda: jax.block_until_ready(step(params, x)), repeats)
    measures = {
        "ms": result.scaled(seconds, 1e3),
        "µs per chunk": result.scaled(seconds, 1e6 / length),
        "MiB": step.memory_analysis().temp_size_in_bytes / 2**20,
    }
    return result.Row({"form": form, "chunks": length}, measures)


def main() -> None:
    """Runs the command."""
    parser = result.parser_of(__doc__, repeats=3)
    parser.add_argument(
        "--longest", type=int, default=3300, help="chunks, of the linear form"
    )
    parser.add_argument("--longest_pairs", type=int, default=330, help="of the others")
    given = parser.parse_args()
    longest = {
        "linear": given.longest,
        "naive": given.longest_pairs,
        "additive": given.longest_pairs,
    }
    rows = [
        measure(form, length, given.repeats)
        for form, most in longest.items()
        for length in LENGTHS
        if length <= most
    ]
    about = {"device": jax.devices()[0].device_kind}
    result.show(rows, as_json=given.json, about=about)


if __name__ == "__main__":
    main()
