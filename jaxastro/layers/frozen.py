"""Frozen layers of a network of which only some groups are trained."""

from collections.abc import Callable, Sequence

import flax.linen as nn


def with_frozen_layers(fn: Callable, train_only: Sequence[str]) -> Callable:
    """Returns fn with the layers of all other groups in prediction mode.

    Their batch norms use the running statistics and do not update them; their dropout
    is off. So later layers are trained on the same input that they get in prediction.
    The optimizer keeps the parameters: make_optimizer(train_only=...).

    Args:
        fn: function that applies a Flax module.
        train_only: groups that are trained: first names of the paths of layers.
    Source: ours.
    Differs: published code freezes the parameters but updates running statistics.
    """

    def in_prediction_mode(call, args, kwargs, context):
        layer = context.module
        if layer.path and layer.path[0] not in train_only:
            # Fields of a module are frozen. This instance exists for one call of fn.
            if isinstance(layer, nn.BatchNorm):
                object.__setattr__(layer, "use_running_average", True)
            elif isinstance(layer, nn.Dropout):
                object.__setattr__(layer, "deterministic", True)
        return call(*args, **kwargs)

    def with_frozen(*args):
        with nn.intercept_methods(in_prediction_mode):
            return fn(*args)

    return with_frozen
