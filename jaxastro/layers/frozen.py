"""Layers that are not trained, in a network of which others are."""

from collections.abc import Callable, Sequence

import flax.linen as nn


def with_frozen_layers(fn: Callable, train_only: Sequence[str]) -> Callable:
    """Returns fn, in which layers of all other groups compute as when they predict.

    Their batch norms use the running statistics, and leave them as they are; their
    dropout drops nothing. What comes after them is then trained on what it will see.
    That parameters stay is the optimizer's part: make_optimizer(train_only=...).

    Args:
        train_only: groups, the first names of the paths of layers.
    Source: ours.
    Differs: published code freezes parameters alone, so that running statistics go on.
    """

    def as_predicting(call, args, kwargs, context):
        layer = context.module
        if layer.path and layer.path[0] not in train_only:
            # A field of a module is set once; this one lives for one call of the model.
            if isinstance(layer, nn.BatchNorm):
                object.__setattr__(layer, "use_running_average", True)
            elif isinstance(layer, nn.Dropout):
                object.__setattr__(layer, "deterministic", True)
        return call(*args, **kwargs)

    def with_frozen(*args):
        with nn.intercept_methods(as_predicting):
            return fn(*args)

    return with_frozen
