"""What is new in every frame of a series."""

import functools

import jax.numpy as jnp
from jaxtyping import Array, Float

CHANGES = {"linear": (lambda x: x, lambda x: x), "asinh": (jnp.sinh, jnp.arcsinh)}


def change_of(
    image: Float[Array, "b t y x"], row: Float[Array, "b t m"], scale: str = "linear"
) -> Float[Array, "b t y x"]:
    """Returns what each frame has beyond the mean of the object's frames of its band.

        mean[m] = sum over t of row[t, m] image[t] / max(1, sum over t of row[t, m])
        change[t] = image[t] - sum over m of row[t, m] mean[m]

    Neighbouring frames are often of other bands, so that what varies is hard to see in
    them; here what is steady, a host galaxy, is gone. A band seen once changes nothing.
    Where the image is asinh(f) of a flux f, scale="asinh" gives asinh(change of f), so
    that a faint light counts as much on a bright galaxy as beside it.

    Args:
        row: 1 for the band of an observed frame, else 0; image is 0 where unobserved.
    Source: ours.
    Differs: a difference image in place of one against an earlier reference: its mean
        holds the transient too.
    """
    undo, again = CHANGES[scale]
    image = undo(image)
    einsum = functools.partial(jnp.einsum, precision="highest")  # small differences
    count = jnp.maximum(row.sum(1), 1)[:, :, None, None]
    mean = einsum("btm,btyx->bmyx", row, image) / count
    return again(image - einsum("btm,bmyx->btyx", row, mean))
