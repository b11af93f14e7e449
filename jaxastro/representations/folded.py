"""Light curves folded on their period and drawn as smooth curves, a value a degree.

Two forms. "harmonic" draws what a catalogue says: two harmonics of its amplitude and
Fourier numbers. "fitted" is of the star's own epochs: a Fourier series fitted to them
at the period of its catalogue, or else at that which the light curve itself has.
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
KIND, Example = "light_curve", Image  # of the records, and what is made of one
CAUSAL = ()  # a period is of the whole light curve
PHASES = 360
NUM_HARMONICS = 6  # of a fit
RIDGE = 1e-3  # of a fit, of weights whose sum is 1: what tames it between far epochs
PERIODS = ("Per", "period")  # columns that hold a period, days
OF_BAND = ("{}mag", "Amp_{}", "R21", "phi21")  # columns that "harmonic" draws
LARGEST = 30.0  # a drawn value


def make_example(
    record: LightCurveRecord,
    *,
    max_epochs: int,
    normalisation: str,
    statistics: Statistics,
) -> Image:
    """Returns one object's folded curves, [360 phases, 1, bands], without the axis b.

    Points without a positive flux have no magnitude and are left out. A band of which
    nothing can be drawn is zeros: one of less than ten points, or of a star that has
    no period, or whose catalogue does not have the numbers.

    Args:
        record: sorted by time; one without epochs has features alone.
        max_epochs: of more in a band, those evenly spaced in order are kept.
        normalisation: a name in FORMS.
        statistics: what fit_statistics returned for the training objects.
    """
    drawn = _form(normalisation).draw(record, max_epochs, statistics)
    drawn = _scaled(drawn, statistics)
    drawn = np.nan_to_num(np.clip(drawn, -LARGEST, LARGEST)).astype(np.float32)
    return Image(drawn[:, None], *scale_features(record.features, statistics))


def blank(survey: Survey, *, max_epochs: int, num_objects: int) -> Image:
    """Returns inputs of the shape that models see, to make states of."""
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
    """Returns the numbers that drawing needs, measured on training objects only."""
    form, records = _form(normalisation), list(records)
    names = [name for name, _ in survey.columns]
    wanted = [w.format(band) for band in survey.bands for w in form.columns]
    if missing := [name for name in wanted if name not in names]:
        raise InputError(
            f"Folded curves, normalisation {normalisation!r}: survey {survey.name} has "
            f"no column {missing[0]!r}. Use 'fitted', which needs light curves alone."
        )
    found = {
        "num_bands": [float(len(survey.bands))],
        "columns": [float(names.index(name)) for name in wanted],
        "period": [float(names.index(name)) for name in PERIODS if name in names],
    }
    drawn = [form.draw(record, 1000, found) for record in records]
    drawn = np.reshape(drawn, (-1, PHASES, len(survey.bands)))
    return found | _fit(drawn) | fit_feature_ranks(r.features for r in records)


class Form(NamedTuple):
    """What is drawn, [360, bands] magnitudes, NaN where it cannot be."""

    draw: Callable[[LightCurveRecord, int, Statistics], np.ndarray]
    columns: tuple[str, ...]  # of a band, that it needs


def _draw_harmonic(record, max_epochs: int, statistics: Statistics) -> np.ndarray:
    """m = M + A1 cos 2 pi p + A1 R21 cos(4 pi p + phi21), A1 half the amplitude."""
    del max_epochs
    columns = np.array(statistics["columns"], int).reshape(-1, len(OF_BAND))
    mean, amplitude, r21, phi21 = record.features[columns].T
    angle = 2 * np.pi * np.arange(PHASES)[:, None] / PHASES
    second = r21 * np.cos(2 * angle + phi21)
    return mean + amplitude / 2 * (np.cos(angle) + second)


def _draw_fitted(record, max_epochs: int, statistics: Statistics) -> np.ndarray:
    """Magnitudes above the mean of a band's fit; phase 0 where the first is brightest.

    The first is the band of most points.
    """
    bands = range(int(statistics["num_bands"][0]))
    drawn = np.full((PHASES, len(bands)), np.nan)
    places = {band: bright_epochs(record, band, max_epochs) for band in bands}
    ranked = sorted(bands, key=lambda band: -len(places[band]))
    ranked = [band for band in ranked if len(places[band]) >= MIN_EPOCHS]
    days = _period(record, ranked, statistics)
    if not days > 0:
        return drawn
    start = None
    for band in ranked:
        seen = places[band]
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
        drawn[:, band] = _series(phase, brighter)
    return drawn


def _series(phase: np.ndarray, coefficient: np.ndarray) -> np.ndarray:
    return fourier(phase, len(coefficient) // 2)[:, 1:] @ coefficient


def _period(record: LightCurveRecord, ranked: list[int], statistics) -> float:
    """Returns the catalogue's period, else that of the band of most points; or NaN."""
    for column in statistics["period"]:
        days = record.features[int(column)]
        if 1e-3 < days < 1e5:  # no number, zero and nonsense are none
            return float(days)
    if not ranked:
        return np.nan
    seen = record.band == ranked[0]
    curve = record.mjd[seen], record.flux[seen], record.flux_error[seen]
    return find_period(*curve).days


def _fit(drawn: np.ndarray) -> Statistics:
    """Mean and deviation of the curves' levels, and the spread of a typical one."""
    level, spread = drawn.mean(axis=1), drawn.std(axis=1)
    known = np.isfinite(level)
    if not known.any():
        return {"level": [0.0, 1.0], "spread": [1.0]}
    # Of curves that are all alike, or flat, a thousandth of a magnitude.
    deviation, typical = level[known].std(), np.median(spread[known])
    return {
        "level": [float(level[known].mean()), max(float(deviation), 1e-3)],
        "spread": [max(float(typical), 1e-3)],
    }


def _scaled(drawn: np.ndarray, statistics: Statistics) -> np.ndarray:
    """Returns (level - mean) / deviation + asinh((m - level) / spread).

    Without units of its own a shape would drown in the levels; and so a twentieth of a
    magnitude and five are both seen.
    """
    (mean, deviation), (spread,) = statistics["level"], statistics["spread"]
    level = drawn.mean(axis=0)
    return (level - mean) / deviation + np.arcsinh((drawn - level) / spread)


FORMS = {
    "harmonic": Form(_draw_harmonic, OF_BAND),
    "fitted": Form(_draw_fitted, ()),
}
# Normalisations that draw a catalogue's numbers.
CATALOGUED = tuple(name for name, form in FORMS.items() if form.columns)


def _form(name: str) -> Form:
    if name not in FORMS:
        raise InputError(
            f"No normalisation of folded curves named {name!r}. Known: "
            f"{', '.join(FORMS)}."
        )
    return FORMS[name]
