"""A light curve of fixed length, normalised: the input of light-curve models.

Each epoch has one band. Errors are scaled with their fluxes, so that the ratio of flux
and error is preserved (for asinh, to first order). Normalisation "log" scales errors
independently, as published.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from jaxastro.data.evenly_spaced import evenly_spaced
from jaxastro.data.feature_scaling import fit_feature_ranks, scale_features
from jaxastro.data.light_curve import LightCurveRecord
from jaxastro.errors import InputError
from jaxastro.surveys import Survey
from jaxastro.types import LightCurve

Statistics = dict[str, list[float]]  # name -> numbers, can be stored as JSON
KIND, Example = "light_curve", LightCurve
LARGEST = 1e4  # absolute value of a normalised flux or error


def make_example(
    record: LightCurveRecord,
    *,
    max_epochs: int,
    normalisation: str,
    statistics: Statistics,
) -> LightCurve:
    """Returns one object's light curve, without the axis b, padded with zeros.

    Args:
        record: sorted by time; a record without epochs has features only.
        max_epochs: length of the result; of more epochs, evenly spaced ones are kept.
        normalisation: a key of NORMALISATIONS.
        statistics: what fit_statistics returned for the training objects.
    """
    epochs = len(record.mjd)
    keep = evenly_spaced(epochs, max_epochs)
    wide = record._replace(
        flux=record.flux.astype(float), flux_error=record.flux_error.astype(float)
    )
    columns = _normalisation(normalisation).apply(wide, statistics)
    # Extreme values stay finite in float32 and in the network.
    flux, error = (np.clip(column, -LARGEST, LARGEST) for column in columns)
    days = record.mjd - (record.mjd[0] if epochs else 0)

    def pad(values, kind):
        out = np.zeros(max_epochs, kind)
        kept = values[keep]
        out[: len(kept)] = kept
        return out

    feature, known = scale_features(record.features, statistics)
    return LightCurve(
        flux=pad(flux, np.float32),
        flux_error=pad(error, np.float32),
        time=pad(days, np.float32),
        band=pad(record.band, np.int32),
        epoch_mask=pad(np.ones(epochs), bool),
        feature=feature,
        feature_mask=known,
    )


def blank(survey: Survey, *, max_epochs: int, num_objects: int) -> LightCurve:
    """Returns inputs of zeros, in the shape of a batch, to initialise models."""
    shape, columns = (num_objects, max_epochs), (num_objects, len(survey.columns))
    return LightCurve(
        flux=np.zeros(shape, np.float32),
        flux_error=np.zeros(shape, np.float32),
        time=np.zeros(shape, np.float32),
        band=np.zeros(shape, np.int32),
        epoch_mask=np.ones(shape, bool),
        feature=np.zeros(columns, np.float32),
        feature_mask=np.ones(columns, bool),
    )


def fit_statistics(
    records: Iterable[LightCurveRecord], *, normalisation: str, survey: Survey
) -> Statistics:
    """Returns the statistics that the normalisation needs, of the training objects."""
    records = list(records)
    statistics = _normalisation(normalisation).fit(records, len(survey.bands))
    return statistics | fit_feature_ranks(r.features for r in records)


class Normalisation(NamedTuple):
    """A pair of functions; `apply` depends on training objects by statistics only."""

    # training records, number of bands -> statistics
    fit: Callable[[list[LightCurveRecord], int], Statistics]
    # record, statistics -> flux and error [t]
    apply: Callable[[LightCurveRecord, Statistics], tuple[np.ndarray, np.ndarray]]


def _fit_asinh(records: list[LightCurveRecord], num_bands: int) -> Statistics:
    """Returns the softening of each band, its median error."""
    band, error = _all(records, "band"), _all(records, "flux_error")
    typical = [
        np.median(error[band == k]) if (band == k).any() else 1.0
        for k in range(num_bands)
    ]
    return {"softening": [float(value) for value in typical]}


def _apply_asinh(record: LightCurveRecord, statistics: Statistics):
    softening = 3 * np.array(statistics["softening"])[record.band]
    flux, error = record.flux / softening, record.flux_error / softening
    return np.arcsinh(flux), error / np.sqrt(1 + flux**2)


def _fit_peak(records: list[LightCurveRecord], num_bands: int) -> Statistics:
    del records, num_bands
    return {}


def _apply_peak(record: LightCurveRecord, statistics: Statistics):
    """Divides by the largest absolute flux, or the smallest error if it is larger."""
    del statistics
    faintest = record.flux_error.min(initial=np.inf)
    peak = max(abs(record.flux).max(initial=0), min(faintest, 1e30))
    return record.flux / peak, record.flux_error / peak


def _fit_relative(records: list[LightCurveRecord], num_bands: int) -> Statistics:
    """Returns the deviation of flux / median of its object and band - 1."""
    change = np.concatenate([_relative(r)[0] for r in records] or [np.zeros(0)])
    low, high = np.percentile(change, [16, 84]) if len(change) else (0, 0)
    return {"deviation": [float(high - low) / 2 or 1.0]}


def _apply_relative(record: LightCurveRecord, statistics: Statistics):
    deviation = statistics["deviation"][0]
    change, error = _relative(record)
    # Limits the effect of outliers to 30 deviations.
    return np.clip(change / deviation, -30, 30), error / deviation


def _relative(record: LightCurveRecord) -> tuple[np.ndarray, np.ndarray]:
    """Returns [t], flux / median of its band - 1, and its error."""
    median = np.ones(len(record.mjd))
    for band in np.unique(record.band):
        of_band = record.band == band
        median[of_band] = np.median(record.flux[of_band])
    # The median of faint objects may be near 0, so the error is a lower limit.
    median = np.maximum(abs(median), record.flux_error)
    return record.flux / median - 1, record.flux_error / median


def _fit_log(records: list[LightCurveRecord], num_bands: int) -> Statistics:
    del num_bands
    statistics = {}
    for name in ("flux", "flux_error"):
        value = _all(records, name).astype(np.float64)
        lowest = value.min(initial=np.inf) if len(value) else 0.0
        log = np.log(value - lowest + _LOG_SOFTENING)
        spread = float(log.std()) if len(value) else 1.0
        statistics[name] = [
            float(lowest),
            float(log.mean()) if len(value) else 0.0,
            spread or 1.0,
        ]
    return statistics


def _apply_log(record: LightCurveRecord, statistics: Statistics):
    columns = []
    for name in ("flux", "flux_error"):
        lowest, mean, deviation = statistics[name]
        value = np.maximum(getattr(record, name) - lowest, 0)  # clipped, as published
        columns.append((np.log(value + _LOG_SOFTENING) - mean) / deviation)
    return tuple(columns)


_LOG_SOFTENING = 1e-5
CAUSAL = ("asinh", "log")
CATALOGUED = ()
NORMALISATIONS = {
    "asinh": Normalisation(_fit_asinh, _apply_asinh),
    "log": Normalisation(_fit_log, _apply_log),  # SuperNNova's "global"
    "peak": Normalisation(_fit_peak, _apply_peak),  # SuperNNova's "cosmo"
    "relative": Normalisation(_fit_relative, _apply_relative),  # for variable stars
}


def _normalisation(name: str) -> Normalisation:
    if name not in NORMALISATIONS:
        raise InputError(
            f"No normalisation of light curves named {name!r}. Known: "
            f"{', '.join(NORMALISATIONS)}."
        )
    return NORMALISATIONS[name]


def _all(records: list[LightCurveRecord], name: str) -> np.ndarray:
    columns = [getattr(record, name) for record in records]
    return np.concatenate(columns) if columns else np.zeros(0)
