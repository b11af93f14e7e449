"""From an image series to a light curve, by aperture or by PSF."""

from jaxastro.photometry.aperture import (
    aperture_light_curve,
    border_mask,
    border_statistics,
    centre_distance,
)

__all__ = [
    "aperture_light_curve",
    "border_mask",
    "border_statistics",
    "centre_distance",
]
