"""Host galaxies of supernovae and active nuclei, and unrelated neighbours."""

from typing import NamedTuple

import numpy as np

from jaxastro.simulation import light_curve, scene
from jaxastro.units import flux_of

# Rest-frame colours of galaxies: wavelength (Angstrom) and magnitude minus that in r.
SPECTRUM_WAVELENGTH = (2200.0, 3000.0, 3560.0, 4720.0, 6185.0, 7500.0, 8960.0)
EARLY_TYPE = (4.6, 3.4, 2.4, 0.75, 0.0, -0.38, -0.68)
LATE_TYPE = (2.3, 1.9, 1.45, 0.45, 0.0, -0.22, -0.35)


class HostKind(NamedTuple):
    """Distribution of the host galaxies of a class."""

    early: float  # fraction of early types
    magnitude: tuple[float, float]  # absolute magnitude in r, mean and scatter


HOSTS = {
    "SNIa": HostKind(early=0.3, magnitude=(-20.6, 1.1)),
    "SNOther": HostKind(early=0.0, magnitude=(-18.9, 1.3)),
    "AGN": HostKind(early=0.6, magnitude=(-21.4, 0.7)),
}


def draw_host(
    rng: np.random.Generator,
    truth: str,
    redshift: float,
    wavelength: np.ndarray,
    place: np.ndarray,
) -> list[scene.Gaussians]:
    """Draws the host galaxy of an object.

    It is centred on an active nucleus. The offset of a supernova follows the light of
    the exponential disc.

    Args:
        truth: a key of HOSTS.
        wavelength: [t], observed, Angstrom, of each frame.
        place: (x, y) of the object, arcsec from the centre of the stamp.
    Returns: bulge and disc.
    """
    kind, z = HOSTS[truth], redshift
    is_early = rng.random() < kind.early
    absolute = rng.normal(*kind.magnitude)
    radius = 5.0 * 10 ** (-0.12 * (absolute + 21)) * np.exp(0.3 * rng.normal())  # kpc
    radius /= light_curve.kiloparsec_per_arcsec(z)
    axis_ratio, angle = rng.uniform(0.3, 1.0), rng.uniform(0, np.pi)
    bulge_share = rng.uniform(0.6, 1.0) if is_early else rng.uniform(0.0, 0.3)

    # Ages and dust overlap, so the colour of a host does not determine its class.
    age = rng.uniform(0.6, 1.0) if is_early else rng.uniform(0.0, 0.7)
    rest = wavelength / (1 + z)
    young = np.interp(rest, SPECTRUM_WAVELENGTH, LATE_TYPE)
    colour = young + age * (np.interp(rest, SPECTRUM_WAVELENGTH, EARLY_TYPE) - young)
    dust = light_curve.reddening(rest, rng.exponential(0.25))
    modulus = light_curve.distance_modulus(z) - 2.5 * np.log10(1 + z)
    flux = flux_of(absolute + colour + modulus) * dust

    # The light of an exponential disc follows Gamma(2) in radius.
    distance, turn = radius / 1.678 * rng.gamma(2.0), rng.uniform(0, 2 * np.pi)
    along, across = distance * np.cos(turn), axis_ratio * distance * np.sin(turn)
    away = np.array(
        [
            along * np.cos(angle) - across * np.sin(angle),
            along * np.sin(angle) + across * np.cos(angle),
        ]
    )
    centre = place if truth == "AGN" else place + away
    return [
        scene.sersic(
            centre,
            bulge_share * flux,
            index=4,
            radius=0.6 * radius,
            axis_ratio=0.5 + 0.5 * axis_ratio,
            angle=angle,
        ),
        scene.sersic(
            centre,
            (1 - bulge_share) * flux,
            index=1,
            radius=radius,
            axis_ratio=axis_ratio,
            angle=angle,
        ),
    ]


def draw_neighbour(
    rng: np.random.Generator, wavelength: np.ndarray, edge: float
) -> scene.Gaussians:
    """Draws an unrelated star or galaxy at a random position in the stamp.

    Args:
        wavelength: [t], observed, Angstrom, of each frame.
        edge: half the stamp's side, arcsec.
    """
    position = rng.uniform(-edge, edge, 2)
    # Number counts increase as 10^(0.35 r) up to the limit of the survey.
    magnitude = max(23.0 + np.log10(rng.random()) / 0.35, 16.0)
    if rng.random() < 0.4:
        kelvin = rng.uniform(3200, 6500)
        colour = light_curve.blackbody(wavelength, kelvin)
        colour = colour / light_curve.blackbody(light_curve.R_BAND, kelvin)
        return scene.point(position, flux_of(np.asarray(magnitude)) * colour)
    colour = np.interp(wavelength / 1.3, SPECTRUM_WAVELENGTH, LATE_TYPE)
    return scene.sersic(
        position,
        flux_of(magnitude + colour),
        index=1,
        radius=rng.uniform(0.4, 1.5),
        axis_ratio=rng.uniform(0.3, 1),
        angle=rng.uniform(0, np.pi),
    )
