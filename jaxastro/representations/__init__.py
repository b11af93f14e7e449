"""From a record to an example of fixed size, by the name a config gives it."""

from types import ModuleType

from jaxastro.errors import InputError
from jaxastro.representations import (
    cutout,
    dmdt,
    folded,
    folded_and_map,
    light_curve,
    series,
    stamps,
)

REPRESENTATIONS = {
    "cutout": cutout,
    "dmdt": dmdt,
    "folded": folded,
    "folded_and_map": folded_and_map,
    "series": series,
    "light_curve": light_curve,
    "stamps": stamps,
}


LABELLED = ("dmdt_of_class", "dmdt_thesis")  # names of what cannot be drawn honestly


def representation_of(name: str) -> ModuleType:
    """Returns a representation, or says which there are."""
    if name in LABELLED:
        raise InputError(
            f"No representation {name!r}: a map of a star's differences to the stars "
            "of its own class is drawn with the label, and so tells it, even one dealt "
            "at random (python -m experiments.studies.dmdt_leak shows it). Use 'dmdt', of the "
            "pairs of points within a light curve."
        )
    if name not in REPRESENTATIONS:
        raise InputError(
            f"No representation named {name!r}. Known: {', '.join(REPRESENTATIONS)}."
        )
    return REPRESENTATIONS[name]
