"""Fourier series fitted to light curves by weighted least squares."""

import numpy as np

from jaxastro.units import magnitude_error_of, magnitude_of

_TINY = 1e-9  # keeps a constant light curve from dividing by zero


def magnitudes(flux: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns magnitudes without a zero point, and their errors, of positive fluxes.

        m = -2.5 log10 F;   dm = 2.5 / ln 10  dF / F
    A hundredth of a magnitude for the calibration is added to the error in quadrature;
    without it the few best points of a bright star are all that counts.
    """
    flux, error = np.asarray(flux, np.float64), np.asarray(error, np.float64)
    return magnitude_of(flux, 0.0), np.hypot(magnitude_error_of(flux, error), 0.01)


def harmonic_power(
    flux: np.ndarray,
    sigma: np.ndarray,
    mjd: np.ndarray,
    frequency: np.ndarray,
    *,
    num_harmonics: int,
    ridge: float = 1e-9,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the share of chi square a Fourier series explains, and its coefficients.

    At each frequency f (cycles per day) a weighted least-squares fit of
        flux = c + sum over k of a_k cos(2 pi k f t) + b_k sin(2 pi k f t)
    of the flux less its mean, t from the mean time. Magnitudes will do as well.

    Args:
        ridge: added to the diagonal, of weights whose sum is 1: few epochs may not
            determine every coefficient.
    Returns: power [f] in [0, 1]; coefficients [f, 1 + 2 k]: c, a_1, b_1, a_2, ...
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
    """Returns 1, cos 2 pi phase, sin 2 pi phase, cos 4 pi phase, ... on a last axis."""
    angle = 2 * np.pi * phase
    columns = [np.ones_like(angle)]
    for k in range(1, num_harmonics + 1):
        columns += [np.cos(k * angle), np.sin(k * angle)]
    return np.stack(columns, axis=-1)
