"""Period searches in light curves, and the shape of a curve at a period."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import light_curve
import numpy as np
from scipy.special import gammaln

from jaxastro.photometry.harmonics import fit_harmonics, fourier, magnitudes

SHORTEST, LONGEST = 0.05, 1000.0  # days, periods that find_period searches
FASTEST = 16.0  # cycles per day, highest frequency that find_common_period searches
MIN_EPOCHS = 10  # of positive flux that find_period needs
NUM_PEAKS = 10  # of the periodogram that are refined
# Steps of the grids per resolved frequency, which is 1 / time span. The highest power
# between two steps is at most 9 % above theirs, and phases are wrong by at most a third
# of a cycle over the whole time span.
_STEPS = 3


class Period(NamedTuple):
    """The highest peak of a periodogram; NaN where no search was possible."""

    days: float = np.nan
    power: float = np.nan  # share of chi square that a sine explains, 0 to 1
    log_fap: float = np.nan  # log10 of the false-alarm probability


class Shape(NamedTuple):
    """Two harmonics fitted to magnitudes; NaN without a period.

    m = c + A1 cos(2 pi phase + phi1) + A2 cos(4 pi phase + phi2)
    """

    amplitude: float = np.nan  # mag, of the fit at the epochs, peak to peak
    r21: float = np.nan  # A2 / A1
    phi21: float = np.nan  # phi2 - 2 phi1, radian, from pi to 3 pi


def find_period(mjd: np.ndarray, flux: np.ndarray, flux_error: np.ndarray) -> Period:
    """Returns the period of a light curve of one band, from 0.05 to 1000 days.

    A fast approximate periodogram (a sine and a mean, fitted to the magnitudes) gives
    the highest peaks, which are then refined by exact fits on finer grids. For an
    eclipsing binary with two similar minima the result is half the orbital period.
    Points without a positive flux are omitted. The result is NaN if fewer than
    MIN_EPOCHS are left, or if all of them have one time or one flux.

    Args:
        mjd: [t], days, with flux and flux_error [t] in one unit.
    Source: Zechmeister & Kürster 2009, A&A 496, 577, as in astropy; Baluev 2008, MNRAS
        385, 1279, for the false-alarm probability.
    """
    curve = _magnitude_curve(mjd, flux, flux_error)
    if curve is None:
        return Period()
    # The import takes a third of a second, which few users of this module need.
    from astropy.timeseries import LombScargle

    mjd, magnitude, sigma = curve
    step = 1 / (_STEPS * np.ptp(mjd))
    count = int(np.ceil((1 / SHORTEST - 1 / LONGEST) / step)) + 1
    frequency = 1 / LONGEST + step * np.arange(count)
    # This older algorithm is accurate to a percent and ten times as fast.
    rough = {"algorithm": "fasper", "trig_sum_kwds": {"oversampling": 3}}
    with np.errstate(all="ignore"):  # NaN is replaced below
        power = LombScargle(mjd, magnitude, sigma).power(
            frequency,
            method="fast",
            assume_regular_frequency=True,
            method_kwds=rough,
        )
    power = np.where(np.isfinite(power), power, -1)
    padded = np.pad(power, 1, constant_values=-1)
    is_peak = (power >= padded[:-2]) & (power >= padded[2:])
    peaks = np.flatnonzero(is_peak)
    peaks = peaks[np.argsort(-power[peaks], kind="stable")[:NUM_PEAKS]]
    centre, best = frequency[peaks][:, None], None
    for width in (step, step / 10):
        fine = (centre + width * np.linspace(-1, 1, 21)).ravel()
        fine = np.clip(fine, 1 / LONGEST, 1 / SHORTEST)
        best = fit_harmonics(magnitude, sigma, mjd, fine, num_harmonics=1)
        centre = best.frequency
    log_fap = log_false_alarm(best.power, mjd, highest=1 / SHORTEST)
    return Period(float(1 / best.frequency), float(best.power), log_fap)


def find_common_period(
    curves: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> tuple[float, float]:
    """Returns the period that fits the light curves of several bands best.

    Frequencies from 0 to FASTEST are searched.

    Args:
        curves: days, magnitudes and their errors [t] of each band; neither the times
            nor the magnitudes of a band may all be equal.
    Returns:  days, and the signal to noise of the peak in the periodogram.
    Source: the Periodogram of light-curve (Malanchev et al. 2021, MNRAS 502, 5147).
    """
    mjd, magnitude, error = (
        np.concatenate(column) for column in zip(*curves, strict=True)
    )
    names = [str(number) for number in range(len(curves))]
    band = np.repeat(names, [len(curve[0]) for curve in curves])
    search = _common_periodogram(len(curves), _log2_num_frequencies(np.ptp(mjd)))
    order = np.argsort(mjd, kind="stable")
    columns = (column[order] for column in (mjd, magnitude, error))
    period, signal_to_noise = search(*columns, band[order], sorted=True)
    return period, signal_to_noise


def _log2_num_frequencies(days: float) -> int:
    """Returns n, where a grid of 2^n steps of at most 1 / (_STEPS days) is searched."""
    return max(int(np.ceil(np.log2(FASTEST * _STEPS * days))), 4)


@functools.cache
def _common_periodogram(num_bands: int, log2_count: int) -> light_curve.Periodogram:
    grid = np.linspace(0, 2 * np.pi * FASTEST, 2**log2_count + 1)
    bands = [str(number) for number in range(num_bands)]
    return light_curve.Periodogram(peaks=1, freqs=grid, fast=True, bands=bands)


def log_false_alarm(power: float, mjd: np.ndarray, *, highest: float) -> float:
    """Returns log10 of the probability that noise alone has so high a peak.

        log10(1 - (1 - p) exp(-tau)),   p = (1 - z)^((N - 3) / 2) at one frequency
    The function of astropy returns the probability itself, which is 0 below 1e-308.

    Args:
        power: z of the highest peak, 0 to 1.
        mjd: [t], days.
        highest: highest frequency that was searched, cycles per day.
    Source: Baluev 2008, MNRAS 385, 1279, after astropy.
    """
    count = len(mjd)
    residual = np.log(max(1 - power, 1e-15))  # finite for a sine without noise
    log_single = (count - 3) / 2 * residual
    ratio = np.sqrt(2 / (count - 1)) * np.exp(
        gammaln((count - 1) / 2) - gammaln((count - 2) / 2)
    )
    factor = ratio * highest * np.sqrt(4 * np.pi * np.var(mjd))
    factor *= np.sqrt((count - 1) * power / 2)
    log_tau = np.log(max(factor, 1e-300)) + (count - 4) / 2 * residual
    if max(log_single, log_tau) < -30:
        log_probability = np.logaddexp(log_single, log_tau)  # both terms are tiny
    else:
        log_none = np.log1p(-min(np.exp(log_single), 1 - 1e-15)) - np.exp(log_tau)
        log_probability = np.log(-np.expm1(log_none))
    return float(log_probability / np.log(10))


def shape_at(
    mjd: np.ndarray, flux: np.ndarray, flux_error: np.ndarray, days: float
) -> Shape:
    """Returns the shape of a light curve of one band, folded on a period.

    Args:
        mjd: [t], days, with flux and flux_error [t] in one unit.
        days: the period.
    """
    curve = _magnitude_curve(mjd, flux, flux_error)
    if curve is None or not days > 0:
        return Shape()
    mjd, magnitude, sigma = curve
    frequency = np.array([1 / days])
    fit = fit_harmonics(magnitude, sigma, mjd, frequency, num_harmonics=2)
    fitted = fourier((mjd - mjd.mean()) / days, 2) @ fit.coefficients
    first, second = fit.amplitudes
    return Shape(
        amplitude=float(np.ptp(fitted)),
        r21=float(second / max(first, 1e-9)),  # magnitudes
        phi21=float((fit.phase_21 - np.pi) % (2 * np.pi) + np.pi),
    )


def _magnitude_curve(mjd, flux, flux_error):
    """Returns times, magnitudes and errors [t], or None if no period can be found."""
    seen = np.asarray(flux) > 0
    if seen.sum() < MIN_EPOCHS:
        return None
    mjd = np.asarray(mjd, np.float64)[seen]
    magnitude, sigma = magnitudes(np.asarray(flux)[seen], np.asarray(flux_error)[seen])
    is_flat = np.ptp(magnitude) == 0 or np.ptp(mjd) == 0
    return None if is_flat else (mjd, magnitude, sigma)
