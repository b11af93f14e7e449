"""Units of brightness and time, and the conversions between them.

Records hold fluxes in microjansky, AB magnitudes, and modified Julian dates (UTC).
"""

import datetime
import math

import numpy as np

# AB magnitude of a flux of one unit.
MICROJANSKY_ZERO_POINT = 23.9
NANOMAGGY_ZERO_POINT = 22.5  # SDSS frames
FLUXCAL_ZERO_POINT = 27.5  # light curves of SNANA

# Flux in microjansky of one unit.
NANOMAGGY = 3.631  # SDSS frames
NANOJANSKY = 1e-3  # Rubin alerts

MJD_ZERO = 2400000.5  # Julian date of modified Julian date 0
MJD_ZERO_DATE = datetime.date(1858, 11, 17)
MJD_OF_UNIX_TIME_ZERO = 40587.0  # 1 January 1970


def flux_of(magnitude, zero_point=MICROJANSKY_ZERO_POINT):
    """Returns the flux of a magnitude.

        F = 10^(-0.4 (m - zero_point))

    Args:
        magnitude: a number or an array.
        zero_point: magnitude of a flux of one unit; by default that of a microjansky.
    """
    return 10 ** (-0.4 * (magnitude - zero_point))


def flux_ratio(magnitudes):
    """Returns the factor of a flux whose magnitude grows: 10^(-0.4 magnitudes)."""
    return 10 ** (-0.4 * magnitudes)


def flux_error_of(flux, magnitude_error):
    """Returns the error of a flux, dF = 0.4 ln(10) F dm, in the unit of the flux."""
    return 0.4 * math.log(10) * flux * magnitude_error


def magnitude_of(flux, zero_point=MICROJANSKY_ZERO_POINT):
    """Returns the magnitude of a positive flux.

        m = zero_point - 2.5 log10 F

    Args:
        flux: a number or an array.
        zero_point: magnitude of a flux of one unit; by default that of a microjansky.
    """
    return zero_point - 2.5 * np.log10(flux)


def magnitude_error_of(flux, flux_error):
    """Returns the error of a magnitude, dm = 2.5 / ln(10) dF / F."""
    return 2.5 / math.log(10) * flux_error / flux


def microjansky_per_adu(zero_point):
    """Returns the flux of one ADU, microjansky, where one ADU has that magnitude."""
    return flux_of(zero_point)
