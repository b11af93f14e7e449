"""From an image series to a light curve, by aperture or by PSF."""

from jaxastro.photometry.aperture import (
    aperture_light_curve,
    border_mask,
    border_statistics,
    centre_distance,
)
from jaxastro.photometry.forced import PointFlux, psf_photometry
from jaxastro.photometry.series import light_curve

__all__ = [
    "PointFlux",
    "aperture_light_curve",
    "border_mask",
    "border_statistics",
    "centre_distance",
    "light_curve",
    "psf_photometry",
]
