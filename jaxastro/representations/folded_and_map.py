"""A folded light curve and a dm-dt map of the same object.

`normalisation` is that of the folded curve and that of the map: "fitted+share".
"""

from collections.abc import Iterable

from jaxastro.data.light_curve import LightCurveRecord
from jaxastro.errors import InputError
from jaxastro.representations import dmdt, folded
from jaxastro.surveys import Survey
from jaxastro.types import FoldedAndMap, Image

KIND, Example = "light_curve", FoldedAndMap
CAUSAL = ()  # as for its parts
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
    """Returns both images of one object, without the axis b.

    The arguments are those of the two parts.
    """
    settings = {"max_epochs": max_epochs, "statistics": statistics}
    curve_name, map_name = _names(normalisation)
    return _combined(
        folded.make_example(record, normalisation=curve_name, **settings),
        dmdt.make_example(record, normalisation=map_name, **settings),
    )


def blank(survey: Survey, *, max_epochs: int, num_objects: int) -> FoldedAndMap:
    """Returns inputs of zeros, in the shape of a batch, to initialise models."""
    size = {"max_epochs": max_epochs, "num_objects": num_objects}
    return _combined(folded.blank(survey, **size), dmdt.blank(survey, **size))


def fit_statistics(
    records: Iterable[LightCurveRecord], *, normalisation: str, survey: Survey
) -> dict[str, list[float]]:
    """Returns the statistics that both parts need, of the training objects."""
    records, statistics = list(records), {}
    for part, name in zip(PARTS, _names(normalisation), strict=True):
        statistics |= part.fit_statistics(records, normalisation=name, survey=survey)
    return statistics


def _combined(curve: Image, pairs: Image) -> FoldedAndMap:
    return FoldedAndMap(curve.image, pairs.image, curve.feature, curve.feature_mask)


def _names(normalisation: str) -> list[str]:
    names = normalisation.split("+")
    if len(names) != len(PARTS):
        raise InputError(
            f"Normalisation {normalisation!r} of a folded curve and a map. Give one of "
            "each, such as 'fitted+share'."
        )
    return names
