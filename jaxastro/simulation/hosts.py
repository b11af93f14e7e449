"""Galaxies that supernovae and active nuclei live in, and what else is in a stamp."""

from typing import NamedTuple

import numpy as np

from jaxastro.simulation import light_curve, scene
from jaxastro.units import flux_of

# Rest-frame colours of galaxies: wavelength (Angstrom) and magnitude minus that in r.
SPECTRUM_WAVELENGTH = (2200.0, 3000.0, 3560.0, 4720.0, 6185.0, 7500.0, 8960.0)
EARLY_TYPE = (4.6, 3.4, 2.4, 0.75, 0.0, -0.38, -0.68)
LATE_TYPE = (2.3, 1.9, 1.45, 0.45, 0.0, -0.22, -0.35)


class HostKind(NamedTuple):
    """The galaxies that a class prefers."""

    early: float  # fraction of early types
    magnitude: tuple[float, float]  # absolute r, mean and scatter


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
    """Draws the host galaxy: centred on an active nucleus, else beside the supernova.

    A supernova lies in its host's light: exponentially distributed, in the disc.

    Args:
        truth: a key of HOSTS.
        wavelength: [t] observed, Angstrom, of each frame.
        place: (x, y) of the object, arcsec from the middle of the stamp.
    Returns: its bulge and its disc.
    """
    kind, z = HOSTS[truth], redshift
    is_early = rng.random() < kind.early
    absolute = rng.normal(*kind.magnitude)
    radius = 5.0 * 10 ** (-0.12 * (absolute + 21)) * np.exp(0.3 * rng.normal())  # kpc
    radius /= light_curve.kiloparsec_per_arcsec(z)
    axis_ratio, angle = rng.uniform(0.3, 1.0), rng.uniform(0, np.pi)
    bulge_share = rng.uniform(0.6, 1.0) if is_early else rng.uniform(0.0, 0.3)

    # Ages and dust overlap: the colour of a host is a hint of its class, not more.
    age = rng.uniform(0.6, 1.0) if is_early else rng.uniform(0.0, 0.7)
    rest = wavelength / (1 + z)
    young = np.interp(rest, SPECTRUM_WAVELENGTH, LATE_TYPE)
    colour = young + age * (np.interp(rest, SPECTRUM_WAVELENGTH, EARLY_TYPE) - young)
    dust = light_curve.reddening(rest, rng.exponential(0.25))
    modulus = light_curve.distance_modulus(z) - 2.5 * np.log10(1 + z)
    flux = flux_of(absolute + colour + modulus) * dust

    # Gamma(2) is how the light of an exponential disc lies in radius.
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
    """Draws an unrelated star or galaxy somewhere in the stamp.

    Args:
        wavelength: [t] observed, Angstrom, of each frame.
        edge: half the stamp's side, arcsec.
    """
    position = rng.uniform(-edge, edge, 2)
    # Counts rise as 10^(0.35 r) to the limit of the survey.
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
