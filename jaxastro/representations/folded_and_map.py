"""A folded light curve and the map of its pairs of points, beside each other.

`normalisation` names that of each, folded first: "fitted+share".
"""

from collections.abc import Iterable

from jaxastro.data.light_curve import LightCurveRecord
from jaxastro.errors import InputError
from jaxastro.representations import dmdt, folded
from jaxastro.surveys import Survey
from jaxastro.types import FoldedAndMap, Image

KIND, Example = "light_curve", FoldedAndMap  # of the records, and what is made of one
CAUSAL = ()  # as of its parts
CATALOGUED = tuple(
    f"{name}+{scale}" for name in folded.CATALOGUED for scale in dmdt.SCALES
)
PARTS = (folded, dmdt)


def make_example(
    record: LightCurveRecord,
    *,
    max_epochs: int,
    normalisation: str,
    statistics: dict[str, list[float]],
) -> FoldedAndMap:
    """Returns both drawings of one object, without the axis b."""
    how = {"max_epochs": max_epochs, "statistics": statistics}
    names = _names(normalisation)
    return _beside(
        *(
            part.make_example(record, normalisation=name, **how)
            for part, name in zip(PARTS, names, strict=True)
        )
    )


def blank(survey: Survey, *, max_epochs: int, num_objects: int) -> FoldedAndMap:
    """Returns inputs of the shape that models see, to make states of."""
    size = {"max_epochs": max_epochs, "num_objects": num_objects}
    return _beside(*(part.blank(survey, **size) for part in PARTS))


def fit_statistics(
    records: Iterable[LightCurveRecord], *, normalisation: str, survey: Survey
) -> dict[str, list[float]]:
    """Returns the numbers that both need, measured on training objects only."""
    records, found = list(records), {}
    for part, name in zip(PARTS, _names(normalisation), strict=True):
        found |= part.fit_statistics(records, normalisation=name, survey=survey)
    return found


def _beside(curve: Image, pairs: Image) -> FoldedAndMap:
    return FoldedAndMap(curve.image, pairs.image, curve.feature, curve.feature_mask)


def _names(normalisation: str) -> list[str]:
    names = normalisation.split("+")
    if len(names) != len(PARTS):
        raise InputError(
            f"Normalisation {normalisation!r} of a folded curve and a map. Name one of "
            "each, such as 'fitted+share'."
        )
    return names
