"""Representations: from a record to model inputs of fixed size.

Each is a module with
    KIND, Example    kind of its records, and type of its examples
    CAUSAL           normalisations for which an epoch does not depend on later ones
    CATALOGUED       normalisations that compute the input from catalogue columns
    make_example     record -> example
    blank            inputs of zeros in the shape of a batch
    fit_statistics   numbers that make_example needs, measured on training objects
"""

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


SKY_SUBTRACTED = (
    "The frames hold their sky: the level of their corners is more than "
    f"{series.SKY_LEVEL:.0f} times the pixel noise. The median of the outer "
    f"{series.BORDER} pixels is subtracted from each frame."
)
USES_LABELS = ("dmdt_of_class", "dmdt_thesis")  # published representations that leak


def describe_statistics(statistics: dict[str, list[float]]) -> tuple[str, ...]:
    """Returns a sentence on each choice that was made from the training objects."""
    return (SKY_SUBTRACTED,) if any(statistics.get("sky", ())) else ()


def representation_of(name: str) -> ModuleType:
    """Returns the representation of a name.

    Raises:
        InputError: if there is none; the message lists the names.
    """
    if name in USES_LABELS:
        raise InputError(
            f"No representation {name!r}: maps of the differences between a star and "
            "the other stars of its class need the label and leak it, even if labels "
            "are random (python -m experiments.studies.dmdt_leak shows this). Use "
            "'dmdt', which has the pairs of points within a light curve."
        )
    if name not in REPRESENTATIONS:
        raise InputError(
            f"No representation named {name!r}. Known: {', '.join(REPRESENTATIONS)}."
        )
    return REPRESENTATIONS[name]
