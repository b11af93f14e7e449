"""dm-dt maps: histograms of magnitude and time differences within a light curve.

Each pair of points of a band, t_j >= t_i, is one count in the bin of its differences
t_j - t_i and m_j - m_i. A bin includes its lower edge but not its upper edge. The map
needs the light curve only: no period and no other star.

Source: Mahabal et al. 2017, arXiv 1709.06257, with the same bins.
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

KIND, Example = "light_curve", Image
CAUSAL = ()  # a map depends on all epochs
CATALOGUED = ()
# Edges of the bins: magnitudes, of either sign, and days.
MAGNITUDES = (0, 0.1, 0.2, 0.3, 0.5, 1, 1.5, 2, 2.5, 3, 5, 8)
DAYS = (
    0,
    1 / 145,
    2 / 145,
    3 / 145,
    4 / 145,
    1 / 25,
    2 / 25,
    3 / 25,
    1.5,
    2.5,
    3.5,
    4.5,
    5.5,
    7,
    10,
    20,
    30,
    60,
    90,
    120,
    240,
    600,
    960,
    2000,
    4000,
)


def make_example(
    record: LightCurveRecord,
    *,
    max_epochs: int,
    normalisation: str,
    statistics: dict[str, list[float]],
) -> Image:
    """Returns one object's maps, [22 magnitudes, 24 times, bands] without the axis b.

    Points without a positive flux have no magnitude and are omitted. Pairs outside the
    bins count in the total number of pairs only.

    Args:
        record: sorted by time.
        max_epochs: per band; of more epochs, evenly spaced ones are kept.
        normalisation: "share": 10 sqrt(n / N) with n of N pairs in a bin, from 0 to 10;
            "ceil": ceil(255 n / N) / 255, as published.
        statistics: what fit_statistics returned for the training objects.
    """
    scale, num_bands = _scale(normalisation), int(statistics["num_bands"][0])
    maps = np.zeros((2 * len(MAGNITUDES) - 2, len(DAYS) - 1, num_bands), np.float32)
    for band in range(num_bands):
        seen = bright_epochs(record, band, max_epochs)
        counts = pair_counts(record.mjd[seen], magnitude_of(record.flux[seen], 0.0))
        maps[..., band] = scale(counts, len(seen) * (len(seen) - 1) / 2)
    feature, known = scale_features(record.features, statistics)
    return Image(maps, feature, known)


def pair_counts(mjd: np.ndarray, magnitude: np.ndarray) -> np.ndarray:
    """Returns [22 magnitudes, 24 times], the number of pairs of points in each bin.

    Args:
        mjd: [t], days, ascending.
        magnitude: [t].
    """
    if len(mjd) < 2:
        return np.zeros((2 * len(MAGNITUDES) - 2, len(DAYS) - 1))
    columns = (np.asarray(column, np.float64) for column in (mjd, magnitude))
    # With sorted=False the library refuses points at equal times.
    return _bins().points(*columns, sorted=True).T


def blank(survey: Survey, *, max_epochs: int, num_objects: int) -> Image:
    """Returns inputs of zeros, in the shape of a batch, to initialise models."""
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
    """Returns the statistics that the scaling needs, of the training objects."""
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
def _bins() -> light_curve.DmDt:
    above = np.array(MAGNITUDES, np.float64)
    edges = np.concatenate([-above[:0:-1], above])
    days = np.array(DAYS, np.float64)
    return light_curve.DmDt(dt=days, dm=edges, dt_type="asis", dm_type="asis", n_jobs=1)
