"""Folded light curves: smooth curves of 360 values over one period.

Normalisation "harmonic" computes two harmonics from the amplitude and the Fourier
parameters of a catalogue. Normalisation "fitted" fits a Fourier series to the epochs of
the star, at the period of the catalogue or, without one, of the light curve itself.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from jaxastro.data.feature_scaling import fit_feature_ranks, scale_features
from jaxastro.data.light_curve import LightCurveRecord, bright_epochs
from jaxastro.errors import InputError
from jaxastro.photometry.harmonics import fit_harmonics, fourier, magnitudes
from jaxastro.photometry.period import MIN_EPOCHS, find_period
from jaxastro.surveys import Survey
from jaxastro.types import Image

Statistics = dict[str, list[float]]  # plain numbers by name: JSON
KIND, Example = "light_curve", Image
CAUSAL = ()  # a period depends on all epochs
PHASES = 360
NUM_HARMONICS = 6  # of a fit
RIDGE = 1e-3  # of a fit with weights of sum 1; limits it between distant phases
PERIODS = ("Per", "period")  # columns with a period, days
OF_BAND = ("{}mag", "Amp_{}", "R21", "phi21")  # columns that "harmonic" needs
LARGEST = 30.0  # absolute value of the result


def make_example(
    record: LightCurveRecord,
    *,
    max_epochs: int,
    normalisation: str,
    statistics: Statistics,
) -> Image:
    """Returns one object's folded curves, [360 phases, 1, bands] without the axis b.

    Points without a positive flux have no magnitude and are omitted. A band is 0 if its
    curve cannot be computed: with less than ten points, without a period, or without
    the catalogue columns.

    Args:
        record: sorted by time; a record without epochs has features only.
        max_epochs: per band; of more epochs, evenly spaced ones are kept.
        normalisation: a key of FORMS.
        statistics: what fit_statistics returned for the training objects.
    """
    curves = _form(normalisation).compute(record, max_epochs, statistics)
    curves = _scaled(curves, statistics)
    curves = np.nan_to_num(np.clip(curves, -LARGEST, LARGEST)).astype(np.float32)
    return Image(curves[:, None], *scale_features(record.features, statistics))


def blank(survey: Survey, *, max_epochs: int, num_objects: int) -> Image:
    """Returns inputs of zeros, in the shape of a batch, to initialise models."""
    del max_epochs
    columns = num_objects, len(survey.columns)
    return Image(
        image=np.zeros((num_objects, PHASES, 1, len(survey.bands)), np.float32),
        feature=np.zeros(columns, np.float32),
        feature_mask=np.ones(columns, bool),
    )


def fit_statistics(
    records: Iterable[LightCurveRecord], *, normalisation: str, survey: Survey
) -> Statistics:
    """Returns the statistics that the curves need, of the training objects.

    Raises:
        InputError: if the survey does not have the columns of the normalisation.
    """
    form, records = _form(normalisation), list(records)
    names = [name for name, _ in survey.columns]
    wanted = [w.format(band) for band in survey.bands for w in form.columns]
    if missing := [name for name in wanted if name not in names]:
        raise InputError(
            f"Folded curves, normalisation {normalisation!r}: survey {survey.name} has "
            f"no column {missing[0]!r}. Use 'fitted', which needs light curves only."
        )
    statistics = {
        "num_bands": [float(len(survey.bands))],
        "columns": [float(names.index(name)) for name in wanted],
        "period": [float(names.index(name)) for name in PERIODS if name in names],
    }
    curves = [form.compute(record, 1000, statistics) for record in records]
    curves = np.reshape(curves, (-1, PHASES, len(survey.bands)))
    return statistics | _fit(curves) | fit_feature_ranks(r.features for r in records)


class Form(NamedTuple):
    """A way to compute folded curves."""

    # record, max_epochs, statistics -> [360, bands] magnitudes, NaN if unknown
    compute: Callable[[LightCurveRecord, int, Statistics], np.ndarray]
    columns: tuple[str, ...]  # of a band, that it needs


def _compute_harmonic(record, max_epochs: int, statistics: Statistics) -> np.ndarray:
    """Returns M + A1 cos 2 pi p + A1 R21 cos(4 pi p + phi21), A1 half the amplitude."""
    del max_epochs
    columns = np.array(statistics["columns"], int).reshape(-1, len(OF_BAND))
    mean, amplitude, r21, phi21 = record.features[columns].T
    angle = 2 * np.pi * np.arange(PHASES)[:, None] / PHASES
    second = r21 * np.cos(2 * angle + phi21)
    return mean + amplitude / 2 * (np.cos(angle) + second)


def _compute_fitted(record, max_epochs: int, statistics: Statistics) -> np.ndarray:
    """Returns fitted magnitudes by which a band is brighter than its mean.

    Phase 0 is the maximum of the band with the most points.
    """
    bands = range(int(statistics["num_bands"][0]))
    curves = np.full((PHASES, len(bands)), np.nan)
    epochs = {band: bright_epochs(record, band, max_epochs) for band in bands}
    ranked = sorted(bands, key=lambda band: -len(epochs[band]))
    ranked = [band for band in ranked if len(epochs[band]) >= MIN_EPOCHS]
    days = _period(record, ranked, statistics)
    if not days > 0:
        return curves
    start = None
    for band in ranked:
        seen = epochs[band]
        mjd = record.mjd[seen]
        curve = magnitudes(record.flux[seen], record.flux_error[seen])
        frequency = np.array([1 / days])
        fit = fit_harmonics(
            *curve, mjd, frequency, num_harmonics=NUM_HARMONICS, ridge=RIDGE
        )
        brighter = -fit.coefficients[1:]  # without the mean
        if start is None:
            fine = np.arange(10 * PHASES) / (10 * PHASES)
            brightest = _series(fine, brighter).argmax()
            start = mjd.mean() + fine[brightest] * days
        phase = np.arange(PHASES) / PHASES + (start - mjd.mean()) / days
        curves[:, band] = _series(phase, brighter)
    return curves


def _series(phase: np.ndarray, coefficient: np.ndarray) -> np.ndarray:
    return fourier(phase, len(coefficient) // 2)[:, 1:] @ coefficient


def _period(record: LightCurveRecord, ranked: list[int], statistics) -> float:
    """Returns the period of the catalogue or of the band with most points, or NaN."""
    for column in statistics["period"]:
        days = record.features[int(column)]
        if 1e-3 < days < 1e5:  # excludes NaN, 0 and sentinels
            return float(days)
    if not ranked:
        return np.nan
    seen = record.band == ranked[0]
    curve = record.mjd[seen], record.flux[seen], record.flux_error[seen]
    return find_period(*curve).days


def _fit(curves: np.ndarray) -> Statistics:
    """Returns mean and deviation of the levels of curves, and their median spread."""
    level, spread = curves.mean(axis=1), curves.std(axis=1)
    known = np.isfinite(level)
    if not known.any():
        return {"level": [0.0, 1.0], "spread": [1.0]}
    # At least 0.001 mag, for curves that are equal or flat.
    deviation, typical = level[known].std(), np.median(spread[known])
    return {
        "level": [float(level[known].mean()), max(float(deviation), 1e-3)],
        "spread": [max(float(typical), 1e-3)],
    }


def _scaled(curves: np.ndarray, statistics: Statistics) -> np.ndarray:
    """Returns (level - mean) / deviation + asinh((m - level) / spread).

    Level and shape are scaled separately, because the scatter of the levels is much
    larger than an amplitude. asinh keeps amplitudes of 0.05 and 5 mag both visible.
    """
    (mean, deviation), (spread,) = statistics["level"], statistics["spread"]
    level = curves.mean(axis=0)
    return (level - mean) / deviation + np.arcsinh((curves - level) / spread)


FORMS = {
    "harmonic": Form(_compute_harmonic, OF_BAND),
    "fitted": Form(_compute_fitted, ()),
}
CATALOGUED = tuple(name for name, form in FORMS.items() if form.columns)


def _form(name: str) -> Form:
    if name not in FORMS:
        raise InputError(
            f"No normalisation of folded curves named {name!r}. Known: "
            f"{', '.join(FORMS)}."
        )
    return FORMS[name]
