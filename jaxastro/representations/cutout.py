"""A single image, normalised: a cutout or a heat map."""

from collections.abc import Iterable

import numpy as np

from jaxastro.data.cutout import CutoutRecord
from jaxastro.errors import InputError
from jaxastro.surveys import Survey
from jaxastro.types import Image

KIND, Example = "cutout", Image
CAUSAL = ()  # a heat map depends on all epochs
CATALOGUED = ()
NORMALISATIONS = ("peak", "grey")


def make_example(
    record: CutoutRecord,
    *,
    max_epochs: int,
    normalisation: str,
    statistics: dict[str, list[float]],
) -> Image:
    """Returns one object's image, [y x d] without the axis b, and no features.

    Pixels that are not finite are 0.

    Args:
        max_epochs: not used.
        normalisation: "peak": all layers are divided by the largest absolute value of
            the first layer (the mean of a heat map), or by the smallest value of the
            last layer (its standard deviation) if that is larger, so that noise is not
            amplified. "grey": grey levels from 0 to 255 are divided by 255.
        statistics: not used.
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
    """Returns inputs of zeros, in the shape of a batch, to initialise models."""
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
    """Returns the statistics that the normalisation needs: none."""
    del records, survey
    _check(normalisation)
    return {}


def _check(normalisation: str) -> None:
    if normalisation not in NORMALISATIONS:
        raise InputError(
            f"No normalisation of cutouts named {normalisation!r}. Known: "
            f"{', '.join(NORMALISATIONS)}."
        )
