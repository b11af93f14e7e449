"""Numbers that stand for an object: what forests and boosting are given to see.

Sets by name, of which a system takes one or several:
    aperture    of image series: jaxastro/baselines/aperture_features.py
    steady      of light curves: median magnitudes and colours; the control, blind to
                all change
    shape       of light curves: magnitudes of each band, trends, colours; no period
    period      of light curves: the best period of all bands, and curves folded by it
    catalogue   of light curves: the survey's columns, and numbers made of them
    metadata    of alerts: the columns of the first one

Shape and period are by the library light-curve (Malanchev et al. 2021, MNRAS 502,
5147). It is given magnitudes: amplitudes of bright and of faint stars are then alike,
and so are their errors. A flux below its own error counts as that error, a limit: to
leave faint points out would make faint objects brighter. How many points there are,
when and how far apart is left out on purpose: it tells how an object was observed.
"""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import light_curve
import numpy as np

from jaxastro.baselines.aperture_features import (
    aperture_feature_names,
    aperture_features,
)
from jaxastro.data.alert import AlertRecord
from jaxastro.data.light_curve import LightCurveRecord
from jaxastro.data.series import SeriesRecord
from jaxastro.errors import InputError
from jaxastro.photometry.harmonics import harmonic_power
from jaxastro.surveys import Survey
from jaxastro.units import magnitude_error_of, magnitude_of

MIN_POINTS = 4  # in a band; below, its features are unknown
FASTEST = 16.0  # cycles per day: the end of the period search
STEPS = 3  # of it, in one over the time from the first point to the last
NUM_HARMONICS = 4  # of twice the best period: that of binaries with unlike minima
ACROSS = ("log_period", "period_signal_to_noise")
FOLDED = (
    *("folded_eta", "folded_twice_eta", "harmonic_power"),
    *("odd_to_even", "third_to_even", "amplitude_21", "cos_phase_21", "sin_phase_21"),
)
OF_OBSERVING = ("T_0", "Num_g", "Num_r")  # columns that say nothing of the star
MADE_OF_COLUMNS = {  # what a tree does not see in one of them; where a survey has them
    "log_Per": (("Per",), np.log10),
    "gmag-rmag": (("gmag", "rmag"), np.subtract),
    "Amp_g/Amp_r": (("Amp_g", "Amp_r"), np.divide),
    "Per_g/Per_r": (("Per_g", "Per_r"), np.divide),
    "cos_phi21": (("phi21",), np.cos),
    "sin_phi21": (("phi21",), np.sin),
}
_SHAPE = light_curve.Extractor(
    light_curve.Amplitude(),
    light_curve.BeyondNStd(1),
    light_curve.BeyondNStd(2),
    light_curve.Cusum(),
    light_curve.Eta(),
    light_curve.EtaE(),
    light_curve.InterPercentileRange(0.02),
    light_curve.InterPercentileRange(0.1),
    light_curve.InterPercentileRange(0.25),
    light_curve.Kurtosis(),
    light_curve.LinearTrend(),
    light_curve.MagnitudePercentageRatio(0.4, 0.05),
    light_curve.MagnitudePercentageRatio(0.2, 0.05),
    light_curve.Median(),
    light_curve.MedianAbsoluteDeviation(),
    light_curve.MedianBufferRangePercentage(0.1),
    light_curve.OtsuSplit(),
    light_curve.PercentAmplitude(),
    light_curve.ReducedChi2(),
    light_curve.Roms(),
    light_curve.Skew(),
    light_curve.StandardDeviation(),
    light_curve.StetsonK(),
)
# Its error grows as points get fewer, and so tells their number.
_KEPT = [i for i, name in enumerate(_SHAPE.names) if name != "linear_trend_sigma"]
_NAMES = [_SHAPE.names[i] for i in _KEPT]
_MEDIAN = _NAMES.index("median")
_ETA = light_curve.Eta()


class FeatureSet(NamedTuple):
    """Which records a set is of, its names, and its numbers in the same order."""

    kind: str  # of the records, a key of data.record.RECORD_TYPES
    names: Callable[[Survey], tuple[str, ...]]
    of: Callable[[tuple, Survey], np.ndarray]


def features_of(
    record: SeriesRecord | LightCurveRecord, survey: Survey, sets: Sequence[str]
) -> np.ndarray:
    """Returns the numbers of some sets, [f] float32, NaN where unknown."""
    found = [_set(name, survey).of(record, survey) for name in sets]
    with np.errstate(over="ignore"):
        joined = np.concatenate(found).astype(np.float32)
    return np.where(np.isfinite(joined), joined, np.float32(np.nan))


def feature_names(survey: Survey, sets: Sequence[str]) -> tuple[str, ...]:
    """Returns the names of what features_of gives, in its order.

    Raises:
        ValueError: if there is no such set, or none of such records.
    """
    return tuple(name for one in sets for name in _set(one, survey).names(survey))


def feature_sets_of(survey: Survey) -> tuple[str, ...]:
    """Returns the sets that a survey's records have."""
    without = () if survey.columns else ("catalogue",)
    return tuple(
        name
        for name, one in FEATURE_SETS.items()
        if one.kind == survey.kind and name not in without
    )


def magnitudes_of(record: LightCurveRecord, band: int) -> tuple[np.ndarray, ...]:
    """Returns days, magnitudes and their errors of a band, in the order of time.

        m = -2.5 log10(max(F, dF)),   dm = 2.5 / ln(10) dF / max(F, dF)

    Their zero point is that of the survey's unit of flux.
    """
    seen = record.band == band
    error = record.flux_error[seen].astype(np.float64)
    flux = np.maximum(record.flux[seen], error)
    magnitude, spread = magnitude_of(flux, 0.0), magnitude_error_of(flux, error)
    columns = record.mjd[seen], magnitude, spread
    # Of points at one time too the order must not depend on how they were given.
    order = np.lexsort(columns[::-1])
    return tuple(column[order] for column in columns)


def _steady_names(survey: Survey) -> tuple[str, ...]:
    return tuple(f"steady_{name}" for name in (*survey.bands, *_colours(survey)))


def _steady(record: LightCurveRecord, survey: Survey) -> np.ndarray:
    """The median magnitude of each band, then their differences."""
    curves = [magnitudes_of(record, band)[1] for band in range(len(survey.bands))]
    median = np.array(
        [np.median(m) if len(m) >= MIN_POINTS else np.nan for m in curves]
    )
    return np.concatenate([median, -np.diff(median)])


def _colours(survey: Survey) -> list[str]:
    return [f"{a}-{b}" for a, b in zip(survey.bands, survey.bands[1:], strict=False)]


def _shape_names(survey: Survey) -> tuple[str, ...]:
    of_band = [f"{band}_{name}" for band in survey.bands for name in _NAMES]
    return (*of_band, *_colours(survey))


def _shape(record: LightCurveRecord, survey: Survey) -> np.ndarray:
    """Numbers of each band's magnitudes, then the medians' differences."""
    table = np.full((len(survey.bands), len(_NAMES)), np.nan)
    for band in range(len(survey.bands)):
        curve = magnitudes_of(record, band)
        if len(curve[0]) >= MIN_POINTS:
            found = _SHAPE(*curve, sorted=True, fill_value=np.nan)
            table[band] = found[_KEPT]
    return np.concatenate([table.ravel(), -np.diff(table[:, _MEDIAN])])


def _period_names(survey: Survey) -> tuple[str, ...]:
    return (*ACROSS, *(f"{band}_{name}" for band in survey.bands for name in FOLDED))


def _period(record: LightCurveRecord, survey: Survey) -> np.ndarray:
    """The best period of all bands together, and each band folded by it."""
    across = np.full(len(ACROSS), np.nan)
    table = np.full((len(survey.bands), len(FOLDED)), np.nan)
    curves = [magnitudes_of(record, band) for band in range(len(survey.bands))]
    enough = [b for b, curve in enumerate(curves) if len(curve[0]) >= MIN_POINTS]
    varies = [b for b in enough if np.ptp(curves[b][0]) and np.ptp(curves[b][1])]
    if varies:
        mjd, magnitude, error = (
            np.concatenate(c) for c in zip(*(curves[b] for b in varies), strict=True)
        )
        names = [str(b) for b in varies]
        band = np.repeat(names, [len(curves[b][0]) for b in varies])
        search = _period_search(tuple(names), _doublings(np.ptp(mjd)))
        order = np.argsort(mjd, kind="stable")
        columns = (column[order] for column in (mjd, magnitude, error))
        period, signal = search(*columns, band[order], sorted=True)
        across[:] = np.log10(period), signal
        for b in varies:
            table[b] = _folded(*curves[b], period)
    return np.concatenate([across, table.ravel()])


def _folded(mjd, magnitude, error, period: float) -> list[float]:
    etas = []
    for length in (period, 2 * period):
        phase = mjd / length % 1
        order = np.lexsort((magnitude, phase))
        etas += [*_ETA(phase[order], magnitude[order], sorted=True, fill_value=np.nan)]
    frequency = np.array([0.5 / period])
    power, fit = harmonic_power(
        magnitude, error, mjd, frequency, num_harmonics=NUM_HARMONICS
    )
    cos, sin = fit[0, 1::2], fit[0, 2::2]
    size, angle = np.hypot(cos, sin), np.arctan2(-sin, cos)
    phase_21 = angle[3] - 2 * angle[1]
    ratio = size / (size[1] + 1e-9)
    return [
        *(*etas, power[0], ratio[0], ratio[2], ratio[3]),
        *(np.cos(phase_21), np.sin(phase_21)),
    ]


def _doublings(days: float) -> int:
    """Returns how often the grid of frequencies is halved, so that it is fine enough.

    Its step is 1 / (STEPS days) or less: over all points no phase is a third of a turn
    wrong.
    """
    return max(int(np.ceil(np.log2(FASTEST * STEPS * days))), 4)


@functools.cache
def _period_search(bands: tuple[str, ...], doublings: int) -> light_curve.Periodogram:
    grid = np.linspace(0, 2 * np.pi * FASTEST, 2**doublings + 1)
    return light_curve.Periodogram(peaks=1, freqs=grid, fast=True, bands=list(bands))


def _catalogue_names(survey: Survey) -> tuple[str, ...]:
    return (*_star_columns(survey), *_made_of(survey))


def _catalogue(record: LightCurveRecord, survey: Survey) -> np.ndarray:
    """The survey's columns of the star itself, and what is made of them."""
    names = [name for name, _ in survey.columns]
    column = dict(zip(names, record.features, strict=True))
    found = [column[name] for name in _star_columns(survey)]
    with np.errstate(divide="ignore", invalid="ignore"):  # inf becomes unknown
        for of, make in _made_of(survey).values():
            found.append(make(*(column[name] for name in of)))
    return np.array(found)


def _star_columns(survey: Survey) -> list[str]:
    return [name for name, _ in survey.columns if name not in OF_OBSERVING]


def _made_of(survey: Survey) -> dict[str, tuple]:
    known = {name for name, _ in survey.columns}
    return {name: m for name, m in MADE_OF_COLUMNS.items() if known.issuperset(m[0])}


def _column_names(survey: Survey) -> tuple[str, ...]:
    return tuple(name for name, _ in survey.columns)


def _metadata(record: AlertRecord, survey: Survey) -> np.ndarray:
    del survey
    return record.metadata[0]


FEATURE_SETS = {
    "aperture": FeatureSet(
        "series",
        aperture_feature_names,
        aperture_features,
    ),
    "steady": FeatureSet("light_curve", _steady_names, _steady),
    "shape": FeatureSet("light_curve", _shape_names, _shape),
    "period": FeatureSet("light_curve", _period_names, _period),
    "catalogue": FeatureSet("light_curve", _catalogue_names, _catalogue),
    "metadata": FeatureSet("alerts", _column_names, _metadata),
}


def _set(name: str, survey: Survey) -> FeatureSet:
    if name not in feature_sets_of(survey):
        raise InputError(
            f"No features {name!r} of {survey.name}, whose records are of kind "
            f"{survey.kind!r}. It has {', '.join(feature_sets_of(survey)) or 'none'}. Choose "
            "of these."
        )
    return FEATURE_SETS[name]
