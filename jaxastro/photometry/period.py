"""The period of a light curve, by the Lomb-Scargle periodogram, and its shape there."""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from jaxastro.photometry.harmonics import fourier, harmonic_power, magnitudes

SHORTEST, LONGEST = 0.05, 1000.0  # days, of the periods that are searched
MIN_EPOCHS = 10  # of positive flux; below, no period is looked for
NUM_PEAKS = 10  # of the periodogram that are looked at closely
# Steps of the grid per resolved frequency, which is 1 / time span: the highest power
# between two of them is at most 9 % more, and peaks are looked at closely after.
_STEPS = 3


class Period(NamedTuple):
    """What the highest peak says; all NaN where none was looked for."""

    days: float = np.nan
    power: float = np.nan  # share of chi square that a sine explains, 0 to 1
    log_fap: float = np.nan  # log10 of the chance that noise has such a peak


class Shape(NamedTuple):
    """What two harmonics say of magnitudes; all NaN without a period.

    m = c + A1 cos(2 pi phase + phi1) + A2 cos(4 pi phase + phi2)
    """

    amplitude: float = np.nan  # of the fit, from its lowest epoch to its highest
    r21: float = np.nan  # A2 / A1
    phi21: float = np.nan  # phi2 - 2 phi1, radian, from pi to 3 pi


def find_period(mjd: np.ndarray, flux: np.ndarray, flux_error: np.ndarray) -> Period:
    """Returns the period of a light curve of one band, from 0.05 to 1000 days.

    A sine and a mean are fitted to the magnitudes at every frequency of a grid, fast;
    the highest peaks then exactly, on finer ones. An eclipsing binary with two like
    minima has the sine of half its orbit. Points without a positive flux are left out.
    With fewer than MIN_EPOCHS others, or all at one time or of one flux, all is NaN.

    Source: Zechmeister & Kürster 2009, A&A 496, 577, by astropy; Baluev 2008, MNRAS
        385, 1279, for the false alarms.
    """
    curve = _usable(mjd, flux, flux_error)
    if curve is None:
        return Period()
    # A third of a second that few who import this need.
    from astropy.timeseries import LombScargle

    mjd, magnitude, sigma = curve
    step = 1 / (_STEPS * np.ptp(mjd))
    count = int(np.ceil((1 / SHORTEST - 1 / LONGEST) / step)) + 1
    frequency = 1 / LONGEST + step * np.arange(count)
    # The older sum, of a percent's accuracy, takes a tenth of the time.
    rough = {"algorithm": "fasper", "trig_sum_kwds": {"oversampling": 3}}
    with np.errstate(all="ignore"):  # of rounding; what is no number is no peak
        power = LombScargle(mjd, magnitude, sigma).power(
            frequency,
            method="fast",
            assume_regular_frequency=True,
            method_kwds=rough,
        )
    power = np.where(np.isfinite(power), power, -1)
    beside = np.pad(power, 1, constant_values=-1)
    is_peak = (power >= beside[:-2]) & (power >= beside[2:])
    peaks = np.flatnonzero(is_peak)
    peaks = peaks[np.argsort(-power[peaks], kind="stable")[:NUM_PEAKS]]
    around, best = frequency[peaks][:, None], 0.0
    for width in (step, step / 10):
        fine = (around + width * np.linspace(-1, 1, 21)).ravel()
        fine = np.clip(fine, 1 / LONGEST, 1 / SHORTEST)
        exact, _ = harmonic_power(magnitude, sigma, mjd, fine, num_harmonics=1)
        around, best = fine[exact.argmax()], exact.max()
    log_fap = log_false_alarm(best, mjd, highest=1 / SHORTEST)
    return Period(float(1 / around), float(best), log_fap)


def log_false_alarm(power: float, mjd: np.ndarray, *, highest: float) -> float:
    """Returns log10 of the chance that noise alone has a peak so high, however small.

        log10(1 - (1 - p) exp(-tau)), p the chance at one frequency, (1 - z)^((N - 3)/2)
    which astropy gives too, but as a number that is 0 from 1e-308 down.

    Args:
        power: of the highest peak, 0 to 1: z.
        highest: frequency that was searched, cycles per day.
    Source: Baluev 2008, MNRAS 385, 1279, by way of astropy.
    """
    count = len(mjd)
    left = np.log(max(1 - power, 1e-15))  # a sine without noise leaves nothing
    log_one = (count - 3) / 2 * left
    ratio = np.sqrt(2 / (count - 1)) * np.exp(
        gammaln((count - 1) / 2) - gammaln((count - 2) / 2)
    )
    many = ratio * highest * np.sqrt(4 * np.pi * np.var(mjd))
    many *= np.sqrt((count - 1) * power / 2)
    log_tau = np.log(max(many, 1e-300)) + (count - 4) / 2 * left
    if max(log_one, log_tau) < -30:
        chance = np.logaddexp(log_one, log_tau)  # of small numbers: their sum
    else:
        rest = np.log1p(-min(np.exp(log_one), 1 - 1e-15)) - np.exp(log_tau)
        chance = np.log(-np.expm1(rest))
    return float(chance / np.log(10))


def shape_at(
    mjd: np.ndarray, flux: np.ndarray, flux_error: np.ndarray, days: float
) -> Shape:
    """Returns what two harmonics of a period say of the magnitudes of one band."""
    curve = _usable(mjd, flux, flux_error)
    if curve is None or not days > 0:
        return Shape()
    mjd, magnitude, sigma = curve
    at = np.array([1 / days])
    _, fit = harmonic_power(magnitude, sigma, mjd, at, num_harmonics=2)
    cos_1, sin_1, cos_2, sin_2 = fit[0, 1:]
    drawn = fourier((mjd - mjd.mean()) / days, 2) @ fit[0]
    angle = np.arctan2(-sin_2, cos_2) - 2 * np.arctan2(-sin_1, cos_1)
    first = max(np.hypot(cos_1, sin_1), 1e-9)  # magnitudes
    return Shape(
        amplitude=float(np.ptp(drawn)),
        r21=float(np.hypot(cos_2, sin_2) / first),
        phi21=float((angle - np.pi) % (2 * np.pi) + np.pi),
    )


def _usable(mjd, flux, flux_error):
    """Returns times, magnitudes and errors to look for a period in; None of too few."""
    seen = np.asarray(flux) > 0
    if seen.sum() < MIN_EPOCHS:
        return None
    mjd = np.asarray(mjd, np.float64)[seen]
    magnitude, sigma = magnitudes(np.asarray(flux)[seen], np.asarray(flux_error)[seen])
    is_flat = np.ptp(magnitude) == 0 or np.ptp(mjd) == 0
    return None if is_flat else (mjd, magnitude, sigma)
