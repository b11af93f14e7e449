"""Change of each frame since the mean frame of its band."""

import functools

import jax.numpy as jnp
from jaxtyping import Array, Float

CHANGES = {"linear": (lambda x: x, lambda x: x), "asinh": (jnp.sinh, jnp.arcsinh)}


def change_of(
    image: Float[Array, "b t y x"], row: Float[Array, "b t m"], scale: str = "linear"
) -> Float[Array, "b t y x"]:
    """Returns each frame minus the mean frame of the object in the same band.

        mean[m] = sum over t of row[t, m] image[t] / max(1, sum over t of row[t, m])
        change[t] = image[t] - sum over m of row[t, m] mean[m]

    Consecutive frames often have different bands, which hides variability. The change
    contains no constant light, such as that of a host galaxy. It is 0 for a band that
    was observed once. For images asinh(f) of a flux f, scale="asinh" gives
    asinh(change of f): a faint source then has the same value on a bright galaxy as on
    empty sky.

    Args:
        image: 0 for padded epochs.
        row: one-hot band of each observed epoch, else 0.
        scale: a key of CHANGES; how the pixels depend on flux.
    Source: ours; compare difference imaging against an earlier reference.
    Differs: the reference is the mean of all frames, which contains the transient.
    """
    undo, again = CHANGES[scale]
    image = undo(image)
    einsum = functools.partial(jnp.einsum, precision="highest")  # differences are small
    count = jnp.maximum(row.sum(1), 1)[:, :, None, None]
    mean = einsum("btm,btyx->bmyx", row, image) / count
    return again(image - einsum("btm,bmyx->btyx", row, mean))
