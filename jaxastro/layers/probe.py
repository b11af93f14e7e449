"""A probe of what an encoder knows, that the encoder does not feel."""

import optax


def separate_probe(
    optimizer: optax.GradientTransformation,
) -> optax.GradientTransformation:
    """Gives the parameters of the group "probe" an optimizer of their own.

    Clipped together with the rest, the norm of the probe's gradient would scale that
    of the encoder, and tell it of the labels.

    Source: ours.
    Differs: published probes share the encoder's optimizer, which clips nothing.
    """
    return optax.partition(
        {True: optimizer, False: optimizer},
        lambda params: {name: name == "probe" for name in params},
    )
