"""From a record to an example of fixed size, by the name a config gives it."""

from types import ModuleType

from jaxastro.representations import dmdt, light_curve, series

REPRESENTATIONS = {
    "dmdt": dmdt,
    "series": series,
    "light_curve": light_curve,
}


def representation_of(name: str) -> ModuleType:
    """Returns a representation, or says which there are."""
    if name not in REPRESENTATIONS:
        raise ValueError(
            f"No representation named {name!r}. Known: {', '.join(REPRESENTATIONS)}."
        )
    return REPRESENTATIONS[name]
