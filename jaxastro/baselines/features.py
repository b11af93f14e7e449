"""Feature sets of objects, the inputs of random forests and gradient boosting.

    aperture    image series: see jaxastro/baselines/aperture_features.py
    matched     image series in microjansky, the sky subtracted: see
                jaxastro/baselines/matched_features.py
    steady      light curves: median magnitudes and colours; a control without any
                information on variability
    shape       light curves: statistics of the magnitudes of each band, and colours;
                no period
    period      light curves: the best common period of all bands, and folded curves
    catalogue   light curves: the survey's columns, and combinations of them
    metadata    alerts: the columns of the first alert

The sets shape and period use the library light-curve (Malanchev et al. 2021, MNRAS 502,
5147) on magnitudes, in which amplitudes and errors of bright and faint stars are
comparable. A flux below its own error is replaced by that error, as a limit: to omit
faint points would make faint objects brighter. The number and times of the points are
not among the features, because they describe how an object was observed.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import light_curve
import numpy as np

from jaxastro.baselines.aperture_features import (
    aperture_feature_names,
    aperture_features,
)
from jaxastro.baselines.matched_features import (
    matched_feature_names,
    matched_features,
)
from jaxastro.data.alert import AlertRecord
from jaxastro.data.light_curve import LightCurveRecord
from jaxastro.data.record import Record
from jaxastro.errors import InputError
from jaxastro.photometry.harmonics import fit_harmonics
from jaxastro.photometry.period import find_common_period
from jaxastro.surveys import Survey
from jaxastro.units import magnitude_error_of, magnitude_of

MIN_POINTS = 4  # in a band; with fewer its features are NaN
NUM_HARMONICS = 4  # of twice the best period, that of binaries with unequal minima
OF_ALL_BANDS = ("log_period", "period_signal_to_noise")
FOLDED = (
    "folded_eta",
    "folded_twice_eta",
    "harmonic_power",
    "odd_to_even",
    "third_to_even",
    "amplitude_21",
    "cos_phase_21",
    "sin_phase_21",
)
OBSERVING_COLUMNS = ("T_0", "Num_g", "Num_r")  # they do not describe the star
COMBINATIONS = {  # of catalogue columns, which single splits of a tree cannot express
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
# The error of the trend depends on the number of points.
_KEPT = [i for i, name in enumerate(_SHAPE.names) if name != "linear_trend_sigma"]
_NAMES = [_SHAPE.names[i] for i in _KEPT]
_MEDIAN = _NAMES.index("median")
_ETA = light_curve.Eta()


class FeatureSet(NamedTuple):
    """Names and values of a set of features, in the same order."""

    kind: str  # of the records, a key of data.record.RECORD_TYPES
    names: Callable[[Survey], tuple[str, ...]]
    measure: Callable[[Record, Survey], np.ndarray]


def features_of(record: Record, survey: Survey, sets: Sequence[str]) -> np.ndarray:
    """Returns the features of one or more sets, [f] float32, NaN where unknown.

    Args:
        record: of the survey's kind.
        survey: its bands and columns are used.
        sets: keys of FEATURE_SETS.
    Raises:
        InputError: if the survey has no such set.
    """
    values = [_feature_set(name, survey).measure(record, survey) for name in sets]
    with np.errstate(over="ignore"):
        joined = np.concatenate(values).astype(np.float32)
    return np.where(np.isfinite(joined), joined, np.float32(np.nan))


def feature_names(survey: Survey, sets: Sequence[str]) -> tuple[str, ...]:
    """Returns the names of the features, in the order of features_of.

    Raises:
        InputError: if the survey has no such set.
    """
    return tuple(
        name for one in sets for name in _feature_set(one, survey).names(survey)
    )


def feature_sets_of(survey: Survey) -> tuple[str, ...]:
    """Returns the names of the sets that the survey's records have."""
    excluded = () if survey.columns else ("catalogue",)
    if survey.unit != "microjansky":  # HiTS: the sky in the stamps, unknown seeing
        excluded += ("matched",)
    return tuple(
        name
        for name, one in FEATURE_SETS.items()
        if one.kind == survey.kind and name not in excluded
    )


def strongest_sets(survey: Survey) -> tuple[str, ...]:
    """Returns the sets with which boosting scores highest; () if there are none.

    Those of an image series are of matched apertures where its fluxes are calibrated,
    those of a light curve the statistics of its bands and the catalogue. Period
    searches are left out: they take a hundred times as long.
    """
    known = feature_sets_of(survey)
    if "matched" in known:
        return ("matched",)
    return tuple(name for name in known if name not in ("steady", "period"))


def magnitudes_of(record: LightCurveRecord, band: int) -> tuple[np.ndarray, ...]:
    """Returns days, magnitudes and their errors [t] of a band, sorted by time.

        m = -2.5 log10(max(F, dF)),   dm = 2.5 / ln(10) dF / max(F, dF)

    The zero point is that of the survey's unit of flux.
    """
    seen = record.band == band
    error = record.flux_error[seen].astype(np.float64)
    flux = np.maximum(record.flux[seen], error)
    magnitude, spread = magnitude_of(flux, 0.0), magnitude_error_of(flux, error)
    columns = record.mjd[seen], magnitude, spread
    # Points at the same time need a defined order too.
    order = np.lexsort(columns[::-1])
    return tuple(column[order] for column in columns)


def _steady_names(survey: Survey) -> tuple[str, ...]:
    return tuple(f"steady_{name}" for name in (*survey.bands, *_colours(survey)))


def _steady(record: LightCurveRecord, survey: Survey) -> np.ndarray:
    """Returns the median magnitude of each band, then the colours."""
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
    """Returns statistics of each band's magnitudes, then the colours."""
    table = np.full((len(survey.bands), len(_NAMES)), np.nan)
    for band in range(len(survey.bands)):
        curve = magnitudes_of(record, band)
        if len(curve[0]) >= MIN_POINTS:
            table[band] = _SHAPE(*curve, sorted=True, fill_value=np.nan)[_KEPT]
    return np.concatenate([table.ravel(), -np.diff(table[:, _MEDIAN])])


def _period_names(survey: Survey) -> tuple[str, ...]:
    of_bands = (f"{band}_{name}" for band in survey.bands for name in FOLDED)
    return (*OF_ALL_BANDS, *of_bands)


def _period(record: LightCurveRecord, survey: Survey) -> np.ndarray:
    """Returns the common period of all bands, then features of each folded band."""
    of_all_bands = np.full(len(OF_ALL_BANDS), np.nan)
    table = np.full((len(survey.bands), len(FOLDED)), np.nan)
    curves = [magnitudes_of(record, band) for band in range(len(survey.bands))]
    enough = [b for b, curve in enumerate(curves) if len(curve[0]) >= MIN_POINTS]
    varying = [b for b in enough if np.ptp(curves[b][0]) and np.ptp(curves[b][1])]
    if varying:
        period, signal_to_noise = find_common_period([curves[b] for b in varying])
        of_all_bands[:] = np.log10(period), signal_to_noise
        for b in varying:
            table[b] = _folded(*curves[b], period)
    return np.concatenate([of_all_bands, table.ravel()])


def _folded(mjd, magnitude, error, period: float) -> list[float]:
    etas = []
    for length in (period, 2 * period):
        phase = mjd / length % 1
        order = np.lexsort((magnitude, phase))
        etas += [*_ETA(phase[order], magnitude[order], sorted=True, fill_value=np.nan)]
    frequency = np.array([0.5 / period])
    fit = fit_harmonics(magnitude, error, mjd, frequency, num_harmonics=NUM_HARMONICS)
    cos, sin = fit.coefficients[1::2], fit.coefficients[2::2]
    phase = np.arctan2(-sin, cos)
    # Of the best period, whose harmonics are the even ones of twice that period.
    phase_21 = phase[3] - 2 * phase[1]
    ratio = fit.amplitudes / (fit.amplitudes[1] + 1e-9)
    return [
        *etas,
        fit.power,
        ratio[0],
        ratio[2],
        ratio[3],
        np.cos(phase_21),
        np.sin(phase_21),
    ]


def _catalogue_names(survey: Survey) -> tuple[str, ...]:
    return (*_star_columns(survey), *_combinations(survey))


def _catalogue(record: LightCurveRecord, survey: Survey) -> np.ndarray:
    """Returns the survey's columns that describe the star, then their combinations."""
    names = [name for name, _ in survey.columns]
    column = dict(zip(names, record.features, strict=True))
    values = [column[name] for name in _star_columns(survey)]
    with np.errstate(divide="ignore", invalid="ignore"):  # features_of turns inf to NaN
        for inputs, function in _combinations(survey).values():
            values.append(function(*(column[name] for name in inputs)))
    return np.array(values)


def _star_columns(survey: Survey) -> list[str]:
    return [name for name, _ in survey.columns if name not in OBSERVING_COLUMNS]


def _combinations(survey: Survey) -> dict[str, tuple]:
    known = {name for name, _ in survey.columns}
    return {name: c for name, c in COMBINATIONS.items() if known.issuperset(c[0])}


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
    "matched": FeatureSet("series", matched_feature_names, matched_features),
    "steady": FeatureSet("light_curve", _steady_names, _steady),
    "shape": FeatureSet("light_curve", _shape_names, _shape),
    "period": FeatureSet("light_curve", _period_names, _period),
    "catalogue": FeatureSet("light_curve", _catalogue_names, _catalogue),
    "metadata": FeatureSet("alerts", _column_names, _metadata),
}


def _feature_set(name: str, survey: Survey) -> FeatureSet:
    known = feature_sets_of(survey)
    if name not in known:
        raise InputError(
            f"No feature set {name!r} for {survey.name}, whose records are of kind "
            f"{survey.kind!r}. It has {', '.join(known) or 'none'}. Choose one of them."
        )
    return FEATURE_SETS[name]
