"""Heat maps against independent Gaussian processes, bad light curves, and SCONE."""

import jax
import numpy as np
import pytest
import tinygp
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

from jaxastro.data.light_curve import LightCurveRecord, make_light_curve_record
from jaxastro.models.scone import Scone
from jaxastro.photometry import heat_map
from jaxastro.photometry.heat_map import (
    ANGSTROM,
    DAYS,
    START,
    Points,
    draw_heat_maps,
    points_of,
)
from jaxastro.representations import cutout
from jaxastro.surveys import SURVEYS, derived_of
from jaxastro.types import Image

SURVEY = derived_of("light_curves", "sdss_sn_sim", SURVEYS["sdss_sn_sim"])
GRID = np.stack(np.meshgrid(DAYS, ANGSTROM), -1).reshape(-1, 2)


def points(count=12, seed=0):
    """Returns points of a noisy peak in some bands."""
    rng = np.random.default_rng(seed)
    days = rng.uniform(-60, 120, count)
    place = np.stack([days, rng.choice(SURVEY.wavelength, count)], -1)
    flux = np.exp(-((days / 30) ** 2)) + rng.normal(0, 0.05, count)
    return Points(place, flux, np.full(count, 0.05), 2.0)


def regressor(p, theta=START, **how):
    amplitude, *lengths = np.exp(theta)
    kernel = ConstantKernel(amplitude**2, (1e-4, 100))
    kernel *= Matern(lengths, [(1, 1000), (600, 60000)], nu=1.5)
    found = GaussianProcessRegressor(kernel, alpha=p.error**2, **how)
    return found.fit(p.place, p.flux)


def curve_of(mjd, flux, band, error=1.0, name="star"):
    """Returns a record without checks."""
    words = (name, 1.0, 2.0, "Unknown", "none", "", np.nan, name)
    columns = (np.broadcast_to(np.asarray(c, float), len(mjd)) for c in (flux, error))
    return LightCurveRecord(
        *words, *columns, np.array(mjd), np.array(band), np.zeros(0)
    )


def seasons(seed=0):
    """Returns three seasons of noise in all bands, with a peak in the second."""
    rng = np.random.default_rng(seed)
    mjd = np.repeat(53600.0 + np.array([0, 20, 40, 365, 385, 405, 730, 760]), 5)
    band = np.tile(np.arange(5), 8)
    flux = 40 * np.exp(-(((mjd - 53985) / 25) ** 2)) + rng.normal(0, 1, len(mjd))
    return curve_of(mjd, flux, band)


# -- the Gaussian process --------------------------------------------------------------


def test_a_heat_map_equals_independent_gaussian_processes():
    p = points()
    seen = np.ones(12, bool)
    with jax.enable_x64(True):
        theta = jax.numpy.asarray(START)
        padded = (*(np.pad(a, [(0, 4), (0, 0)][: a.ndim]) for a in p[:3]),)
        drawn = heat_map.draw(theta, *padded, np.pad(seen, (0, 4)))
        amplitude, *lengths = np.exp(START)
        matern = tinygp.kernels.Matern32(distance=tinygp.kernels.distance.L2Distance())
        kernel = tinygp.transforms.Linear(1 / np.array(lengths), matern)
        process = tinygp.GaussianProcess(
            amplitude**2 * kernel, p.place, diag=p.error**2
        )
        other = process.condition(p.flux, GRID[::50]).gp
    drawn = np.array(drawn).reshape(-1, 2)
    mean, deviation = regressor(p, optimizer=None).predict(GRID, return_std=True)
    np.testing.assert_allclose(drawn, np.stack([mean, deviation], -1), atol=1e-6)
    np.testing.assert_allclose(drawn[::50, 0], other.loc, atol=1e-6)
    np.testing.assert_allclose(drawn[::50, 1] ** 2, other.variance, atol=1e-6)


@pytest.mark.filterwarnings("ignore:The optimal value")  # at a bound, as in heat_map.py
def test_a_fit_is_as_likely_as_the_best_of_another_optimiser():
    with jax.enable_x64(True):
        fit = jax.jit(heat_map.fit)
        for seed in range(6):
            p = points(16, seed)
            amplitude, *lengths = fit(*p[:3], np.ones(16, bool))
            found = regressor(p)
            here = found.log_marginal_likelihood([2 * amplitude, *lengths])
            assert here > found.log_marginal_likelihood_value_ - 0.05


def test_padding_and_the_order_of_points_do_not_matter():
    p = points()
    order = np.random.default_rng(1).permutation(12)
    turned = p._replace(**{n: getattr(p, n)[order] for n in p._fields[:3]})
    one, two = heat_map._fitted_images([p, turned], 16)
    (wide,) = heat_map._fitted_images([p], 32)
    np.testing.assert_allclose(one, two, atol=1e-5)
    np.testing.assert_allclose(one, wide, atol=1e-5)


def test_the_mean_interpolates_precise_points_and_returns_to_the_prior():
    at = np.array([[5, 3], [20, 9], [22, 30]])  # days and rows of the grid
    place = np.stack([DAYS[at[:, 0]], ANGSTROM[at[:, 1]]], -1)
    flux, error = np.array([1.0, 0.3, -0.5]), np.full(3, 1e-3)
    with jax.enable_x64(True):
        theta = jax.numpy.asarray(START)
        # padded to a power of two
        padded = (
            *(np.pad(a, [(0, 1), (0, 0)][: a.ndim]) for a in (place, flux, error)),
        )
        drawn = np.array(heat_map.draw(theta, *padded, np.arange(4) < 3))
    np.testing.assert_allclose(drawn[at[:, 1], at[:, 0], 0], flux, atol=1e-3)
    np.testing.assert_allclose(drawn[at[:, 1], at[:, 0], 1], error, rtol=1e-2)
    np.testing.assert_allclose(drawn[:, -1], [[0.0, 0.5]] * 32, atol=2e-3)


# -- fitted points ---------------------------------------------------------------------


def test_constant_light_does_not_matter_and_the_brightest_epoch_is_day_0():
    curve = seasons()
    host = np.array([5.0, 80, 300, 400, 1000])[curve.band]
    found = points_of(curve, SURVEY)
    other = points_of(curve._replace(flux=curve.flux + host), SURVEY)
    np.testing.assert_allclose(found.flux, other.flux, atol=1e-9)
    assert (found.place == other.place).all()
    assert set(found.place[:, 0]) == {-20, 0, 20}  # of the second season only
    at_peak = found.flux[found.place[:, 0] == 0] * found.scale
    assert ((at_peak > 35) & (at_peak < 45)).all()


def test_bad_light_curves_give_an_error_or_a_finite_image():
    flux = np.array([1.0, 9.0, 3.0, 2.0])
    whole = curve_of([0, 1, 2, 3], flux, [0, 1, 2, 3])
    bad = curve_of(
        [0, 1, 2, 3, np.nan, 4, 5],
        [*flux, 5, np.inf, 5],
        [0, 1, 2, 3, 0, 0, 0],
        [1, 1, 1, 1, 1, 1, 0.0],
    )
    curves = [
        whole,
        bad,
        curve_of([], [], []),
        curve_of([5], [1], [0], name="lone"),
        curve_of([0, 10, 20, 30], flux, [2] * 4),  # one band
        curve_of([7] * 4, flux, [0, 0, 1, 1]),  # one time
        curve_of([0, 1, 2, 3], [3.0] * 4, [0] * 4),  # constant
        curve_of([0, 1, 2, 3], [0, 1e38, 3e38, 1], [0] * 4, name="wild"),
    ]
    images, errors = zip(*draw_heat_maps(curves, SURVEY), strict=True)
    np.testing.assert_array_equal(images[0], images[1])
    assert "Object lone: 1 epochs with a flux and an error. A heat" in errors[3]
    assert "0 epochs with a flux" in errors[2]
    for image, error in zip(images, errors, strict=True):
        assert (image is None) == bool(error)
    for i in (0, 4, 5, 6):
        assert images[i].shape == SURVEYS["heat_maps"].shape
        assert np.isfinite(images[i]).all()
        assert (images[i][..., 1] > 0).all()
    assert errors[7] or np.isfinite(images[7]).all()


def test_a_band_without_a_wavelength_is_an_error():
    unknown = SURVEY._replace(wavelength=(*SURVEY.wavelength[:4], np.nan))
    with pytest.raises(ValueError, match="the wavelength of z is unknown"):
        draw_heat_maps([seasons()], unknown)


def test_heat_maps_are_in_the_order_of_their_light_curves():
    rng = np.random.default_rng(2)
    curves = [
        make_light_curve_record(
            f"star{n}",
            SURVEY,
            flux=rng.normal(size=n),
            flux_error=np.ones(n),
            mjd=np.linspace(0, 90, n),
            band=rng.integers(0, 5, n),
        )[0]
        for n in (17, 4, 20, 3)
    ]
    together = draw_heat_maps(curves, SURVEY)
    for curve, heat_map_of_many in zip(curves, together, strict=True):
        (single,) = draw_heat_maps([curve], SURVEY)
        np.testing.assert_allclose(single.image, heat_map_of_many.image, atol=1e-5)


# -- representation and network --------------------------------------------------------


def test_the_peak_is_one_and_noise_is_not_amplified():
    layers = np.stack([np.full((32, 180), -3.0), np.full((32, 180), 2.0)], -1)
    record = type("Record", (), {"image": layers})
    how = {"max_epochs": 9, "normalisation": "peak", "statistics": {}}
    example = cutout.make_example(record, **how)
    assert example.image.min() == -1
    assert example.feature.shape == example.feature_mask.shape == (0,)
    record.image = layers * [1e-9, 1]
    assert abs(cutout.make_example(record, **how).image).max() == 1
    record.image = layers * [np.nan, 0]
    assert not cutout.make_example(record, **how).image.any()
    with pytest.raises(ValueError, match=r"cutouts named 'loud'\. Known: peak"):
        cutout.make_example(record, **(how | {"normalisation": "loud"}))
    blank = cutout.blank(SURVEYS["sdss_handscan"], max_epochs=9, num_objects=2)
    assert blank.image.shape == (2, 69, 69, 3)


def images(count=3):
    image = np.random.default_rng(0).normal(size=(count, 32, 180, 2))
    return jax.device_put(
        Image(
            image.astype("f4"), np.zeros((count, 0), "f4"), np.zeros((count, 0), bool)
        )
    )


@pytest.mark.parametrize(("classes", "trained"), [(1, 22_441), (4, 22_540)])
def test_the_parameter_count_is_pinned(classes, trained):
    def init(key):
        return Scone(classes).init(key, images(), train=False)

    found = jax.eval_shape(init, jax.random.key(0))
    sizes = {name: sum(a.size for a in jax.tree.leaves(found[name])) for name in found}
    assert sizes == {"params": trained, "batch_stats": 8}
    shapes = [found["params"][f"conv_{i}"]["kernel"].shape for i in range(4)]
    assert shapes == [(3, 64, 32), (3, 32, 32), (3, 16, 16), (3, 16, 16)]


def test_a_layer_depends_on_neighbouring_days_only():
    """A change of one day has an effect on that day and its neighbours only."""
    model, inputs = Scone(0), images(1)
    variables = model.init(jax.random.key(0), inputs, train=False)

    def rows(x):
        _, seen = model.apply(
            variables,
            inputs._replace(image=x),
            train=False,
            capture_intermediates=True,
        )
        return seen["intermediates"]["norm_0"]["__call__"][0]

    changed = inputs.image.at[0, :, 90].add(1.0)
    difference = np.abs(rows(changed) - rows(inputs.image))[0, ..., 0]
    assert difference.shape == (180, 32)
    assert set(np.flatnonzero(difference.max(1) > 1e-6)) == {89, 90, 91}


def test_a_layer_equals_the_published_convolution():
    model, inputs = Scone(0), images(2)
    variables = model.init(jax.random.key(0), inputs, train=False)
    _, seen = model.apply(variables, inputs, train=False, capture_intermediates=True)
    found = seen["intermediates"]["conv_0"]["__call__"][0]
    kernel = variables["params"]["conv_0"]["kernel"].reshape(3, 32, 2, 32)
    expected = jax.lax.conv_general_dilated(
        inputs.image,
        kernel.transpose(1, 0, 2, 3),
        (1, 1),
        ((0, 0), (1, 1)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    np.testing.assert_allclose(found, expected[:, 0], atol=1e-5)
