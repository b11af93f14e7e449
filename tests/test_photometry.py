import numpy as np
import pytest

from jaxastro.photometry import aperture_light_curve, border_statistics

SIZE = 21


def stamps(flux, sigma=1.5, sky=0.0):
    """Gaussian stars of the given total flux at the centre, without noise."""
    y, x = np.mgrid[-10:11, -10:11]
    profile = np.exp(-(y**2 + x**2) / (2 * sigma**2))
    flux = np.atleast_1d(flux).astype(float)
    return flux[:, None, None] * profile / profile.sum() + sky


def measure(image, bad=None, radius=6.0):
    bad = np.zeros(image.shape, bool) if bad is None else bad
    return aperture_light_curve(image, bad, radius=radius)


def test_a_star_of_known_flux_is_recovered():
    # A circle of 4 sigma holds 99.97% of a Gaussian's light.
    flux, _ = measure(stamps([1000.0, -250.0, 0.0], sky=120))
    np.testing.assert_allclose(flux, [1000, -250, 0], rtol=2e-3, atol=1e-9)


def test_the_sky_does_not_matter():
    image = stamps([500.0, 700.0])
    noisy = image + np.random.default_rng(0).normal(0, 3, image.shape)
    level = np.array([100.0, 2000.0])[:, None, None]
    for one, other in zip(measure(noisy), measure(noisy + level), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-8)


def test_photometry_is_linear():
    image = stamps([500.0]) + np.random.default_rng(0).normal(0, 3, (1, SIZE, SIZE))
    flux, error = measure(image)
    flux_3, error_3 = measure(3 * image)
    np.testing.assert_allclose([flux_3, error_3], [3 * flux, 3 * error])


def test_each_epoch_is_measured_alone():
    image = stamps([10.0, 20.0, 30.0]) + np.random.default_rng(0).normal(
        0, 3, (3, SIZE, SIZE)
    )
    flux, error = measure(image)
    order = [2, 0, 1]
    np.testing.assert_array_equal(measure(image[order]), [flux[order], error[order]])


def test_the_error_is_the_scatter_of_repeated_measurements():
    generator = np.random.default_rng(3)
    image = stamps(np.full(4000, 300.0)) + generator.normal(100, 5, (4000, SIZE, SIZE))
    flux, error = measure(image)
    assert flux.mean() == pytest.approx(300, abs=5)
    assert error.mean() == pytest.approx(flux.std(), rel=0.05)


def test_a_bad_pixel_in_the_aperture_leaves_no_flux_one_outside_does_not_matter():
    image = stamps(np.full(3, 300.0), sky=50)
    bad = np.zeros(image.shape, bool)
    bad[0, 10, 10] = bad[1, 0, 0] = True
    image[bad] = 1e6
    flux, error = measure(image, bad)
    assert np.isnan(flux).tolist() == [True, False, False]
    assert np.isnan(error).tolist() == [True, False, False]
    assert flux[1] == pytest.approx(flux[2])
    bad[2] = True
    bad[2, 5:16, 5:16] = False  # nothing left to take the sky from
    assert np.isnan(measure(image, bad)[0]).tolist() == [True, False, True]


def test_border_statistics_by_hand():
    image = np.full((1, 5, 5), 7.0)
    image[0, 0, :4] = [6, 8, 6, 8]
    image[0, 2, 2] = 1e9  # not in the border
    median, scatter, count = border_statistics(image, np.zeros((1, 5, 5), bool), 1)
    assert (median[0], scatter[0], count[0]) == (7, 0, 16)


def test_an_aperture_that_reaches_into_the_sky_is_refused():
    image = stamps([1.0])
    with pytest.raises(ValueError, match=r"aperture of 8\.0 pixels.*smaller radius"):
        measure(image, radius=8.0)
    with pytest.raises(ValueError, match="Give one flag per pixel"):
        aperture_light_curve(image, np.zeros((2, SIZE, SIZE), bool), radius=3)
