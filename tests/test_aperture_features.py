"""Features of aperture light curves and of the noise of image series."""

import numpy as np
import pytest

from jaxastro.baselines.aperture_features import (
    aperture_feature_names,
    aperture_features,
    noise_feature_names,
    noise_features,
)
from jaxastro.data.series import make_series_record
from jaxastro.surveys import SURVEYS

HITS, SDSS = SURVEYS["hits"], SURVEYS["sdss_sn_sim"]


def star(flux, mjd, *, survey=HITS, band=0, sky=120.0, seed=0, noise=4.0):
    size = survey.image_size
    at = np.arange(size) - (size - 1) / 2
    profile = np.exp(-(at[:, None] ** 2 + at**2) / 4.5)
    image = np.asarray(flux)[:, None, None] * profile / profile.sum() + sky
    image = image + np.random.default_rng(seed).normal(0, noise, image.shape)
    record, _ = make_series_record("star", survey, flux=image, mjd=mjd, band=band)
    return record


def named(record, survey=HITS):
    names = aperture_feature_names(survey)
    return dict(zip(names, aperture_features(record, survey), strict=True))


def test_features_measure_amplitude_period_and_trend():
    mjd = 57000 + np.sort(np.random.default_rng(1).uniform(0, 6, 30))
    wave = 1e5 * (1 + 0.3 * np.sin(2 * np.pi * 1.7 * mjd))
    found = named(star(wave, mjd))
    assert found["g_frequency_1"] == pytest.approx(1.7, abs=0.03)
    assert found["g_power_1"] > 0.99
    assert found["g_amplitude"] == pytest.approx(0.6, rel=0.1)
    rising = named(star(1e4 * (1 + mjd - mjd[0]), mjd))
    assert rising["g_trend"] > 0.99
    assert rising["g_time_of_highest"] == 1
    assert rising["g_rising_share"] > 0.99


def test_shape_features_do_not_depend_on_sky_and_scale():
    mjd = 57000 + np.arange(12) / 5
    flux = 1e5 * (2 + np.cos(np.arange(12)))
    plain = star(flux, mjd, noise=0.0)
    scaled = plain._replace(flux=3 * plain.flux + 700)
    absolute = {"g_brightness", "g_noise", "g_absolute_amplitude"}
    one, other = named(plain), named(scaled)
    for name in one.keys() - absolute:
        assert one[name] == pytest.approx(other[name], rel=1e-2, abs=1e-3), name


def test_every_band_has_features_and_a_rare_band_has_nan():
    mjd = 57000 + np.arange(20) / 3
    band = np.array([1, 2] * 9 + [3, 3])
    record = star(np.linspace(5e4, 9e4, 20), mjd, survey=SDSS, band=band)
    found = named(record, SDSS)
    assert len(found) == 200
    assert np.isfinite([found["g_trend"], found["r_trend"]]).all()
    assert np.isnan([found["u_trend"], found["i_trend"]]).all()


def test_a_constant_light_curve_has_finite_features():
    mjd = 57000 + np.arange(8.0)  # one epoch a night: no steps inside a night
    values = aperture_features(star(np.full(8, 0.0), mjd, noise=0.0), HITS)
    unknown = np.array(aperture_feature_names(HITS))[np.isnan(values)]
    assert set(unknown.tolist()) == {
        "g_neumann_in_night",
        "g_typical_slope",
        "g_steepest_rise",
        "g_steepest_fall",
        "g_rising_steps",
        "g_rising_share",
        "g_in_night_scatter",
    }


def test_noise_features_do_not_depend_on_the_centre():
    mjd = 57000 + np.arange(10.0)
    record = star(np.full(10, 1e4), mjd)
    flux = record.flux.copy()
    flux[:, 5:16, 5:16] = 1e7 * np.random.default_rng(0).normal(size=(10, 11, 11))
    changed = noise_features(record._replace(flux=flux))
    np.testing.assert_array_equal(noise_features(record), changed)
    assert len(noise_feature_names()) == len(changed)


def test_noise_features_distinguish_smoothed_and_white_noise():
    mjd = 57000 + np.arange(20.0)
    white = star(np.zeros(20), mjd)
    image = white.flux - 120
    smooth = image + np.roll(image, 1, axis=2)
    place = noise_feature_names().index("correlation_x")
    assert noise_features(white)[place] == pytest.approx(0, abs=0.1)
    smoothed = noise_features(white._replace(flux=smooth))
    # Averaging two neighbours correlates the next pixel by one half.
    assert smoothed[place] == pytest.approx(0.5, abs=0.1)


def test_noise_features_are_finite_if_every_corner_has_a_bad_pixel():
    record = star(np.zeros(4), np.arange(4.0))
    bad = record.bad_pixel.copy()
    bad[:, 0, 0] = True
    assert np.isfinite(noise_features(record._replace(bad_pixel=bad))).all()
