"""Every way of training, by the name a config gives it.

A method is a function of a model, an optimizer and an augmentation that returns
three pure functions, a Method. It is given a model and never imports one.
"""

from jaxtyping import Array, Integer

from jaxastro.methods.semiconformer import semiconformer
from jaxastro.methods.supervised import supervised
from jaxastro.types import Method

METHODS = {
    "supervised": supervised,
    "semiconformer": semiconformer,
}


def make_method(
    name: str, model, optimizer, augment, *, seed: int | Integer[Array, ""], **args
) -> Method:
    """Builds a method from its name and its own arguments.

    Where many models are trained by one program, the seed is an array of that program.
    """
    if name not in METHODS:
        raise ValueError(
            f"No method named {name!r}. Known methods: {', '.join(METHODS)}. To add "
            "one, write its file and list it in jaxastro/methods/__init__.py."
        )
    return METHODS[name](model, optimizer, augment, seed=seed, **args)
