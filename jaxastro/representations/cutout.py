"""A picture of fixed size, normalised: a heat map, or a single cutout."""

from collections.abc import Iterable

import numpy as np

from jaxastro.data.cutout import CutoutRecord
from jaxastro.errors import InputError
from jaxastro.surveys import Survey
from jaxastro.types import Image

KIND, Example = "cutout", Image  # of the records, and what is made of one
CAUSAL = ()  # a picture that is drawn cannot end early
CATALOGUED = ()  # normalisations that draw a catalogue's numbers
NORMALISATIONS = ("peak", "grey")


def make_example(
    record: CutoutRecord,
    *,
    max_epochs: int,
    normalisation: str,
    statistics: dict[str, list[float]],
) -> Image:
    """Returns one object's picture, [y x d], without the axis b, and no features.

    Pixels that are not numbers are 0.

    Args:
        max_epochs: has no say: a picture is one.
        normalisation: "peak": all layers in units of the largest absolute value of the
            first, which of a heat map is the mean; but at least of the smallest of the
            last, its deviation, lest noise be enlarged. "grey": levels of a screen, 0
            to 255, become 0 to 1.
        statistics: what fit_statistics returned: no number is needed.
    """
    del max_epochs, statistics
    _check(normalisation)
    image = np.where(np.isfinite(record.image), record.image, 0)
    scale = 255.0
    if normalisation == "peak":
        scale = max(abs(image[..., 0]).max(), image[..., -1].min()) or 1.0
    none = np.zeros(0)
    return Image(image / np.float32(scale), none.astype(np.float32), none.astype(bool))


def blank(survey: Survey, *, max_epochs: int, num_objects: int) -> Image:
    """Returns inputs of the shape that models see, to make states of."""
    del max_epochs
    shape = survey.shape or (*2 * (survey.image_size,), len(survey.bands))
    none = np.zeros((num_objects, 0))
    return Image(
        image=np.zeros((num_objects, *shape), np.float32),
        feature=none.astype(np.float32),
        feature_mask=none.astype(bool),
    )


def fit_statistics(
    records: Iterable[CutoutRecord], *, normalisation: str, survey: Survey
) -> dict[str, list[float]]:
    """Returns the numbers that normalising needs: none."""
    del records, survey
    _check(normalisation)
    return {}


def _check(normalisation: str) -> None:
    if normalisation not in NORMALISATIONS:
        raise InputError(
            f"No normalisation of cutouts named {normalisation!r}. Known: "
            f"{', '.join(NORMALISATIONS)}."
        )
