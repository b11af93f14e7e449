"""Period search: known periods, and light curves without one."""

import numpy as np
import pytest
from astropy.timeseries import LombScargle

from jaxastro.photometry.harmonics import harmonic_power, magnitudes
from jaxastro.photometry.period import (
    Period,
    Shape,
    find_period,
    log_false_alarm,
    shape_at,
)


def nights(count=300, days=2700, seed=0):
    """Returns times of one epoch per night."""
    generator = np.random.default_rng(seed)
    night = np.sort(generator.choice(days, count, replace=False))
    return 52000 + night + generator.uniform(-0.15, 0.15, count)


def curve_of(mjd, period, *, r21=0.4, phi21=4.0, noise=0.05, seed=1):
    """m = 10 + 0.5 (cos(2 pi phase) + r21 cos(4 pi phase + phi21)), and noise."""
    angle = 2 * np.pi * (mjd - 51234.5) / period
    magnitude = 10 + 0.5 * (np.cos(angle) + r21 * np.cos(2 * angle + phi21))
    magnitude += np.random.default_rng(seed).normal(0, noise, len(mjd))
    flux = 10 ** (-0.4 * magnitude)
    return mjd, flux, 0.02 * flux


@pytest.mark.parametrize("period", [0.0712, 0.57013, 3.728, 41.0, 331.0])
def test_a_period_is_found_and_so_is_the_shape(period):
    curve = curve_of(nights(), period)
    found = find_period(*curve)
    assert found.days == pytest.approx(period, rel=0.05 * period / 2700)
    assert 0.5 < found.power < 1
    assert found.log_fap < -30
    shape = shape_at(*curve, found.days)
    assert shape.r21 == pytest.approx(0.4, abs=0.05)
    assert shape.phi21 == pytest.approx(4.0, abs=0.15)
    assert shape.amplitude == pytest.approx(1.1, abs=0.15)


def test_order_unit_and_date_do_not_matter():
    mjd, flux, error = curve_of(nights(), 0.57013)
    found = find_period(mjd, flux, error)
    order = np.random.default_rng(2).permutation(len(mjd))
    for other in (
        find_period(mjd[order], flux[order], error[order]),
        find_period(mjd, 1e9 * flux, 1e9 * error),
        find_period(mjd + 1234.5, flux, error),
    ):
        np.testing.assert_allclose(other, found, rtol=1e-5)


def test_noise_has_no_significant_period():
    mjd = nights()
    flux = 100 + np.random.default_rng(3).normal(0, 5, len(mjd))
    assert find_period(mjd, flux, np.full(len(mjd), 5.0)).log_fap > -3


def test_the_false_alarm_probability_equals_astropy_and_is_finite_if_tiny():
    mjd, flux, error = curve_of(nights(80), 2.5, noise=2.0)
    astropys = LombScargle(mjd, *magnitudes(flux, error))
    for power in (0.0, 0.05, 0.2, 0.3, 0.5, 0.9):
        expected = astropys.false_alarm_probability(power, maximum_frequency=20)
        ours = log_false_alarm(power, mjd, highest=20)
        assert 10**ours == pytest.approx(float(expected), rel=1e-4)
    assert -16 * 80 < log_false_alarm(1.0, mjd, highest=20) < -500


def test_light_curves_without_a_period_give_nan():
    mjd, flux, error = curve_of(nights(), 0.57)
    for curve in (
        (mjd[:9], flux[:9], error[:9]),
        (mjd[:0], flux[:0], error[:0]),
        (np.full(300, 52000.0), flux, error),
        (mjd, np.ones(300), error),
        (mjd, -flux, error),
        (mjd, np.where(np.arange(300) < 9, flux, 0), error),
    ):
        np.testing.assert_array_equal(find_period(*curve), Period())
        np.testing.assert_array_equal(shape_at(*curve, 1.0), Shape())
    for days in (np.nan, 0.0, -1.0):
        np.testing.assert_array_equal(shape_at(mjd, flux, error, days), Shape())


def test_few_points_equal_times_and_extreme_fluxes_give_finite_results():
    generator = np.random.default_rng(4)
    for mjd in (
        np.repeat(nights(5), 2),
        52000 + np.arange(10.0),
        np.repeat([52000.0, 52001.0], 5),
        52000 + generator.uniform(0, 1e-3, 12),
    ):
        flux = 10 ** generator.uniform(-20, 20, len(mjd))
        found = find_period(mjd, flux, 0.1 * flux)
        assert np.isfinite([*found, *shape_at(mjd, flux, 0.1 * flux, found.days)]).all()
        assert 0.05 <= found.days <= 1000
        assert 0 <= found.power <= 1
        assert found.log_fap <= 0


def test_harmonic_power_equals_least_squares():
    generator = np.random.default_rng(5)
    t, sigma = generator.uniform(0, 5, 15), generator.uniform(0.5, 2, 15)
    flux = generator.normal(size=15)
    power, fit = harmonic_power(flux, sigma, t, np.array([0.9]), num_harmonics=2)
    angle = 2 * np.pi * 0.9 * (t - t.mean())
    columns = [np.ones(15)]
    columns += [f(k * angle) for k in (1, 2) for f in (np.cos, np.sin)]
    centred = flux - np.average(flux, weights=sigma**-2)
    design = np.stack(columns, axis=1) / sigma[:, None]
    expected, left, *_ = np.linalg.lstsq(design, centred / sigma)
    np.testing.assert_allclose(fit[0], expected, rtol=1e-5, atol=1e-6)
    total = ((centred / sigma) ** 2).sum()
    assert power[0] == pytest.approx(1 - left[0] / total, rel=1e-6)
