"""Light curves of simulated supernovae, active nuclei and stars."""

import numpy as np
import pytest

from jaxastro.simulation import light_curve
from jaxastro.units import flux_of


def explosion_of(kind):
    """Returns the first random supernova of a kind, without dust."""
    rng = np.random.default_rng(0)
    draw = light_curve.draw_type_ia if kind == "Ia" else light_curve.draw_core_collapse
    drawn = draw(rng, 50)
    first = np.flatnonzero(drawn.kind == kind)[:1]
    drawn = light_curve.Explosion(*(column[first] for column in drawn))
    return drawn._replace(extinction=np.zeros(1))


def test_distance_modulus_agrees_with_astropy():
    cosmology = pytest.importorskip("astropy.cosmology")
    universe = cosmology.FlatLambdaCDM(H0=70, Om0=0.3, Tcmb0=0)
    z = np.array([0.01, 0.1, 0.3, 1.0, 3.0])
    np.testing.assert_allclose(
        light_curve.distance_modulus(z), universe.distmod(z).value, atol=1e-4
    )


def test_distance_has_the_known_limits():
    # Hubble's law with its first correction, q0 = 1.5 MATTER - 1; and by trapezium.
    z = 0.01
    hubble = light_curve.LIGHT_SPEED / light_curve.HUBBLE * z * (1 + 0.775 * z)
    np.testing.assert_allclose(light_curve.luminosity_distance(z), hubble, rtol=1e-4)
    steps = np.linspace(0, 1, 20001)
    integral = np.trapezoid(1 / np.sqrt(0.3 * (1 + steps) ** 3 + 0.7), steps)
    expected = 2 * light_curve.LIGHT_SPEED / 70 * integral
    np.testing.assert_allclose(
        light_curve.luminosity_distance(np.array([1.0])), [expected], rtol=1e-6
    )


def test_a_damped_random_walk_has_unit_variance_and_the_right_correlation():
    rng = np.random.default_rng(0)
    time = np.array([0.0, 10.0, 12.5, 300.0, 330.0])
    tau = np.full(40000, 100.0)
    walk = light_curve.damped_random_walk(rng, time, tau)
    expected = np.exp(-abs(time[:, None] - time) / 100.0)
    np.testing.assert_allclose(walk.T @ walk / len(walk), expected, atol=0.03)


@pytest.mark.parametrize("kind", ["Ia", "IIP", "II", "Ibc"])
def test_supernovae_have_one_maximum_and_no_light_before(kind):
    phase = np.arange(-100.0, 300.0)[None]
    wave = np.full_like(phase, light_curve.REFERENCE)
    flux = light_curve.supernova_luminosity(explosion_of(kind), phase, wave)[0]
    assert flux[phase[0] < -80].max() < 1e-3 * flux.max()
    assert -12 < phase[0, flux.argmax()] < 12
    assert flux[-1] < 0.15 * flux.max()


def test_type_ia_have_a_second_infrared_maximum_and_redden():
    phase = np.linspace(-10, 60, 141)[None]
    ia = explosion_of("Ia")
    infrared = light_curve.supernova_luminosity(ia, phase, np.full_like(phase, 7800))[0]
    visual = light_curve.supernova_luminosity(ia, phase, np.full_like(phase, 5500))[0]
    blue = light_curve.supernova_luminosity(ia, phase, np.full_like(phase, 4400))[0]
    late = phase[0] > 12
    turns = np.diff(np.sign(np.diff(infrared[late] / visual[late])))
    assert (turns < 0).any()  # a second maximum
    at = np.searchsorted(phase[0], [0, 25])
    assert blue[at[1]] / visual[at[1]] < 0.6 * blue[at[0]] / visual[at[0]]


def test_plateaus_are_long_for_iip_only():
    phase, wave = np.array([[40.0]]), np.array([[5500.0]])
    assert light_curve.supernova_luminosity(explosion_of("IIP"), phase, wave) > 0.5
    assert light_curve.supernova_luminosity(explosion_of("Ia"), phase, wave) < 0.35


def test_distant_supernovae_are_slower_by_one_plus_z_and_as_faint_as_they_should():
    standard, mjd = explosion_of("Ia"), np.arange(-100.0, 220.0, 0.25)

    def seen_at(wavelength):
        return light_curve.supernovae(
            np.random.default_rng(0),
            mjd,
            np.full_like(mjd, wavelength),
            draw=lambda rng, count: standard,
            seasons=np.array([[0.0, 90.0]]),
            count=1,
            max_redshift=0.45,
        )

    # The same supernova, observed at its rest-frame 5500 Angstrom.
    z = seen_at(5500.0).redshift[0]
    flux = seen_at(5500.0 * (1 + z)).flux[0]
    wave = np.full((1, len(mjd)), 5500.0)
    rest = light_curve.supernova_luminosity(standard, mjd[None], wave)[0]
    assert z > 0.1

    def width(light):
        return 0.25 * (light > 0.5 * light.max()).sum()

    np.testing.assert_allclose(width(flux), (1 + z) * width(rest), atol=0.6)
    modulus = light_curve.distance_modulus(z) - 2.5 * np.log10(1 + z)
    peak = flux_of(standard.absolute[0] + modulus) * rest.max()
    np.testing.assert_allclose(flux.max(), peak, rtol=1e-3)


@pytest.mark.parametrize("kind", list(light_curve.STARS))
def test_star_light_curves_are_periodic_and_use_their_whole_amplitude(kind):
    phase = np.linspace(0, 1, 1001)[None]
    form = np.array([[0.3]])
    dimming = light_curve.star_shape(kind, phase, form)
    assert dimming.min() < 0.03
    assert 0.97 < dimming.max() <= 1.0
    again = light_curve.star_shape(kind, phase + 7, form)
    np.testing.assert_allclose(dimming, again, atol=1e-6)
