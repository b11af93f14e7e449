"""Conversions between magnitudes and fluxes, and between calendars."""

import datetime

import numpy as np
import pytest

from jaxastro import units


def test_magnitudes_of_one_unit_are_the_zero_points():
    assert units.flux_of(23.9) == 1.0
    assert units.flux_of(21.4) == pytest.approx(10.0)
    assert units.flux_of(25.0, zero_point=27.5) == pytest.approx(10.0)
    assert units.microjansky_per_adu(26.4) == pytest.approx(0.1)


def test_nanomaggies_have_the_same_flux_by_both_constants():
    assert units.flux_of(units.NANOMAGGY_ZERO_POINT) == pytest.approx(
        units.NANOMAGGY, rel=1e-4
    )
    # One nanojansky has the AB magnitude 31.4.
    assert units.flux_of(31.4) == pytest.approx(units.NANOJANSKY)


def test_conversion_to_magnitudes_and_back_is_exact():
    flux = np.array([1e-3, 0.7, 1.0, 4e5])
    np.testing.assert_allclose(
        units.flux_of(units.magnitude_of(flux)), flux, rtol=1e-13
    )
    magnitude = units.magnitude_of(flux, zero_point=30.0)
    np.testing.assert_allclose(units.flux_of(magnitude, 30.0), flux, rtol=1e-13)


def test_errors_are_derivatives():
    magnitude, step = 21.3, 1e-6
    flux = units.flux_of(magnitude)
    change = abs(units.flux_of(magnitude + step) - flux)
    assert units.flux_error_of(flux, step) == pytest.approx(change, rel=1e-5)
    assert units.magnitude_error_of(flux, change) == pytest.approx(step, rel=1e-5)


def test_a_difference_of_five_magnitudes_is_a_factor_of_a_hundred():
    assert units.flux_ratio(5.0) == pytest.approx(0.01)
    assert units.flux_ratio(-5.0) == pytest.approx(100.0)


def test_types_of_arrays_are_kept():
    flux = np.ones(3, np.float32)
    assert units.magnitude_of(flux, 0.0).dtype == np.float32
    assert units.flux_of(flux).dtype == np.float32
    assert units.flux_error_of(flux, flux).dtype == np.float32


def test_epochs_of_the_calendars_agree():
    unix_zero = datetime.date(1970, 1, 1)
    assert (unix_zero - units.MJD_ZERO_DATE).days == units.MJD_OF_UNIX_TIME_ZERO
    # The Julian date of J2000.0 is 2451545.0, at noon of 1 January 2000.
    days = (datetime.date(2000, 1, 1) - units.MJD_ZERO_DATE).days + 0.5
    assert days + units.MJD_ZERO == 2451545.0
