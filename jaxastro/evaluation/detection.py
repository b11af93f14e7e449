"""When an object first caught the eye: by a change of its light, blind to its label."""

from bisect import insort
from math import inf, pi, sqrt

import numpy as np

from jaxastro.data.alert import AlertRecord
from jaxastro.data.series import SeriesRecord
from jaxastro.photometry import aperture_light_curve
from jaxastro.photometry.light_curve import photon_variance
from jaxastro.surveys import Survey

SIGNIFICANT = 5  # standard deviations
RADIUS, BORDER = 6.0, 3  # pixels: of the aperture at most, and of the sky's frame


def first_detection(record: tuple, survey: Survey) -> float:
    """Returns the MJD of the first epoch unlike those before it, infinite if none is.

    An epoch is compared with the n earlier ones of its band. A steady source, such as
    a host galaxy, is thereby no detection, however bright:
        |flux - median before| >= 5 sqrt(error^2 + (pi / 2) mean error^2 before / n)
    Nothing that happens later, and no label, has a part in it. Flux in images is that
    of an aperture at the centre; images too small for one detect nothing. An alert is
    a detection by itself.

    Args:
        record: of a light curve or an image series, sorted by time.
        survey: of the images, whose flux unit and bands hold.
    """
    if isinstance(record, AlertRecord):
        return float(record.mjd[0])
    if isinstance(record, SeriesRecord):
        flux, error = _at_centre(record, survey)
    else:
        flux, error = record.flux, record.flux_error
    is_known = np.isfinite(flux) & np.isfinite(error)
    place = _first_change(flux[is_known], error[is_known], record.band[is_known])
    return inf if place is None else float(record.mjd[is_known][place])


def _at_centre(record: SeriesRecord, survey: Survey) -> tuple[np.ndarray, np.ndarray]:
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
    before: dict[int, list[float]] = {}  # fluxes of each band so far, sorted
    square: dict[int, float] = {}  # their errors squared, summed
    epochs = zip(flux.tolist(), error.tolist(), band.tolist(), strict=True)
    for place, (value, its_error, its_band) in enumerate(epochs):
        known = before.setdefault(its_band, [])
        if n := len(known):
            median = (known[(n - 1) // 2] + known[n // 2]) / 2
            variance = its_error**2 + pi / 2 * square[its_band] / n**2
            if abs(value - median) >= SIGNIFICANT * sqrt(variance):
                return place
        insort(known, value)
        square[its_band] = square.get(its_band, 0) + its_error**2
    return None
