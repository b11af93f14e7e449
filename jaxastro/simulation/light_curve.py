"""Light curves of supernovae, active nuclei and variable stars, by simple models.

All functions are vectorised over candidates k (possible objects, from which the survey
selects one) and frames t. Fluxes are f_nu in microjansky, wavelengths in Angstrom,
times in days.
"""

from typing import NamedTuple

import numpy as np

from jaxastro.units import flux_of, flux_ratio, magnitude_of

HUBBLE = 70.0  # km/s/Mpc
MATTER = 0.3  # density parameter of a flat universe
LIGHT_SPEED = 299792.458  # km/s
REFERENCE = 5500.0  # Angstrom, where absolute magnitudes are given
R_BAND = 6185.19  # Angstrom, where magnitudes of candidates are given


class Candidates(NamedTuple):
    """Possible objects of one class, as observed in the frames of a field."""

    flux: np.ndarray  # k t  microjansky, of the point source, without the atmosphere
    redshift: np.ndarray  # k  NaN for stars
    magnitude: np.ndarray  # k  AB in r, at maximum for supernovae, mean for others
    rest: np.ndarray  # k t  microjansky, quiescent flux of the point source
    kind: np.ndarray  # k    str, physical kind


def luminosity_distance(redshift):
    """Returns the luminosity distance of a flat universe, Mpc.

    D = (1 + z) c / H0 * integral_0^z dz' / sqrt(MATTER (1 + z')^3 + 1 - MATTER)
    """
    # Simpson's rule with 32 steps, accurate to 1e-6 up to z = 5.
    z = np.asarray(redshift, float)[..., None] * np.linspace(0, 1, 33)
    weight = np.r_[1, np.tile([4, 2], 15), 4, 1] / 96
    integral = (weight / np.sqrt(MATTER * (1 + z) ** 3 + 1 - MATTER)).sum(-1)
    return (1 + redshift) * LIGHT_SPEED / HUBBLE * redshift * integral


def distance_modulus(redshift):
    """Returns 5 log10(luminosity distance / 10 pc)."""
    return 5 * np.log10(luminosity_distance(redshift)) + 25


def kiloparsec_per_arcsec(redshift):
    """Returns the size of one arcsecond: luminosity distance / (1 + z)^2 in kpc."""
    distance = luminosity_distance(redshift) / (1 + redshift) ** 2
    return 1000 * distance * np.pi / 180 / 3600


def blackbody(wavelength, temperature):
    """Returns f_nu of a black body, relative to that at 5500 Angstrom.

    B(wavelength) = wavelength^-3 / (exp(h c / (wavelength k T)) - 1)
    """

    def planck(x):
        # hc/k = 1.43878e8 Angstrom kelvin.
        return x**-3 / np.expm1(1.43878e8 / (x * temperature))

    return planck(wavelength) / planck(REFERENCE)


def reddening(wavelength, visual_extinction):
    """Returns the fraction of light that dust transmits.

    A(wavelength) = visual_extinction * (5500 / wavelength)^1.3 magnitudes.
    """
    return 10 ** (-0.4 * visual_extinction * (REFERENCE / wavelength) ** 1.3)


def rise_and_fall(phase, rise, fall):
    """Returns a light curve that is 1 at phase 0.

        f = exp(-x / fall) / (1 + exp(-x / rise))
        x = phase + rise ln(fall / rise - 1)

    Source: Bazin et al. 2009, A&A 499, 653.
    """
    x = phase + rise * np.log(fall / rise - 1)
    peak = rise * np.log(fall / rise - 1)

    def bazin(y):
        # The clip keeps exp finite long before the explosion.
        return np.exp(-y / fall) / (1 + np.exp(np.clip(-y / rise, None, 300)))

    return np.where(x > -12 * rise, bazin(np.maximum(x, -12 * rise)), 0) / bazin(peak)


class Explosion(NamedTuple):
    """Parameters of candidate supernovae, [k] each."""

    kind: np.ndarray  # Ia, IIP, II (linear or with narrow lines), Ibc
    absolute: np.ndarray  # AB magnitude at 5500 Angstrom, at maximum
    rise: np.ndarray  # days, rest frame
    fall: np.ndarray  # days, rest frame
    stretch: np.ndarray  # factor of all times (Ia)
    plateau: np.ndarray  # days (IIP)
    warmth: np.ndarray  # factor of the temperatures
    extinction: np.ndarray  # visual magnitudes of dust in the host


def draw_type_ia(
    rng: np.random.Generator, count: int, *, fall: float = 25.0
) -> Explosion:
    """Returns random type Ia supernovae, which differ by stretch and dust.

    Args:
        fall: days, mean time of the decline. The value 25 belongs to version 1.0.0 of
            sdss_sn_sim; real supernovae decline faster, see docs/simulation.md.
    """
    stretch = np.clip(rng.normal(1.0, 0.12, count), 0.65, 1.3)
    # Phillips relation: 1.3 magnitudes brighter per unit of stretch.
    absolute = -19.25 - 1.3 * (stretch - 1) + rng.normal(0, 0.12, count)
    return Explosion(
        kind=np.full(count, "Ia"),
        absolute=absolute,
        rise=np.clip(rng.normal(4.5, 0.4, count), 3, 6),
        fall=np.clip(rng.normal(fall, 0.1 * fall, count), 0.72 * fall, 1.28 * fall),
        stretch=stretch,
        plateau=np.ones(count),
        warmth=np.clip(rng.normal(1, 0.06, count), 0.8, 1.2),
        extinction=rng.exponential(0.2, count),
    )


def draw_core_collapse(rng: np.random.Generator, count: int) -> Explosion:
    """Returns random core-collapse supernovae: 45 % IIP, 30 % Ib/c, 25 % others."""
    kind = rng.choice(["IIP", "II", "Ibc"], count, p=[0.45, 0.25, 0.3])
    bright = {"IIP": (-17.0, 0.8), "II": (-17.9, 0.8), "Ibc": (-17.6, 0.7)}
    rise = {"IIP": (2.5, 0.5), "II": (5.0, 1.5), "Ibc": (4.8, 0.9)}
    fall = {"IIP": (130.0, 30.0), "II": (50.0, 16.0), "Ibc": (23.0, 4.5)}

    def normal(table, low, high):
        mean, width = np.array([table[name] for name in kind]).T
        return np.clip(rng.normal(mean, width), low, high)

    return Explosion(
        kind=kind,
        absolute=normal(bright, -20.2, -14.5),
        rise=normal(rise, 1.5, 9),
        fall=normal(fall, 15, 250),
        stretch=np.ones(count),
        plateau=rng.normal(85, 14, count),
        warmth=np.clip(rng.normal(1, 0.1, count), 0.75, 1.25),
        extinction=rng.exponential(0.45, count),
    )


def temperature(explosion: Explosion, phase: np.ndarray) -> np.ndarray:
    """Returns the temperature of the photosphere, [k t], kelvin.

    Types Ia and Ib/c cool about ten days after maximum, type II from the explosion on.

    Args:
        phase: [k t], rest-frame days since maximum.
    """
    phase = phase / explosion.stretch[:, None]
    age = np.maximum(phase + 12, 0)  # approximate days since explosion
    kind = explosion.kind[:, None]
    # The clip keeps exp finite where the sigmoid is constant.
    turn = {
        name: 1 / (1 + np.exp(np.clip((phase - day) / 6, -60, 60)))
        for name, day in (("Ia", 13), ("Ibc", 9))
    }
    cooling = np.select(
        [kind == "Ia", kind == "Ibc", kind == "IIP"],
        [
            4900 + 6200 * turn["Ia"],
            4700 + 4300 * turn["Ibc"],
            5600 + 9000 * np.exp(-age / 14),
        ],
        6600 + 7500 * np.exp(-age / 30),
    )
    return cooling * explosion.warmth[:, None]


def supernova_luminosity(
    explosion: Explosion, phase: np.ndarray, wavelength: np.ndarray
) -> np.ndarray:
    """Returns f_nu relative to that at 5500 Angstrom and maximum light, [k t].

    A visual light curve with the colours of a cooling black body, and three properties
    of the types: the plateau of IIP, the absorbed ultraviolet of Ia and Ib/c, and the
    second infrared maximum of Ia, 25 days after the first.

    Args:
        phase: [k t], rest-frame days since maximum.
        wavelength: [k t], rest-frame Angstrom.
    """
    kind = explosion.kind[:, None]
    scaled = phase / explosion.stretch[:, None]
    rise, fall = explosion.rise[:, None], explosion.fall[:, None]
    flux = rise_and_fall(scaled, rise, fall)

    end = np.clip((phase - explosion.plateau[:, None]) / 5, -60, 60)
    tail = 0.15 + 0.85 / (1 + np.exp(end))  # a decline by two magnitudes
    flux = np.where(kind == "IIP", flux * tail, flux)

    kelvin = temperature(explosion, phase)
    flux = flux * blackbody(wavelength, kelvin)
    # Metal lines absorb the ultraviolet of type I always, of type II once it is cool.
    cool = 2700 + 1100 / (1 + np.exp(np.clip((kelvin - 8000) / 700, -60, 60)))
    edge = np.select([kind == "Ia", kind == "Ibc"], [3700.0, 3850.0], cool)
    flux = flux / (1 + np.exp(-np.clip((wavelength - edge) / 220, -60, 60)))
    infrared = 1 / (1 + np.exp(-np.clip((wavelength - 6900) / 300, -60, 60)))
    bump = 0.5 * np.exp(-(((scaled - 25) / 8) ** 2)) * infrared
    flux = np.where(kind == "Ia", flux * (1 + bump), flux)
    return flux * reddening(wavelength, explosion.extinction[:, None])


def supernovae(
    rng: np.random.Generator,
    mjd: np.ndarray,
    wavelength: np.ndarray,
    *,
    draw,
    seasons: np.ndarray,
    count: int,
    max_redshift: float,
) -> Candidates:
    """Returns candidate supernovae, with uniform redshifts up to max_redshift.

        f(t) = flux(M + distance modulus - 2.5 log10(1 + z)) * luminosity(phase)
        phase = (t - t_max) / (1 + z)                                time dilation

    The time of maximum is uniform within a season and 15 days before and after it.

    Args:
        mjd: [t], days.
        wavelength: [t], observed, Angstrom.
        draw: draw_type_ia or draw_core_collapse.
        seasons: [s 2], first and last MJD of each season.
        count: number of candidates.
    """
    explosion = draw(rng, count)
    redshift = rng.uniform(0.01, max_redshift, count)
    first, last = seasons[rng.integers(len(seasons), size=count)].T
    maximum = rng.uniform(first - 15, last + 15)
    stretch_of_time = (1 + redshift)[:, None]
    modulus = distance_modulus(redshift) - 2.5 * np.log10(1 + redshift)
    scale = flux_of(explosion.absolute + modulus)[:, None]

    phase = (mjd - maximum[:, None]) / stretch_of_time
    luminosity = supernova_luminosity(explosion, phase, wavelength / stretch_of_time)
    near_maximum = np.broadcast_to([-5.0, 0.0, 5.0, 10.0], (count, 4))
    red = supernova_luminosity(explosion, near_maximum, R_BAND / stretch_of_time)
    brightest = scale * red.max(axis=1, keepdims=True)
    return Candidates(
        flux=scale * luminosity,
        redshift=redshift,
        magnitude=magnitude_of(brightest[:, 0]),
        rest=np.zeros((count, len(mjd))),
        kind=explosion.kind,
    )


def damped_random_walk(
    rng: np.random.Generator, time: np.ndarray, tau: np.ndarray
) -> np.ndarray:
    """Returns a damped random walk of unit variance, [k t].

        x_0 ~ N(0, 1),   x_j = a x_{j-1} + sqrt(1 - a^2) N(0, 1)
        a = exp(-(t_j - t_{j-1}) / tau)

    so that <x_i x_j> = exp(-|t_i - t_j| / tau) for any sampling.

    Args:
        time: [t], days, ascending.
        tau: [k], damping time, days.
    Source: Kelly et al. 2009, ApJ 698, 895.
    """
    keep = np.exp(-np.diff(time, prepend=time[0]) / tau[:, None])
    walk = rng.normal(size=keep.shape)
    kick = np.sqrt(1 - keep**2)
    for j in range(1, len(time)):
        walk[:, j] = keep[:, j] * walk[:, j - 1] + kick[:, j] * walk[:, j]
    return walk


def active_nuclei(
    rng: np.random.Generator, mjd: np.ndarray, wavelength: np.ndarray, *, count: int
) -> Candidates:
    """Returns candidate active nuclei, whose magnitudes follow a damped random walk.

    All bands have the same walk x(t), with a larger amplitude at short wavelengths:
        dm(wavelength) = spread * (wavelength_rest / 4000)^-0.48 * x(t)

    Source: MacLeod et al. 2010, ApJ 721, 1014 (wavelength dependence).
    Differs: damping time and spread are drawn independently of luminosity.
    """
    redshift = np.clip(0.6 * np.exp(0.65 * rng.normal(size=count)), 0.05, 3.5)
    dilation = (1 + redshift)[:, None]
    tau = 250 * np.exp(0.6 * rng.normal(size=count)) * dilation[:, 0]
    spread = 0.2 * np.exp(0.45 * rng.normal(size=count))
    magnitude = np.clip(rng.normal(20.4, 0.9, count), 17.3, 22.8)

    slope = rng.normal(-0.45, 0.25, count)[:, None]  # f_nu ~ nu^slope
    colour = (R_BAND / wavelength) ** slope
    dust = reddening(wavelength, rng.exponential(0.06, count)[:, None])
    steady = flux_of(magnitude)[:, None] * colour * dust
    walk = damped_random_walk(rng, mjd, tau)
    change = spread[:, None] * (wavelength / dilation / 4000) ** -0.48 * walk
    return Candidates(
        flux=steady * flux_ratio(change),
        redshift=redshift,
        magnitude=magnitude,
        rest=steady,
        kind=np.full(count, "AGN"),
    )


class StarKind(NamedTuple):
    """Parameters of one kind of variable star; values are uniform in their ranges."""

    share: float  # of all variable stars
    period: tuple[float, float]  # days, uniform in the logarithm
    amplitude: tuple[float, float]  # magnitudes at 4700 Angstrom, peak to peak
    temperature: tuple[float, float]  # kelvin
    redness: float  # amplitude ~ wavelength^-redness


STARS = {
    "RRab": StarKind(0.28, (0.45, 0.8), (0.5, 1.2), (6000, 7200), 0.9),
    "RRc": StarKind(0.10, (0.25, 0.42), (0.3, 0.6), (6600, 7500), 0.9),
    "DeltaScuti": StarKind(0.12, (0.05, 0.2), (0.15, 0.7), (7000, 8500), 0.8),
    "Eclipsing": StarKind(0.30, (0.22, 4.0), (0.15, 0.9), (3600, 8000), 0.0),
    "LongPeriod": StarKind(0.08, (70.0, 500.0), (0.4, 2.5), (2900, 3500), 0.8),
    "Cepheid": StarKind(0.04, (1.0, 30.0), (0.4, 1.1), (5200, 6300), 0.7),
    "Spotted": StarKind(0.08, (0.4, 25.0), (0.1, 0.4), (3200, 5200), 0.4),
}


def star_shape(kind: str, phase: np.ndarray, form: np.ndarray) -> np.ndarray:
    """Returns the dimming over a cycle, from 0 at maximum to 1 at minimum light.

    Args:
        kind: a key of STARS.
        phase: cycles since maximum light.
        form: [k 1], from 0 to 1, a shape parameter within a kind.
    """
    phase = phase % 1
    if kind in ("RRab", "Cepheid"):  # slow decline, fast rise
        fall = 0.75 + 0.15 * form
        rising = (phase - fall) / (1 - fall)
        sinking = np.sin(0.5 * np.pi * np.clip(phase / fall, 0, 1))
        return np.where(phase < fall, sinking, 1 - np.clip(rising, 0, 1))
    if kind == "Eclipsing":  # primary, and a secondary of depth `form`
        width = 0.03 + 0.07 * (1 - form)

        def dip(centre):
            distance = np.abs((phase - centre + 0.5) % 1 - 0.5)
            return np.exp(-0.5 * (distance / width) ** 2)

        return np.clip(dip(0.3) + (0.3 + 0.7 * form) * dip(0.8), 0, 1)
    if kind == "DeltaScuti":
        second = 0.25 * form * np.sin(4 * np.pi * phase)
        return np.clip(0.5 - 0.5 * np.cos(2 * np.pi * phase) + second, 0, 1)
    return 0.5 - 0.5 * np.cos(2 * np.pi * phase)


def variable_stars(
    rng: np.random.Generator, mjd: np.ndarray, wavelength: np.ndarray, *, count: int
) -> Candidates:
    """Returns candidate variable stars of the kinds in STARS."""
    names = list(STARS)
    kind = rng.choice(names, count, p=[STARS[name].share for name in names])
    table = [STARS[name] for name in kind]
    low, high = np.log([star.period for star in table]).T
    period = np.exp(rng.uniform(low, high))[:, None]
    amplitude = rng.uniform(*np.array([star.amplitude for star in table]).T)[:, None]
    kelvin = rng.uniform(*np.array([star.temperature for star in table]).T)[:, None]
    redness = np.array([star.redness for star in table])[:, None]
    magnitude = rng.uniform(16.0, 22.3, count)
    form, start = rng.random((2, count, 1))

    dimming = np.zeros((count, len(mjd)))
    for name in np.unique(kind):
        row = np.flatnonzero(kind == name)
        cycle = start[row] + (mjd - mjd[0]) / period[row]
        dimming[row] = star_shape(name, cycle, form[row])
    dimming = amplitude * (wavelength / 4700) ** -redness * (dimming - 0.5)
    dust = reddening(wavelength, rng.exponential(0.1, count)[:, None])
    colour = blackbody(wavelength, kelvin) / blackbody(R_BAND, kelvin) * dust
    steady = flux_of(magnitude)[:, None] * colour
    return Candidates(
        flux=steady * flux_ratio(dimming),
        redshift=np.full(count, np.nan),
        magnitude=magnitude,
        rest=steady,
        kind=kind,
    )
