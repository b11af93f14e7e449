"""Aperture and PSF photometry of image series, and period searches in light curves."""

from jaxastro.photometry.aperture import (
    aperture_light_curve,
    border_mask,
    border_statistics,
    centre_distance,
)
from jaxastro.photometry.forced import PointFlux, psf_photometry
from jaxastro.photometry.light_curve import measure_light_curve

__all__ = [
    "PointFlux",
    "aperture_light_curve",
    "border_mask",
    "border_statistics",
    "centre_distance",
    "measure_light_curve",
    "psf_photometry",
]
