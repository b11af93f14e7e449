"""What models look at of alerts: some of the stamps, and the numbers beside them."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Shaped

from jaxastro.errors import InputError
from jaxastro.types import Alerts

STAMPS = ("science", "template", "difference")  # in the order of their axis


def select_stamps(inputs: Alerts, names: tuple[str, ...]) -> Float[Array, "b t y x d"]:
    """Returns the named stamps of every alert, 0 where there is none.

    Source: ours.
    Differs: none.
    Raises:
        ValueError: if there is no such stamp, or none is named.
    """
    if not names or set(names) - set(STAMPS):
        raise InputError(
            f"stamps {names}: choose of {', '.join(STAMPS)}, at least one, in "
            "config.model.args.stamps."
        )
    seen = inputs.epoch_mask[:, :, None, None, None]
    places = [STAMPS.index(name) for name in names]
    return jnp.where(seen, inputs.stamp, 0)[..., places]


def single_alert(x: Shaped[Array, "b t ..."]) -> Shaped[Array, "b ..."]:
    """Returns what there is of the one alert that an object is asked by.

    Source: ours.
    Differs: none.
    Raises:
        ValueError: if objects come with more.
    """
    if x.shape[1] != 1:
        raise InputError(
            f"A classifier of single alerts, but objects come with {x.shape[1]}. Set "
            "config.representation.max_epochs, config.loader.loaded_epochs and "
            "config.augment.max_epochs to 1, or choose a model of sequences."
        )
    return x[:, 0]


class Metadata(nn.Module):
    """The numbers beside a stamp, each unknown one as what is learned to stand for it.

    Then normalised over the batch, where asked.

    Source: Carrasco-Davis et al. 2021, AJ 162, 231, Sect. 3.2 (the norm).
    Differs: unknown numbers were those of their sentinel, -999 as a rule.
    """

    norm: bool = True

    @nn.compact
    def __call__(
        self,
        value: Float[Array, "*n f"],
        known: Bool[Array, "*n f"],
        train: bool,
    ) -> Float[Array, "*n f"]:
        blank = self.param("unknown", nn.initializers.zeros, value.shape[-1:])
        value = jnp.where(known, value, blank)
        if not self.norm:
            return value
        return nn.BatchNorm(not train, momentum=0.9, name="norm")(value)
