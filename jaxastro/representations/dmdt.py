"""Maps of all pairs of points of a light curve: how far they differ, after how long.

Each pair of points of a band, t_j >= t_i, is one count in the cell of its differences
in time, t_j - t_i, and in magnitude, m_j - m_i. Nothing but the light curve enters: no
period, no other star. Cells hold their lower edge, and not their upper one. Source:
Mahabal et al. 2017, arXiv 1709.06257, whose cells these are.
"""

from collections.abc import Iterable
from functools import cache

import light_curve
import numpy as np

from jaxastro.data.feature_scaling import fit_feature_ranks, scale_features
from jaxastro.data.light_curve import LightCurveRecord, bright_epochs
from jaxastro.errors import InputError
from jaxastro.surveys import Survey
from jaxastro.types import Image
from jaxastro.units import magnitude_of

KIND, Example = "light_curve", Image  # of the records, and what is made of one
CAUSAL = ()  # a map that is drawn cannot end early
CATALOGUED = ()  # normalisations that draw a catalogue's numbers
MAGNITUDES = (  # edges; below zero the same
    *(0, 0.1, 0.2, 0.3, 0.5, 1, 1.5, 2, 2.5, 3, 5, 8),
)
DAYS = (
    *(0, 1 / 145, 2 / 145, 3 / 145, 4 / 145, 1 / 25, 2 / 25, 3 / 25),
    *(1.5, 2.5, 3.5, 4.5, 5.5, 7, 10, 20, 30, 60, 90, 120, 240, 600, 960, 2000, 4000),
)


def make_example(
    record: LightCurveRecord,
    *,
    max_epochs: int,
    normalisation: str,
    statistics: dict[str, list[float]],
) -> Image:
    """Returns one object's maps, [22 magnitudes, 24 times, bands], without the axis b.

    Points without a positive flux have no magnitude and are left out. Pairs beyond the
    edges are in no cell, but count among all pairs.

    Args:
        record: sorted by time.
        max_epochs: of more in a band, those evenly spaced in order are kept.
        normalisation: "share": 10 times the square root of the share of all pairs, from
            0 to 10; "ceil": 255 times the share, rounded up, as published, over 255.
        statistics: what fit_statistics returned for the training objects.
    """
    scaled, num_bands = _scale(normalisation), int(statistics["num_bands"][0])
    maps = np.zeros((2 * len(MAGNITUDES) - 2, len(DAYS) - 1, num_bands), np.float32)
    for band in range(num_bands):
        seen = bright_epochs(record, band, max_epochs)
        counts = pair_counts(record.mjd[seen], magnitude_of(record.flux[seen], 0.0))
        maps[..., band] = scaled(counts, len(seen) * (len(seen) - 1) / 2)
    feature, known = scale_features(record.features, statistics)
    return Image(maps, feature, known)


def pair_counts(mjd: np.ndarray, magnitude: np.ndarray) -> np.ndarray:
    """Returns [22 magnitudes, 24 times] how many pairs of points are in each cell.

    Args:
        mjd: [t] days, ascending.
        magnitude: [t].
    """
    if len(mjd) < 2:
        return np.zeros((2 * len(MAGNITUDES) - 2, len(DAYS) - 1))
    columns = (np.asarray(column, np.float64) for column in (mjd, magnitude))
    # It would refuse equal times otherwise, which two points may well have.
    return _cells().points(*columns, sorted=True).T


def blank(survey: Survey, *, max_epochs: int, num_objects: int) -> Image:
    """Returns inputs of the shape that models see, to make states of."""
    del max_epochs
    shape = 2 * len(MAGNITUDES) - 2, len(DAYS) - 1, len(survey.bands)
    columns = num_objects, len(survey.columns)
    return Image(
        image=np.zeros((num_objects, *shape), np.float32),
        feature=np.zeros(columns, np.float32),
        feature_mask=np.ones(columns, bool),
    )


def fit_statistics(
    records: Iterable[LightCurveRecord], *, normalisation: str, survey: Survey
) -> dict[str, list[float]]:
    """Returns the numbers that scaling needs, measured on training objects only."""
    _scale(normalisation)
    features = fit_feature_ranks(record.features for record in records)
    return {"num_bands": [float(len(survey.bands))]} | features


SCALES = {
    "share": lambda n, all_pairs: 10 * np.sqrt(n / max(all_pairs, 1)),
    "ceil": lambda n, all_pairs: np.ceil(255 * n / max(all_pairs, 1)) / 255,
}


def _scale(normalisation: str):
    if normalisation not in SCALES:
        raise InputError(
            f"No normalisation of dm-dt maps named {normalisation!r}. Known: "
            f"{', '.join(SCALES)}."
        )
    return SCALES[normalisation]


@cache
def _cells() -> light_curve.DmDt:
    above = np.array(MAGNITUDES, np.float64)
    edges = np.concatenate([-above[:0:-1], above])
    days = np.array(DAYS, np.float64)
    return light_curve.DmDt(dt=days, dm=edges, dt_type="asis", dm_type="asis", n_jobs=1)
