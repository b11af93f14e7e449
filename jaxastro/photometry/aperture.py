"""Aperture photometry at the centre of each frame of an image series."""

import numpy as np

from jaxastro.errors import InputError
from jaxastro.photometry.median import nanmedian

_SCATTER_OF_MAD = 1.4826  # standard deviation of a normal law in its MADs


def aperture_light_curve(
    flux: np.ndarray,
    bad_pixel: np.ndarray,
    *,
    radius: float,
    border: int = 3,
    photon=0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns flux and error per epoch, [t] each, in the unit of one pixel's flux.

    The sky is the median of the border pixels. Their scatter (from the MAD) is the
    noise of one pixel:
        flux_t  = sum over pixels of weight * (pixel_t - sky_t)
        error_t^2 = noise_t^2 * sum weight^2 + photon_t * max(flux_t, 0)
                    + (noise_t^2 * pi / (2 * n_border) + step_t^2 / 12) * (sum weight)^2
    `step` is the quantisation of the counts: the median of whole numbers is a whole
    number. A pixel's weight falls linearly from 1 to 0 across the aperture's edge.

    Args:
        flux: [t y x].
        bad_pixel: [t y x] bool, True where flux is not a measurement.
        radius: of the aperture, pixels.
        border: width of the border that gives the sky, pixels.
        photon: variance per unit of flux, from the photons of the object, [t] or one
            number; 0 or NaN omits this term.
    Returns:  flux and error; NaN where a pixel inside the aperture is bad or no border
        pixel is good. A sum over the other pixels would look like an eclipse.
    Raises:
        InputError: if the aperture reaches into the border, or shapes disagree.
    """
    flux = np.asarray(flux, np.float64)
    bad_pixel = np.asarray(bad_pixel, bool)
    if flux.ndim != 3 or flux.shape != bad_pixel.shape:
        raise InputError(
            f"Cutouts of shape {flux.shape} with flags of shape {bad_pixel.shape}. "
            "Photometry needs [epochs, y, x] twice. Give one flag per pixel."
        )
    distance = centre_distance(flux.shape[1:])
    weight = np.clip(radius + 0.5 - distance, 0, 1)
    at_edge = border_mask(flux.shape[1:], border)
    if not (radius > 0 and border > 0) or (weight[at_edge] > 0).any():
        raise InputError(
            f"An aperture of {radius} pixels in a stamp of {flux.shape[1:]} pixels, "
            f"whose outer {border} pixels give the sky. The radius must be positive, "
            "and the aperture must not reach those pixels. Use a smaller radius or "
            "border."
        )
    sky, noise, num_border = border_statistics(flux, bad_pixel, border)
    inside = weight > 0
    pixel = flux[:, inside] - sky[:, None]
    total = (pixel * weight[inside]).sum(axis=1)
    area, area_squared = weight.sum(), (weight**2).sum()
    # The median of n normal values has pi / 2 times the variance of their mean.
    sky_variance = noise**2 * np.pi / (2 * np.maximum(num_border, 1))
    sky_variance += counting_step(flux[:, at_edge], bad_pixel[:, at_edge]) ** 2 / 12
    variance = noise**2 * area_squared + sky_variance * area**2
    error = np.sqrt(variance + np.nan_to_num(photon) * np.maximum(total, 0))
    unseen = bad_pixel[:, inside].any(axis=1) | (num_border == 0)
    return np.where(unseen, np.nan, total), np.where(unseen, np.nan, error)


def border_statistics(
    flux: np.ndarray, bad_pixel: np.ndarray, border: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns median, scatter and number of the good border pixels, [t] each.

    The scatter is 1.4826 MAD. Both are NaN where no border pixel is good.
    """
    at_edge = border_mask(flux.shape[1:], border)
    edge = np.where(bad_pixel[:, at_edge], np.nan, flux[:, at_edge])
    count = np.isfinite(edge).sum(axis=1)
    median = nanmedian(edge, axis=1)
    scatter = _SCATTER_OF_MAD * nanmedian(abs(edge - median[:, None]), axis=1)
    return median, scatter, count


def counting_step(flux: np.ndarray, bad_pixel: np.ndarray) -> np.ndarray:
    """Returns [t], the smallest difference between two good pixels of a frame [t p].

    It is one ADU in raw counts and almost zero in resampled frames.
    """
    gap = np.diff(np.sort(np.where(bad_pixel, np.nan, flux), axis=1), axis=1)
    step = np.where(gap > 0, gap, np.inf).min(axis=1)
    return np.where(np.isfinite(step), step, 0)


def centre_distance(shape: tuple[int, int]) -> np.ndarray:
    """Returns [y x], the distance of each pixel's centre from the stamp's, pixels."""
    y, x = (np.arange(n) - (n - 1) / 2 for n in shape)
    return np.hypot(y[:, None], x[None, :])


def border_mask(shape: tuple[int, int], border: int) -> np.ndarray:
    """Returns [y x] bool, True in the outer `border` pixels of a stamp."""
    at_edge = np.ones(shape, bool)
    at_edge[border : shape[0] - border, border : shape[1] - border] = False
    return at_edge
