"""Matched apertures on the host, and the features that are computed from them."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxastro.baselines.features import feature_names, features_of
from jaxastro.data.record import select_epochs
from jaxastro.errors import InputError
from jaxastro.layers.point_flux import point_fluxes
from jaxastro.photometry.matched import matched_photometry
from jaxastro.photometry.psf import psf_profile
from jaxastro.simulation.survey import PRESETS, SURVEY, simulate_object

APERTURES = (3.5, 5.0)


def measure(flux, fwhm, **more):
    settings = {"noise": 1.0, "apertures": APERTURES} | more
    bad = settings.pop("bad_pixel", np.zeros(flux.shape, bool))
    return matched_photometry(flux, bad, psf_fwhm=fwhm, **settings)


def stars(fwhm, brightness=1.0, size=33):
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    profiles = [psf_profile(x**2 + y**2, width)[0] for width in fwhm]
    return brightness * np.stack(profiles)


def test_a_star_has_its_flux_in_every_seeing_and_with_bad_pixels():
    fwhm = np.array([2.5, 4.0, 6.0])
    bad = np.zeros((3, 33, 33), bool)
    bad[:, 16, 17] = True
    for mask in (bad, ~bad & False):
        flux, _ = measure(stars(fwhm, 7.0), fwhm, bad_pixel=mask)
        np.testing.assert_allclose(flux, 7)


def test_errors_are_the_scatter_of_the_fluxes():
    generator = np.random.default_rng(0)
    fwhm, noise, photon = np.full(4000, 3.5), 0.3, 0.05
    frames = stars(fwhm[:1], 60.0)
    spread = np.sqrt(noise**2 + photon * frames)
    flux, error = measure(
        frames + spread * generator.normal(size=(4000, 33, 33)),
        fwhm,
        noise=noise,
        photon=photon,
    )
    np.testing.assert_allclose(flux.std(axis=0), error.mean(axis=0), rtol=0.05)
    np.testing.assert_allclose(flux.mean(axis=0), 60, rtol=0.01)


@settings(deadline=None, max_examples=10)
@given(fwhm=st.floats(2.0, 7.0), noise=st.floats(0.1, 9.0), seed=st.integers(0, 99))
def test_the_network_measures_the_same_fluxes(fwhm, noise, seed):
    image = np.random.default_rng(seed).normal(size=(2, 20, 20))
    width = np.full(2, fwhm)
    here = measure(image, width, noise=noise)
    columns = (image[None], width[None], np.full((1, 2), noise))
    there = point_fluxes(*(jnp.array(a, jnp.float32) for a in columns), APERTURES)
    for one, other in zip(here, there, strict=True):
        np.testing.assert_allclose(one, other[0], rtol=1e-3, atol=1e-3)


def test_an_unknown_psf_gives_nan_and_wrong_arguments_a_sentence():
    flux, error = measure(stars([3.0, 3.0]), np.array([np.nan, 0.0]))
    assert np.isnan(flux).all()
    assert np.isnan(error).all()
    with pytest.raises(InputError, match="A width is above 0"):
        measure(stars([3.0]), 3.0, apertures=(-1.0,))
    with pytest.raises(InputError, match="Give one flag per pixel"):
        measure(stars([3.0]), 3.0, bad_pixel=np.zeros((1, 2, 2), bool))


# -- features --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def records():
    return [
        simulate_object(n, seed=0, preset=PRESETS["laptop"], category="SNIa")
        for n in range(4)
    ]


def named(record):
    values = features_of(record, SURVEY, ("matched",))
    return dict(zip(feature_names(SURVEY, ("matched",)), values, strict=True))


def test_features_describe_an_outburst(records):
    for record in records:
        found = named(record)
        assert found["peak_ratio"] > 5
        assert found["season_ratio"] > 2
        assert found["days_to_peak"] >= 0
        assert found["r_largest_ratio"] > found["r_rest_largest_ratio"]


def test_features_do_not_depend_on_the_date_or_on_names(records):
    record = records[0]
    later = record._replace(
        mjd=record.mjd + 4000.0, object_id="other", label="AGN", ra=0.0, group="x"
    )
    for name, value in named(record).items():
        assert named(later)[name] == pytest.approx(value, nan_ok=True), name


@settings(deadline=None, max_examples=15)
@given(which=st.lists(st.integers(0, 50), max_size=6, unique=True))
def test_any_epochs_have_features(records, which):
    record = records[1]
    rows = sorted(i for i in which if i < len(record.mjd))
    values = features_of(select_epochs(record, rows), SURVEY, ("matched",))
    assert values.shape == (len(feature_names(SURVEY, ("matched",))),)
    assert not np.isinf(values).any()
    assert np.isnan(values).all() or rows


def test_a_bad_frame_costs_its_epoch_alone(records):
    record = records[2]
    damaged = record._replace(bad_pixel=record.bad_pixel.copy())
    damaged.bad_pixel[3] = True
    without = select_epochs(record, np.arange(len(record.mjd)) != 3)
    np.testing.assert_allclose(
        features_of(damaged, SURVEY, ("matched",)),
        features_of(without, SURVEY, ("matched",)),
    )
