"""Fourier series fitted to light curves by weighted least squares."""

from typing import NamedTuple

import numpy as np

from jaxastro.units import magnitude_error_of, magnitude_of

_TINY = 1e-9  # avoids a division by zero for a constant light curve


class HarmonicFit(NamedTuple):
    """A Fourier series of k harmonics at one frequency.

    c + sum over k of A_k cos(2 pi k f t + phi_k), with t from the mean time.
    """

    frequency: float  # cycles per day
    power: float  # share of chi square that the series explains, 0 to 1
    coefficients: np.ndarray  # 1 + 2 k  c, a_1, b_1, a_2, b_2, ... of cos and sin

    @property
    def amplitudes(self) -> np.ndarray:
        """A_k, [k], in the unit of the fitted values."""
        return np.hypot(self.coefficients[1::2], self.coefficients[2::2])

    @property
    def phase_21(self) -> float:
        """Phase difference phi_2 - 2 phi_1, radian."""
        _, cos_1, sin_1, cos_2, sin_2 = self.coefficients[:5]
        return np.arctan2(-sin_2, cos_2) - 2 * np.arctan2(-sin_1, cos_1)


def magnitudes(flux: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns magnitudes of positive fluxes, without a zero point, and their errors.

        m = -2.5 log10 F;   dm = 2.5 / ln 10  dF / F
    A calibration error of 0.01 mag is added in quadrature. Without it a fit to a
    bright star would follow its few most precise points.
    """
    flux, error = np.asarray(flux, np.float64), np.asarray(error, np.float64)
    return magnitude_of(flux, 0.0), np.hypot(magnitude_error_of(flux, error), 0.01)


def fit_harmonics(
    flux: np.ndarray,
    sigma: np.ndarray,
    mjd: np.ndarray,
    frequency: np.ndarray,
    *,
    num_harmonics: int,
    ridge: float = 1e-9,
) -> HarmonicFit:
    """Returns the fit of highest power on a grid of frequencies.

    The arguments are those of harmonic_power.
    """
    power, coefficients = harmonic_power(
        flux, sigma, mjd, frequency, num_harmonics=num_harmonics, ridge=ridge
    )
    best = power.argmax()
    return HarmonicFit(frequency[best], power[best], coefficients[best])


def harmonic_power(
    flux: np.ndarray,
    sigma: np.ndarray,
    mjd: np.ndarray,
    frequency: np.ndarray,
    *,
    num_harmonics: int,
    ridge: float = 1e-9,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the power and the coefficients of a Fourier series at each frequency.

    At each frequency f this is a weighted least-squares fit of
        flux = c + sum over k of a_k cos(2 pi k f t) + b_k sin(2 pi k f t)
    to the flux minus its weighted mean, with t from the mean time.

    Args:
        flux: [t], or magnitudes.
        sigma: [t], standard deviations in the unit of the flux.
        mjd: [t], days.
        frequency: [f], cycles per day.
        num_harmonics: k.
        ridge: added to the diagonal of the normal matrix, where the weights have sum 1.
            It is needed where few epochs do not determine all coefficients.
    Returns:  power [f], the share of chi square that the series explains, in [0, 1];
        coefficients [f, 1 + 2 k]: c, a_1, b_1, a_2, b_2, ...
    Source: Zechmeister & Kürster 2009, A&A 496, 577 (generalised Lomb-Scargle, k = 1).
    """
    weight = 1 / sigma**2
    weight = weight / weight.sum()
    centred = flux - (weight * flux).sum()
    design = fourier(frequency[:, None] * (mjd - mjd.mean()), num_harmonics)  # f t p
    weighted = design * weight[:, None]
    normal = np.swapaxes(weighted, 1, 2) @ design
    normal += ridge * np.eye(design.shape[-1])
    projection = np.swapaxes(weighted, 1, 2) @ centred
    fit = np.linalg.solve(normal, projection[..., None])[..., 0]
    total = (weight * centred**2).sum() + _TINY**2
    return np.clip((fit * projection).sum(axis=-1) / total, 0, 1), fit


def fourier(phase: np.ndarray, num_harmonics: int) -> np.ndarray:
    """Returns 1, cos 2 pi phase, sin 2 pi phase, cos 4 pi phase, ... along a last axis.

    Args:
        phase: of any shape, in cycles.
        num_harmonics: k; the last axis has length 1 + 2 k.
    """
    angle = 2 * np.pi * phase
    columns = [np.ones_like(angle)]
    for k in range(1, num_harmonics + 1):
        columns += [np.cos(k * angle), np.sin(k * angle)]
    return np.stack(columns, axis=-1)
