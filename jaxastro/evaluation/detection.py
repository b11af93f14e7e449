"""Time of the first detection of an object, by a significant change of its flux."""

from bisect import insort
from math import inf, pi, sqrt

import numpy as np

from jaxastro.data.alert import AlertRecord
from jaxastro.data.record import Record
from jaxastro.data.series import SeriesRecord
from jaxastro.photometry import aperture_light_curve
from jaxastro.photometry.light_curve import photon_variance
from jaxastro.surveys import Survey

SIGNIFICANT = 5  # standard deviations
RADIUS, BORDER = 6.0, 3  # pixels: largest aperture, and width of the sky border


def first_detection(record: Record, survey: Survey) -> float:
    """Returns the MJD of the first detection; infinity if there is none.

    An epoch is a detection if its flux differs from the median of the n earlier epochs
    of its band, so that a constant source, such as a host galaxy, is not detected:
        |flux - median before| >= 5 sqrt(error^2 + (pi / 2) mean error^2 before / n)
    Later epochs and labels are not used. The flux of images is measured in an aperture
    at the centre; images that are too small for it give no detection. The first alert
    of an object is always a detection.

    Args:
        record: light curve, image series or alerts, sorted by time.
        survey: its flux unit and bands are used for images.
    """
    if isinstance(record, AlertRecord):
        return float(record.mjd[0])
    if isinstance(record, SeriesRecord):
        flux, error = _aperture_flux(record, survey)
    else:
        flux, error = record.flux, record.flux_error
    is_known = np.isfinite(flux) & np.isfinite(error)
    epoch = _first_change(flux[is_known], error[is_known], record.band[is_known])
    return inf if epoch is None else float(record.mjd[is_known][epoch])


def _aperture_flux(
    record: SeriesRecord, survey: Survey
) -> tuple[np.ndarray, np.ndarray]:
    radius = min(RADIUS, min(record.flux.shape[1:]) / 2 - BORDER)
    if radius < 1:
        return np.full((2, len(record.mjd)), np.nan)
    return aperture_light_curve(
        record.flux,
        record.bad_pixel,
        radius=radius,
        border=BORDER,
        photon=photon_variance(record, survey),
    )


def _first_change(flux, error, band) -> int | None:
    earlier: dict[int, list[float]] = {}  # earlier fluxes of each band, sorted
    square: dict[int, float] = {}  # sum of their squared errors
    epochs = zip(flux.tolist(), error.tolist(), band.tolist(), strict=True)
    for epoch, (value, value_error, b) in enumerate(epochs):
        fluxes = earlier.setdefault(b, [])
        if n := len(fluxes):
            median = (fluxes[(n - 1) // 2] + fluxes[n // 2]) / 2
            variance = value_error**2 + pi / 2 * square[b] / n**2
            if abs(value - median) >= SIGNIFICANT * sqrt(variance):
                return epoch
        insort(fluxes, value)
        square[b] = square.get(b, 0) + value_error**2
    return None
