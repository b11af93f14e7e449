"""All training methods, by the name used in configs.

A method is a function of a model, an optimizer and an augmentation. It returns a
`Method`: three pure functions and facts about them. Methods import no model.
"""

from collections.abc import Callable, Sequence

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

    Args:
        name: a key of METHODS.
        model: as `make_model` returns it.
        optimizer: as `make_optimizer` returns it.
        augment: as `make_augment` returns it.
        seed: integer, or an array where one program trains many models.
        train_only: as for the optimizer. All other layers are in prediction mode: their
            batch statistics are not updated and their gradients are not computed, so
            the scalar "grad_norm" is omitted.
        args: arguments of the method itself.
    Raises:
        InputError: if there is no such method.
    """
    if name not in METHODS:
        raise InputError(
            f"No method named {name!r}. Known methods: {', '.join(METHODS)}. To add "
            "one, write its file and list it in jaxastro/methods/__init__.py."
        )
    method = METHODS[name](model, optimizer, augment, seed=seed, **args)
    method = method._replace(init=_with_checked_inputs(name, method))
    if train_only:
        step = _without_norm(with_frozen_layers(method.step, train_only))
        method = method._replace(step=step)
    return method


def _without_norm(step: Callable) -> Callable:
    """Returns step without the scalar "grad_norm", which needs all gradients."""

    def step_without_norm(state: TrainState, batch: Batch) -> tuple[TrainState, dict]:
        state, scalars = step(state, batch)
        return state, {name: scalars[name] for name in scalars if name != "grad_norm"}

    return step_without_norm


def _with_checked_inputs(name: str, method: Method) -> Callable:
    """Returns init with a check of the type of the inputs."""

    def init(key: Array, inputs: Inputs) -> TrainState:
        if not isinstance(inputs, method.inputs):
            names = " or ".join(kind.__name__ for kind in method.inputs)
            raise InputError(
                f"Method {name} expects {names} input, and got "
                f"{type(inputs).__name__}. Use another method, or "
                "config.representation.name."
            )
        return method.init(key, inputs)

    return init
