"""The point-spread function (PSF): a round Gaussian core and a wider, fainter wing.

It is the effective PSF, which includes the pixel response: it is sampled at pixel
centres, not integrated over pixels. This conserves flux if the full width at half
maximum is at least two pixels.
"""

import numpy as np

# Core and wing; weights sum to one.
PSF_WEIGHT = (0.85, 0.15)
PSF_SIGMA = (1.0, 2.5)  # in units of the core's


def psf_profile(
    distance_squared: np.ndarray, fwhm: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the PSF of a point source of unit flux, per pixel, and its slope.

        psf   = sum over parts j of weight_j / (2 pi sigma_j^2) exp(-d / (2 sigma_j^2))
        slope = d psf / d d, where d is the squared distance

    The derivatives that a fit needs follow from the slope: with respect to the
    source's x it is -2 (x - x_source) slope, and to ln(fwhm) it is
    -2 (psf + d slope).

    Args:
        distance_squared: squared distance from the source, square pixels.
        fwhm: full width at half maximum, pixels. Both arguments are broadcast.
    """
    psf = slope = 0.0
    for weight, sigma in zip(PSF_WEIGHT, PSF_SIGMA, strict=True):
        variance = (sigma * fwhm / FWHM_PER_SIGMA) ** 2
        part = np.exp(distance_squared * (-0.5 / variance))
        part *= weight / (2 * np.pi * variance)
        psf, slope = psf + part, slope - part / (2 * variance)
    return psf, slope


def psf_norm(fwhm: np.ndarray) -> np.ndarray:
    """Returns the sum of psf^2 over all pixels of an infinite frame."""
    weight, variance = np.array(PSF_WEIGHT), np.array(PSF_SIGMA) ** 2
    pair = weight[:, None] * weight / (2 * np.pi * (variance[:, None] + variance))
    return pair.sum() * (FWHM_PER_SIGMA / fwhm) ** 2


def _fwhm_of_unit_core() -> float:
    """Returns the full width at half maximum of a core of sigma 1, by bisection."""
    weight, sigma = np.array(PSF_WEIGHT), np.array(PSF_SIGMA)

    def profile(r):
        return (weight / sigma**2 * np.exp(-0.5 * (r / sigma) ** 2)).sum()

    low, high = 0.0, 5.0
    for _ in range(60):
        middle = (low + high) / 2
        if profile(middle) > profile(0.0) / 2:
            low = middle
        else:
            high = middle
    return 2 * low


FWHM_PER_SIGMA = _fwhm_of_unit_core()
