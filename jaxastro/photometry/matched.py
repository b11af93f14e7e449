"""Fluxes by the PSF and in Gaussian apertures that are matched to the seeing."""

import numpy as np

from jaxastro.errors import InputError
from jaxastro.photometry.psf import FWHM_PER_SIGMA, psf_profile

NARROWEST = 0.5  # pixels, deviation of the narrowest aperture


def matched_photometry(
    flux: np.ndarray,
    bad_pixel: np.ndarray,
    *,
    psf_fwhm: np.ndarray,
    noise: np.ndarray,
    apertures: tuple[float, ...],
    photon=0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns fluxes of the central point source and their errors, [t m] each.

    First by the PSF, then in each aperture:
        weight[0] = psf,    weight[i] = exp(-r^2 / 2 (aperture[i]^2 - sigma^2))
        flux = sum(weight * pixel) / sum(weight * psf)
        error^2 = sum(weight^2 (noise^2 + photon max(flux, 0) psf)) / sum(weight psf)^2
    with sigma = psf_fwhm / FWHM_PER_SIGMA, over good pixels. A star has the same flux
    in every seeing; a galaxy has it in an aperture, but not by the PSF. So in an
    aperture a change of seeing does not look like a change of the object.

    Args:
        flux: [t y x], the sky subtracted.
        bad_pixel: [t y x] bool, True where flux is not a measurement.
        psf_fwhm: [t], pixels.
        noise: [t], standard deviation of an empty pixel.
        apertures: pixels, standard deviation of seeing and aperture together.
        photon: variance per unit of flux, from the photons of the object, [t] or one
            number; 0 or NaN omits this term.
    Returns:  fluxes in the unit of a pixel's flux; NaN where the PSF is unknown or has
        no good pixel.
    Raises:
        InputError: if an aperture is not above 0, or shapes disagree.
    Source: Kuijken 2008, A&A 482, 1053 (apertures matched to the PSF).
    Differs: Gaussian weights matched to the core of the PSF; its wing is not corrected.
    """
    flux, bad_pixel = np.asarray(flux, np.float64), np.asarray(bad_pixel, bool)
    num_epochs = len(flux)
    columns = [np.broadcast_to(a, num_epochs) for a in (psf_fwhm, noise, photon)]
    fwhm, noise, photon = (column.astype(np.float64)[:, None] for column in columns)
    if flux.ndim != 3 or flux.shape != bad_pixel.shape:
        raise InputError(
            f"Cutouts of shape {flux.shape} with flags of shape {bad_pixel.shape}. "
            "Photometry needs [epochs, y, x] twice. Give one flag per pixel."
        )
    if not all(size > 0 for size in apertures):
        raise InputError(
            f"Apertures of {apertures} pixels. A width is above 0. Give other ones."
        )
    fwhm = np.where(fwhm > 0, fwhm, np.nan)
    flat = num_epochs, flux.shape[1] * flux.shape[2]
    good = (~bad_pixel & np.isfinite(flux)).reshape(flat)
    pixel = np.where(good, flux.reshape(flat), 0)
    y, x = (np.arange(size) - (size - 1) / 2 for size in flux.shape[1:])
    distance = np.add.outer(y**2, x**2).ravel()
    psf, _ = psf_profile(distance, fwhm)
    weights = [psf]
    for size in apertures:
        variance = np.maximum(size**2 - (fwhm / FWHM_PER_SIGMA) ** 2, NARROWEST**2)
        weights.append(np.exp(-0.5 * distance / variance))
    fluxes, errors = [], []
    for weight in weights:
        weight = weight * good
        response = (weight * psf).sum(axis=1)
        response = np.where(response > 0, response, np.nan)
        found = (weight * pixel).sum(axis=1) / response
        photons = np.nan_to_num(photon) * np.nan_to_num(np.maximum(found, 0))[:, None]
        variance = (weight**2 * (noise**2 + photons * psf)).sum(axis=1)
        fluxes.append(found)
        errors.append(np.sqrt(variance) / response)
    return np.stack(fluxes, axis=1), np.stack(errors, axis=1)
