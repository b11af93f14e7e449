"""Aperture photometry, and light curves of records."""

import numpy as np
import pytest

from jaxastro.data.series import make_series_record
from jaxastro.errors import RecordError
from jaxastro.photometry import (
    aperture_light_curve,
    border_statistics,
    measure_light_curve,
    psf_photometry,
)
from jaxastro.photometry.psf import psf_profile
from jaxastro.simulation.survey import PRESETS, simulate_object
from jaxastro.surveys import SURVEYS

SIZE = 21


def stamps(flux, sigma=1.5, sky=0.0):
    """Returns noiseless Gaussian stars of the given total flux at the centre."""
    y, x = np.mgrid[-10:11, -10:11]
    profile = np.exp(-(y**2 + x**2) / (2 * sigma**2))
    flux = np.atleast_1d(flux).astype(float)
    return flux[:, None, None] * profile / profile.sum() + sky


def measure(image, bad=None, radius=6.0):
    bad = np.zeros(image.shape, bool) if bad is None else bad
    return aperture_light_curve(image, bad, radius=radius)


def test_a_star_of_known_flux_is_recovered():
    # A circle of 4 sigma contains 99.97 % of the light of a Gaussian.
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


def test_each_epoch_is_measured_independently():
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


def test_the_error_is_correct_for_whole_counts_and_with_photon_noise():
    # At a noise of 3 counts half of the sky error is the rounding of the median.
    generator = np.random.default_rng(3)
    gain, sky = 4.0, generator.uniform(30, 40, (4000, 1, 1))
    electrons = generator.poisson(gain * stamps(np.full(4000, 2000.0), sky=sky))
    counts = np.rint(electrons / gain)
    bad = np.zeros(counts.shape, bool)
    flux, error = aperture_light_curve(counts, bad, radius=6, photon=1 / gain)
    assert np.median(error) == pytest.approx(flux.std(), rel=0.05)
    _, smaller = aperture_light_curve(counts, bad, radius=6)
    np.testing.assert_allclose(error**2 - smaller**2, flux / gain)


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
    bad[2, 5:16, 5:16] = False  # no border pixel is good
    assert np.isnan(measure(image, bad)[0]).tolist() == [True, False, True]


def test_border_statistics_by_hand():
    image = np.full((1, 5, 5), 7.0)
    image[0, 0, :4] = [6, 8, 6, 8]
    image[0, 2, 2] = 1e9  # not in the border
    median, scatter, count = border_statistics(image, np.zeros((1, 5, 5), bool), 1)
    assert (median[0], scatter[0], count[0]) == (7, 0, 16)


def test_an_aperture_that_reaches_the_border_is_an_error():
    image = stamps([1.0])
    with pytest.raises(ValueError, match=r"aperture of 8\.0 pixels.*smaller radius"):
        measure(image, radius=8.0)
    with pytest.raises(ValueError, match="Give one flag per pixel"):
        aperture_light_curve(image, np.zeros((2, SIZE, SIZE), bool), radius=3)


# -- the light curve of a record -------------------------------------------------------

SDSS, HITS = SURVEYS["sdss_sn_sim"], SURVEYS["hits"]


def star(survey, flux=5000.0, **columns):
    """Returns a record of six epochs of one star."""
    generator = np.random.default_rng(1)
    size = survey.image_size
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    image = flux * psf_profile(x**2 + y**2, 4.0)[0]
    image = image + generator.normal(20, 2, (6, size, size))
    columns = {"psf_fwhm": 4 * survey.pixel_scale, "noise": 2.0} | columns
    given = {"flux": image, "mjd": np.arange(6.0), "band": np.array([0] * 6)}
    return make_series_record("star", survey, **(given | columns))[0]


def test_a_record_becomes_a_light_curve_of_the_same_object():
    record = simulate_object(3, seed=0, preset=PRESETS["laptop"])
    curve, notes = measure_light_curve(record, SDSS)
    for name in ("object_id", "label", "label_source", "truth", "ra", "dec", "group"):
        assert getattr(curve, name) == getattr(record, name)
    np.testing.assert_array_equal(curve.mjd, record.mjd)
    np.testing.assert_array_equal(curve.band, record.band)
    assert notes == ()
    found = psf_photometry(
        record.flux,
        record.bad_pixel,
        psf_fwhm=record.psf_fwhm / SDSS.pixel_scale,
        noise=record.noise,
        photon=10 ** (0.4 * (23.9 - record.zero_point)) / record.gain,
    )
    np.testing.assert_allclose(curve.flux, found.flux, rtol=1e-5)
    np.testing.assert_allclose(curve.flux_error, found.error, rtol=1e-5)


def test_constant_light_is_subtracted_band_by_band():
    record = simulate_object(2, seed=0, preset=PRESETS["tiny"])
    curve, _ = measure_light_curve(record, SDSS, steady=True)
    for band in np.unique(curve.band):
        rows = record.band == band
        alone = record._replace(
            **{
                name: getattr(record, name)[rows]
                for name in ("flux", "mjd", "band", "psf_fwhm", "noise", "gain")
            },
            zero_point=record.zero_point[rows],
            bad_pixel=record.bad_pixel[rows],
        )
        expected, _ = measure_light_curve(alone, SDSS, steady=True)
        np.testing.assert_allclose(curve.flux[curve.band == band], expected.flux)


def test_photon_noise_is_correct_in_counts_and_in_microjansky():
    zero_point = 25.0
    unit = 10 ** (0.4 * (23.9 - zero_point))  # microjansky in one ADU
    plain = {"gain": 2.0, "zero_point": zero_point}
    curves = [
        measure_light_curve(star(HITS, **plain), HITS)[0],
        measure_light_curve(star(SDSS, **plain), SDSS)[0],
    ]
    for curve, per_flux in zip(curves, (1 / 2.0, unit / 2.0), strict=True):
        dark = star(HITS if curve is curves[0] else SDSS)
        without = measure_light_curve(dark, HITS if curve is curves[0] else SDSS)[0]
        added = curve.flux_error**2 - without.flux_error**2
        # A matched filter changes it by at most sum psf^3 / (sum psf^2)^2 = 4/3.
        assert (added > 0.9 * per_flux * curve.flux).all()
        assert (added < 1.4 * per_flux * curve.flux).all()


def test_notes_report_missing_values():
    bad = np.zeros((6, 21, 21), bool)
    bad[1, 7:14, 7:14] = True
    record = star(HITS, bad_pixel=bad, psf_fwhm=np.array([np.nan, 1, 1, 1, 1, 1]))
    curve, notes = measure_light_curve(record, HITS)
    assert len(curve.mjd) == 4
    text = " ".join(notes)
    assert "1 epochs have no PSF width" in text
    assert "1 epochs have less than 70% of the PSF on good pixels" in text
    assert "4 epochs have no gain or zero point" in text
    assert "2 epochs have no number" in text
    curve, notes = measure_light_curve(record, HITS, radius=6)
    assert len(curve.mjd) == 5
    assert "1 epochs have a bad pixel in the aperture" in notes[0]


def test_a_record_without_a_psf_is_an_error_with_a_remedy():
    record = star(HITS, psf_fwhm=np.nan)
    with pytest.raises(RecordError, match=r"star: no epoch.*fit_fwhm=True"):
        measure_light_curve(record, HITS)
    measured, _ = measure_light_curve(record, HITS, fit_fwhm=True)
    given, _ = measure_light_curve(record, HITS, psf_fwhm=4 * HITS.pixel_scale)
    aperture, _ = measure_light_curve(record, HITS, radius=6)
    # The aperture does not include the outer wing.
    for curve, share in ((measured, 1.0), (given, 1.0), (aperture, 0.93)):
        assert len(curve.flux) == 6
        np.testing.assert_allclose(curve.flux, 5000 * share, rtol=0.03)


def test_a_radius_with_other_settings_is_an_error():
    with pytest.raises(ValueError, match="together with drift"):
        measure_light_curve(star(HITS), HITS, radius=6, drift=0.3)
