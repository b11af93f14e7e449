"""Periodic stars with realistic light-curve shapes.

Magnitudes are relative to the mean, times are in days. The simpler stars of
light_curve.py are part of version 1.0.0 of sdss_sn_sim.
"""

from typing import NamedTuple

import numpy as np

# RR Lyrae of type ab: amplitude ratios and phases of a sine series in V, mean, scatter.
AB_RATIO = ((0.48, 0.05), (0.34, 0.05), (0.22, 0.05), (0.14, 0.04))
AB_PHASE = ((2.40, 0.12), (5.05, 0.25), (1.50, 0.30), (4.40, 0.40))
C_FRACTION = 0.3  # fraction of RR Lyrae of type c, which pulsate in the first overtone
CONTACT_FRACTION = 0.7  # fraction of eclipsing binaries that are contact systems
MEAN_WAVELENGTH = 4730.0  # Angstrom, at which amplitudes are given


class Star(NamedTuple):
    """Periodic stars k in frames t."""

    dimming: np.ndarray  # k t   magnitudes, mean over a cycle near 0
    period: np.ndarray  # k      days
    temperature: np.ndarray  # k kelvin
    kind: np.ndarray  # k        str


def rr_lyrae(rng: np.random.Generator, mjd: np.ndarray, *, count: int) -> Star:
    """Draws RR Lyrae: sawtooth curves (ab) and nearly sinusoidal ones (c).

        m(phase) = sum_k a_k sin(2 pi k phase + p_k),  k = 1..5
        p_k = q_k + k p_1,  a_k = ratio_k a_1

    Amplitudes of type ab decrease with the period, from 1.4 magnitudes in g at 0.45
    days to 0.5 at 0.75 days (the Bailey diagram).

    Source: Simon & Lee 1981, ApJ 248, 291 (the series); Jurcsik & Kovacs 1996, A&A
    312, 111 (values of the phases); Medina et al. 2018, ApJ 855, 43 (HiTS periods).
    Differs: ratios and phases do not depend on the period; no Blazhko effect.
    """
    is_c = rng.random(count) < C_FRACTION
    period = np.where(
        is_c, rng.normal(0.33, 0.04, count), rng.normal(0.58, 0.07, count)
    )
    period = np.clip(period, 0.22, 0.9)
    falling = 1.4 - 3.0 * (period - 0.45) + rng.normal(0, 0.12, count)
    amplitude = np.where(
        is_c, rng.uniform(0.3, 0.65, count), np.clip(falling, 0.4, 1.6)
    )
    cycle = rng.random(count)[:, None] + _cycles(mjd, period)
    wave = np.sin(2 * np.pi * cycle)
    for k, (ratio, phase) in enumerate(zip(AB_RATIO, AB_PHASE, strict=True), start=2):
        share = np.where(is_c, 0.15 * (k == 2), rng.normal(*ratio, count))
        turn = rng.normal(*phase, count)
        wave += share[:, None] * np.sin(2 * np.pi * k * cycle + turn[:, None])
    # Peak to peak of the series is about 2.3 times its first amplitude for ab.
    height = amplitude / np.where(is_c, 2.0, 2.3)
    kelvin = np.where(
        is_c, rng.uniform(6600, 7500, count), rng.uniform(6000, 7100, count)
    )
    kind = np.where(is_c, "RRc", "RRab")
    return Star(height[:, None] * wave, period, kelvin, kind)


def eclipsing_binaries(
    rng: np.random.Generator, mjd: np.ndarray, *, count: int
) -> Star:
    """Draws eclipsing binaries: contact systems, and detached or half-detached ones.

    Contact: two nearly equal, rounded minima per cycle, m = depth |cos(2 pi phase)|^p.
    Detached: two eclipses of the same width and an ellipsoidal modulation; in a fifth
    of the systems the secondary eclipse is shifted by eccentricity.

    Source: Rucinski 1993, PASP 105, 1433 (description of contact systems).
    Differs: these are curves of similar shape, not solutions of a binary model.
    """
    is_contact = rng.random(count) < CONTACT_FRACTION
    short = 0.33 * np.exp(0.28 * rng.normal(size=count))
    long = np.exp(rng.uniform(np.log(0.45), np.log(4.0), count))
    period = np.where(is_contact, np.clip(short, 0.21, 1.0), long)
    cycle = (rng.random(count)[:, None] + _cycles(mjd, period)) % 1

    depth = np.where(
        is_contact, rng.uniform(0.2, 0.75, count), rng.uniform(0.3, 1.0, count)
    )
    lesser = np.where(
        is_contact, rng.uniform(0.75, 1.0, count), rng.uniform(0.1, 0.95, count)
    )
    power = rng.uniform(1.6, 3.5, count)[:, None]
    is_second = np.abs(cycle - 0.5) < 0.25
    here = np.where(is_second, lesser[:, None], 1.0) * depth[:, None]
    contact = here * np.abs(np.cos(2 * np.pi * cycle)) ** power

    width = rng.uniform(0.025, 0.09, count)[:, None]
    place = 0.5 + np.where(rng.random(count) < 0.2, rng.normal(0, 0.06, count), 0)

    def dip(centre):
        distance = np.abs((cycle - centre + 0.5) % 1 - 0.5)
        return np.exp(-0.5 * (distance / width) ** 4)

    bulge = rng.uniform(0.0, 0.12, count)[:, None] * (1 + np.cos(4 * np.pi * cycle)) / 2
    detached = depth[:, None] * dip(0.0)
    detached += (lesser * depth)[:, None] * dip(place[:, None]) + bulge
    return Star(
        np.where(is_contact[:, None], contact, detached),
        period,
        rng.uniform(4200, 7500, count),
        np.where(is_contact, "EW", "EA"),
    )


def cepheids(rng: np.random.Generator, mjd: np.ndarray, *, count: int) -> Star:
    """Draws classical Cepheids: slow decline and fast rise, periods of 1 to 40 days."""
    period = np.exp(rng.uniform(np.log(1.0), np.log(40.0), count))
    cycle = rng.random(count)[:, None] + _cycles(mjd, period)
    wave = np.sin(2 * np.pi * cycle)
    wave += 0.4 * np.sin(4 * np.pi * cycle + rng.normal(2.6, 0.2, count)[:, None])
    wave += 0.15 * np.sin(6 * np.pi * cycle + rng.normal(5.2, 0.3, count)[:, None])
    height = rng.uniform(0.4, 1.3, count)[:, None] / 2.2
    return Star(
        height * wave, period, rng.uniform(5200, 6300, count), _all("CEP", count)
    )


def long_period(rng: np.random.Generator, mjd: np.ndarray, *, count: int) -> Star:
    """Draws long-period variables: periods of 70 to 500 days, up to five magnitudes."""
    period = np.exp(rng.uniform(np.log(70.0), np.log(500.0), count))
    cycle = rng.random(count)[:, None] + _cycles(mjd, period)
    height = rng.uniform(0.4, 5.0, count)[:, None] / 2
    wave = np.sin(2 * np.pi * cycle) + 0.15 * np.sin(4 * np.pi * cycle)
    return Star(
        height * wave, period, rng.uniform(2900, 3500, count), _all("LPV", count)
    )


def constant(rng: np.random.Generator, mjd: np.ndarray, *, count: int) -> Star:
    """Draws stars that do not vary."""
    return Star(
        np.zeros((count, len(mjd))),
        np.full(count, np.nan),
        rng.uniform(3600, 7500, count),
        _all("constant", count),
    )


def _cycles(mjd: np.ndarray, period: np.ndarray) -> np.ndarray:
    return (mjd - mjd.min()) / period[:, None]


def _all(kind: str, count: int) -> np.ndarray:
    return np.full(count, kind)
