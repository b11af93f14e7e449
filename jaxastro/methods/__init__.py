"""Every way of training, by the name a config gives it.

A method is a function of a model, an optimizer and an augmentation that returns
three pure functions, a Method. It is given a model and never imports one.
"""

from collections.abc import Callable, Sequence
from typing import get_type_hints

from jaxtyping import Array, Integer

from jaxastro.errors import InputError
from jaxastro.layers.frozen import with_frozen_layers
from jaxastro.methods.autoencoder import autoencoder
from jaxastro.methods.byol import byol
from jaxastro.methods.corrupted_light_curve import corrupted_light_curve
from jaxastro.methods.masked_frames import masked_frames
from jaxastro.methods.semiconformer import semiconformer
from jaxastro.methods.supervised import supervised
from jaxastro.types import Batch, Inputs, Method, TrainState

METHODS = {
    "supervised": supervised,
    "semiconformer": semiconformer,
    "byol": byol,
    "masked_frames": masked_frames,
    "corrupted_light_curve": corrupted_light_curve,
    "autoencoder": autoencoder,
}


def make_method(
    name: str,
    model,
    optimizer,
    augment,
    *,
    seed: int | Integer[Array, ""],
    train_only: Sequence[str] = (),
    **args,
) -> Method:
    """Builds a method from its name and its own arguments.

    Where many models are trained by one program, the seed is an array of that program.

    Args:
        train_only: as the optimizer's: layers of other groups compute in training as
            they do in prediction, so that their batch statistics stay, and their
            gradients are not computed; so there is no norm of all of them either.
    """
    if name not in METHODS:
        raise InputError(
            f"No method named {name!r}. Known methods: {', '.join(METHODS)}. To add "
            "one, write its file and list it in jaxastro/methods/__init__.py."
        )
    method = METHODS[name](model, optimizer, augment, seed=seed, **args)
    method = method._replace(init=_of_what_it_eats(name, method.init))
    if train_only:
        step = _without_norm(with_frozen_layers(method.step, train_only))
        method = method._replace(step=step)
    return method


def _without_norm(step: Callable) -> Callable:
    """Returns step without the one scalar for which frozen layers need gradients."""

    def cheaper(state: TrainState, batch: Batch) -> tuple[TrainState, dict]:
        state, scalars = step(state, batch)
        return state, {name: scalars[name] for name in scalars if name != "grad_norm"}

    return cheaper


def _of_what_it_eats(name: str, init: Callable) -> Callable:
    """Returns init, which refuses inputs that its own annotation does not name."""
    eaten = get_type_hints(init)["inputs"]

    def checked(key: Array, inputs: Inputs) -> TrainState:
        if not isinstance(inputs, eaten):
            kinds = getattr(eaten, "__args__", (eaten,))  # of a union, or the one
            raise InputError(
                f"Method {name} trains on a {' or '.join(k.__name__ for k in kinds)}, "
                f"and was given a {type(inputs).__name__}. Use another method, or "
                "config.representation.name."
            )
        return init(key, inputs)

    return checked
