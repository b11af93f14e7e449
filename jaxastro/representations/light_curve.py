"""A light curve of fixed length, normalised: what light-curve models eat.

Bands stay apart: an epoch has one. Errors are normalised with their fluxes, so that a
flux in units of its error is what it was, as far as a curve is straight; but "log"
gives them a scale of their own, as published.
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

Statistics = dict[str, list[float]]  # plain numbers by name: JSON
KIND, Example = "light_curve", LightCurve  # of the records, and what is made of one
LARGEST = 1e4  # normalised flux or error


def make_example(
    record: LightCurveRecord,
    *,
    max_epochs: int,
    normalisation: str,
    statistics: Statistics,
) -> LightCurve:
    """Returns one object's light curve, without the axis b, zeros at the end.

    Of more than `max_epochs` epochs, those evenly spaced in order are kept. A record's
    epochs are sorted, so the order in which they were given cannot matter.

    Args:
        record: sorted by time; one without epochs has features alone.
        max_epochs: length of the result.
        normalisation: a name in NORMALISATIONS.
        statistics: what fit_statistics returned for the training objects.
    """
    epochs = len(record.mjd)
    keep = evenly_spaced(epochs, max_epochs)
    wide = record._replace(
        flux=record.flux.astype(float), flux_error=record.flux_error.astype(float)
    )
    columns = _normalisation(normalisation).apply(wide, statistics)
    # An absurd number stays finite in float32, and in what a network makes of it.
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
    """Returns inputs of the shape that models see, to make states of."""
    shape, columns = (num_objects, max_epochs), (num_objects, len(survey.columns))
    return LightCurve(
        *(np.zeros(shape, np.float32) for _ in ("flux", "flux_error", "time")),
        band=np.zeros(shape, np.int32),
        epoch_mask=np.ones(shape, bool),
        feature=np.zeros(columns, np.float32),
        feature_mask=np.ones(columns, bool),
    )


def fit_statistics(
    records: Iterable[LightCurveRecord], *, normalisation: str, survey: Survey
) -> Statistics:
    """Returns the numbers that normalising needs, measured on training objects only."""
    records = list(records)
    found = _normalisation(normalisation).fit(records, len(survey.bands))
    return found | fit_feature_ranks(r.features for r in records)


class Normalisation(NamedTuple):
    """Two functions: numbers from training records, fluxes and errors of one."""

    fit: Callable[[list[LightCurveRecord], int], Statistics]
    apply: Callable[[LightCurveRecord, Statistics], tuple[np.ndarray, np.ndarray]]


def _fit_asinh(records: list[LightCurveRecord], num_bands: int) -> Statistics:
    """Softening: a band's typical error."""
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
    """In units of the brightest epoch, or of the smallest error if that is more."""
    del statistics
    faintest = record.flux_error.min(initial=np.inf)
    peak = max(abs(record.flux).max(initial=0), min(faintest, 1e30))
    return record.flux / peak, record.flux_error / peak


def _fit_relative(records: list[LightCurveRecord], num_bands: int) -> Statistics:
    """The spread of all fluxes about their object's median of the band, in medians."""
    change = np.concatenate([_relative(r)[0] for r in records] or [np.zeros(0)])
    low, high = np.percentile(change, [16, 84]) if len(change) else (0, 0)
    return {"deviation": [float(high - low) / 2 or 1.0]}


def _apply_relative(record: LightCurveRecord, statistics: Statistics):
    deviation = statistics["deviation"][0]
    change, error = _relative(record)
    # A wild point must not drown the rest: thirty deviations.
    return np.clip(change / deviation, -30, 30), error / deviation


def _relative(record: LightCurveRecord) -> tuple[np.ndarray, np.ndarray]:
    """Returns [t] flux / median of its band - 1, and the error of it."""
    median = np.ones(len(record.mjd))
    for band in np.unique(record.band):
        of_band = record.band == band
        median[of_band] = np.median(record.flux[of_band])
    # A band that is as often below zero as above has no level to compare with.
    median = np.maximum(abs(median), record.flux_error)
    return record.flux / median - 1, record.flux_error / median


def _fit_log(records: list[LightCurveRecord], num_bands: int) -> Statistics:
    del num_bands
    found = {}
    for name in ("flux", "flux_error"):
        value = _all(records, name).astype(np.float64)
        lowest = value.min(initial=np.inf) if len(value) else 0.0
        log = np.log(value - lowest + _LOG_SOFTENING)
        spread = float(log.std()) if len(value) else 1.0
        found[name] = [
            float(lowest),
            float(log.mean()) if len(value) else 0.0,
            spread or 1.0,
        ]
    return found


def _apply_log(record: LightCurveRecord, statistics: Statistics):
    found = []
    for name in ("flux", "flux_error"):
        lowest, mean, deviation = statistics[name]
        value = np.maximum(getattr(record, name) - lowest, 0)  # clipped, as published
        found.append((np.log(value + _LOG_SOFTENING) - mean) / deviation)
    return tuple(found)


_LOG_SOFTENING = 1e-5
# Whose result for an epoch does not depend on later ones.
CAUSAL = ("asinh", "log")
CATALOGUED = ()  # normalisations that draw a catalogue's numbers
NORMALISATIONS = {
    "asinh": Normalisation(_fit_asinh, _apply_asinh),
    "log": Normalisation(_fit_log, _apply_log),  # SuperNNova's "global"
    "peak": Normalisation(_fit_peak, _apply_peak),  # SuperNNova's "cosmo"
    "relative": Normalisation(_fit_relative, _apply_relative),  # of variable stars
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
