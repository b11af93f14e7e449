"""Fluxes of a point source at the centre of each frame, measured on the device."""

from functools import partial

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxastro.errors import InputError

# As jaxastro.photometry.psf, which a test compares: weights and widths of core and
# wing, the width in units of the core's, and the width at half maximum of both.
PSF_WEIGHT = (0.85, 0.15)
PSF_SIGMA = (1.0, 2.5)
FWHM_PER_SIGMA = 2.3925255701528587
NARROWEST = 0.5  # pixels, deviation of the narrowest aperture


def point_fluxes(
    image: Float[Array, "b t y x"],
    psf_fwhm: Float[Array, "b t"],
    noise: Float[Array, "b t"],
    apertures: tuple[float, ...],
) -> tuple[Float[Array, "b t m"], Float[Array, "b t m"]]:
    """Returns fluxes of the central point source, and their errors.

    First by the PSF, then in Gaussian apertures that are matched to the seeing:
        weight[0] = psf,    weight[i] = exp(-r^2 / 2 (aperture[i]^2 - sigma^2))
        flux = sum(weight * image) / sum(weight * psf)
        error = noise sqrt(sum(weight^2)) / sum(weight * psf)
    with sigma = psf_fwhm / FWHM_PER_SIGMA. A star has the same flux in every seeing. A
    galaxy has, in an aperture, the same flux in every seeing too: image and weight
    together smooth it by a Gaussian of constant width. So a change of seeing does not
    look like a change of the object. Both are linear in the image, so that gradients
    reach the pixels.

    Args:
        image: linear in flux, the sky subtracted.
        psf_fwhm: pixels, above 0.
        noise: standard deviation of an empty pixel. The photon noise of the object is
            not included.
        apertures: pixels, standard deviation of seeing and aperture together.
    Raises:
        InputError: if an aperture is not above 0.
    Source: PSF flux: as jaxastro.photometry.psf_photometry, for uniform noise, without
        fits of sky and position; matched apertures: Kuijken 2008, A&A 482, 1053.
    Differs: the aperture is matched to the core of the PSF; its wing is not corrected.
    """
    if not all(size > 0 for size in apertures):
        raise InputError(
            f"Apertures of {apertures} pixels. A width is above 0. Give other ones."
        )
    sigma = psf_fwhm / FWHM_PER_SIGMA
    core, wing = ((sigma * ratio) ** 2 for ratio in PSF_SIGMA)
    wide = [jnp.maximum(s**2 - sigma**2, NARROWEST**2) for s in apertures]
    # Every weight is a sum of Gaussians, which are products of profiles in y and x.
    variance = jnp.stack([core, wing, *wide], axis=-1)  # b t g
    profiles = [
        _profile(variance, size) for size in image.shape[2:]
    ]  # b t g y, b t g x
    dot = partial(jnp.einsum, precision="highest")  # for faint fluxes on bright hosts
    total = dot("btyx,btgy,btgx->btg", image, *profiles)
    # Sums over pixels of the product of each two Gaussians.
    overlap = dot("btgy,bthy->btgh", profiles[0], profiles[0])
    overlap *= dot("btgx,bthx->btgh", profiles[1], profiles[1])
    share = jnp.array(PSF_WEIGHT) / (2 * jnp.pi * variance[..., :2])  # b t 2

    light = (total[..., :2] * share).sum(-1)
    square = dot("btg,bth,btgh->bt", share, share, overlap[..., :2, :2])
    response = dot("btg,btgh->bth", share, overlap[..., :2, 2:])
    flux = [light / square], jnp.moveaxis(total[..., 2:] / response, -1, 0)
    area = jnp.diagonal(overlap, axis1=-2, axis2=-1)[..., 2:]
    error = [square**-0.5], jnp.moveaxis(jnp.sqrt(area) / response, -1, 0)
    flux, error = (jnp.stack([*one, *others], -1) for one, others in (flux, error))
    return flux, error * noise[..., None]


def _profile(variance: Float[Array, "b t g"], size: int) -> Float[Array, "b t g s"]:
    place = jnp.arange(size) - (size - 1) / 2
    return jnp.exp(-0.5 * place**2 / variance[..., None])
