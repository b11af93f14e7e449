"""Input of alert models: selected stamps, and the metadata of the alert packet."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Shaped

from jaxastro.errors import InputError
from jaxastro.types import Alerts

STAMPS = ("science", "template", "difference")  # in the order of their axis


def select_stamps(inputs: Alerts, names: tuple[str, ...]) -> Float[Array, "b t y x d"]:
    """Returns the named stamps of every alert, 0 where an epoch is padding.

    Raises:
        InputError: if a name is not in STAMPS, or no stamp is named.
    Source: ours.
    Differs: none.
    """
    if not names or set(names) - set(STAMPS):
        raise InputError(
            f"config.model.args.stamps is {names}. Give at least one of "
            f"{', '.join(STAMPS)}."
        )
    observed = inputs.epoch_mask[:, :, None, None, None]
    places = [STAMPS.index(name) for name in names]
    return jnp.where(observed, inputs.stamp, 0)[..., places]


def single_alert(x: Shaped[Array, "b t ..."]) -> Shaped[Array, "b ..."]:
    """Returns x without its time axis, which has a single alert.

    Raises:
        InputError: if there is more than one alert per object.
    Source: ours.
    Differs: none.
    """
    if x.shape[1] != 1:
        raise InputError(
            f"This model classifies single alerts and got {x.shape[1]} per object. Set "
            "config.representation.max_epochs, config.loader.loaded_epochs and "
            "config.augment.max_epochs to 1, or choose a sequence model."
        )
    return x[:, 0]


class Metadata(nn.Module):
    """Metadata of an alert; unknown values are replaced by learned parameters.

    With norm=True batch normalisation follows.

    Source: Carrasco-Davis et al. 2021, AJ 162, 231, Sect. 3.2 (the norm).
    Differs: the source keeps the sentinel of an unknown value, usually -999.
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
