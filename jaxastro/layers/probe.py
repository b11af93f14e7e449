"""Optimizer for a linear probe that does not affect the encoder."""

import optax


def separate_probe(
    optimizer: optax.GradientTransformation,
) -> optax.GradientTransformation:
    """Returns an optimizer that updates the group "probe" separately from the rest.

    With one optimizer, clipping by global norm would scale the gradients of the encoder
    by those of the probe. The encoder would then depend on the labels.

    Source: ours.
    Differs: published probes share the optimizer of the encoder, which does not clip.
    """
    return optax.partition(
        {True: optimizer, False: optimizer},
        lambda params: {name: name == "probe" for name in params},
    )
