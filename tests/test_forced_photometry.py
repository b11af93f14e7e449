"""PSF photometry against simulations, other implementations and laws."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxastro.photometry import forced, psf_photometry
from jaxastro.photometry.joint_fit import joint_fit
from jaxastro.photometry.psf import psf_norm, psf_profile
from jaxastro.simulation import observing, scene, survey
from jaxastro.units import microjansky_per_adu

SCALE = survey.SURVEY.pixel_scale
SIZE = 32
R_BAND = 2
EPOCHS = 24
# A supernova that rises in the second half of the epochs.
LATER = np.arange(EPOCHS) - EPOCHS // 2
SUPERNOVA = np.where(LATER < 0, 0, 20 * np.exp(-LATER / 5))


def expose(flux, *, seed, around=(), bad=0.0, noisy=True):
    """Returns frames of a point source of known flux, in r of the simulated survey.

    They are arguments of psf_photometry, with the point's place; seeing from 1 to 2.4
    arcsec, clouds and moonlight, the object up to half a pixel off the middle.
    """
    rng = np.random.default_rng(seed)
    log = survey.observing_log(3, 0)
    rows = rng.choice(np.flatnonzero(log.band == R_BAND), len(flux))
    log = observing.ObservingLog(*(column[rows] for column in log))
    log = log._replace(visit=np.arange(len(flux)))
    centre = (SIZE - 1) / 2 + rng.uniform(-0.5, 0.5, (len(flux), 2))
    image = scene.render(
        scene.together([scene.point((0, 0), flux), *around]),
        psf_fwhm=log.psf_fwhm,
        centre=centre,
        pixel_scale=SCALE,
        size=SIZE,
    )
    bad_pixel = rng.random(image.shape) < bad
    frames = observing.expose(image, log, seed) if noisy else image.astype(float)
    return {
        "flux": np.where(bad_pixel, np.nan, frames),
        "bad_pixel": bad_pixel,
        "psf_fwhm": log.psf_fwhm / SCALE,
        "noise": observing.pixel_noise(log),
        "photon": microjansky_per_adu(log.zero_point) / log.gain,
        "centre": centre,
    }


def galaxy(brightness):
    """Returns a host with bulge, disc and nucleus, and a neighbour."""
    flux, place = np.full(EPOCHS, brightness), (0.7, -0.4)
    shape = {"radius": 1.2, "axis_ratio": 0.6, "angle": 0.5}
    return [
        scene.sersic(place, flux, index=4, **shape),
        scene.sersic(place, flux, index=1, **shape),
        scene.point(place, flux / 2),
        scene.point((3.0, -1.0), flux),
    ]


def quiet(num_epochs, *, size=SIZE, seed=0, flux=2000.0):
    """Returns frames of one star with normal noise."""
    rng = np.random.default_rng(seed)
    fwhm = rng.uniform(3, 6, num_epochs)
    centre = (size - 1) / 2 + rng.uniform(-0.5, 0.5, (num_epochs, 2))
    y, x = np.mgrid[:size, :size]
    square = (x - centre[:, :1, None]) ** 2 + (y - centre[:, 1:, None]) ** 2
    image = flux * psf_profile(square, fwhm[:, None, None])[0] + 100
    return {
        "flux": image + rng.normal(0, 2, image.shape),
        "bad_pixel": rng.random(image.shape) < 0.03,
        "psf_fwhm": fwhm,
        "noise": np.full(num_epochs, 2.0),
        "centre": centre,
    }


# -- the PSF ---------------------------------------------------------------------------


@pytest.mark.parametrize("fwhm", [2.0, 3.5, 6.0])
def test_the_psf_is_normalised_and_half_as_bright_at_half_its_width(fwhm):
    axis = np.arange(-60, 61) + 0.3
    psf, _ = psf_profile(axis**2 + axis[:, None] ** 2, fwhm)
    np.testing.assert_allclose(psf.sum(), 1, rtol=1e-5)
    np.testing.assert_allclose((psf**2).sum(), psf_norm(fwhm), rtol=2e-3)
    peak, half = (psf_profile(d, fwhm)[0] for d in (0.0, (fwhm / 2) ** 2))
    assert half == pytest.approx(peak / 2)


def test_the_slope_of_the_psf_is_its_derivative():
    square = np.linspace(0, 50, 11)
    above, below = (psf_profile(square + h, 3.3)[0] for h in (1e-5, -1e-5))
    slope = psf_profile(square, 3.3)[1]
    np.testing.assert_allclose(slope, (above - below) / 2e-5, rtol=1e-6)


def test_photometry_and_simulator_share_one_psf():
    image = scene.render(
        scene.point((0, 0), [1.0]),
        psf_fwhm=np.array([1.4]),
        centre=np.array([[15.2, 15.9]]),
        pixel_scale=SCALE,
        size=SIZE,
    )
    y, x = np.mgrid[:SIZE, :SIZE]
    psf, _ = psf_profile((x - 15.2) ** 2 + (y - 15.9) ** 2, 1.4 / SCALE)
    np.testing.assert_allclose(image[0], psf, atol=1e-6)


# -- against simulated truth -----------------------------------------------------------


@pytest.mark.parametrize("bad", [0.0, 0.03])
@pytest.mark.parametrize("flux", [0.0, 1.0, 10.0, 100.0, 1000.0, 10000.0])
def test_fluxes_are_unbiased_and_scatter_by_their_errors(flux, bad):
    frames = expose(np.full(1500, flux), seed=int(flux) + 1, bad=bad)
    found = psf_photometry(**frames)
    pull = (found.flux - flux) / found.error
    assert np.isfinite(pull).mean() > 0.99
    sharp = frames["psf_fwhm"] < np.median(frames["psf_fwhm"])
    for some in (sharp, ~sharp):
        assert abs(np.nanmean(pull[some])) < 0.1
        assert np.nanstd(pull[some]) == pytest.approx(1, abs=0.1)
    assert np.nanmean(found.chi_square) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("flux", [0.0, 1.0, 3.0, 10.0, 100.0, 1000.0])
def test_the_shift_of_a_bright_object_is_fitted(flux):
    frames = expose(np.full(1500, flux), seed=7)
    centre = frames.pop("centre")
    found = psf_photometry(
        **frames, drift=0.29
    )  # of a uniform distribution of one pixel
    pull = (found.flux - flux) / found.error
    # The fitted shift follows the noise, with a bias of at most 0.1 error.
    assert abs(pull.mean()) < 0.15
    assert pull.std() == pytest.approx(1, abs=0.1)
    if flux >= 100:
        assert (found.place - centre).std() < 0.03


@pytest.mark.parametrize("flux", [1.0, 10.0, 100.0])
def test_one_position_is_fitted_for_all_epochs(flux):
    pulls, places = [], []
    for seed in range(60):
        frames = expose(np.full(20, flux), seed=seed)
        truth = frames["centre"]
        frames["centre"] = truth + np.random.default_rng(seed).uniform(-0.5, 0.5, 2)
        found = psf_photometry(**frames, find_centre=True)
        pulls.append((found.flux - flux) / found.error)
        places.append(found.place[0] - truth[0])
    assert abs(np.mean(pulls)) < 0.1
    assert np.std(pulls) == pytest.approx(1, abs=0.1)
    # 0.6 PSF widths divided by the total signal to noise, as documented.
    ratio = np.sqrt(((flux / found.error) ** 2).sum())
    expected = 0.6 * np.median(frames["psf_fwhm"]) / ratio
    assert np.std(places) == pytest.approx(expected, rel=0.3)


def test_a_bright_star_measures_its_own_psf():
    frames = expose(np.full(800, 100.0), seed=3)
    fwhm = frames.pop("psf_fwhm")
    found = psf_photometry(**frames, fit_fwhm=True)
    pull = (found.flux - 100) / found.error
    assert abs(pull.mean()) < 0.1
    assert pull.std() == pytest.approx(1, abs=0.1)
    np.testing.assert_allclose(np.median(found.psf_fwhm / fwhm), 1, atol=2e-3)
    known = psf_photometry(**frames, psf_fwhm=fwhm)
    assert 1.1 < np.median(found.error / known.error) < np.sqrt(2)


def test_faint_and_extended_objects_measure_no_psf():
    for flux, around in ((5.0, []), (0.0, galaxy(100.0))):
        frames = expose(np.full(EPOCHS, flux), seed=3, around=around)
        del frames["psf_fwhm"]
        found = psf_photometry(**frames, fit_fwhm=True)
        assert np.isnan([found.flux, found.error]).all()


def test_without_noise_a_supernova_on_a_galaxy_is_exact():
    frames = expose(SUPERNOVA, seed=4, around=galaxy(100.0), bad=0.02, noisy=False)
    found = psf_photometry(**frames, steady=True, rest=SUPERNOVA == 0)
    assert (abs(found.flux - SUPERNOVA) < 0.05 * found.error).all()
    alone = psf_photometry(**frames)
    assert (abs(alone.flux - SUPERNOVA) > 10 * found.error).all()


def test_without_reference_epochs_the_mean_flux_is_zero():
    frames = expose(SUPERNOVA, seed=4, around=galaxy(20.0))
    frames["photon"] = 0
    one = psf_photometry(**frames, steady=True)
    other = psf_photometry(**frames, steady=True, rest=SUPERNOVA == 0)
    np.testing.assert_allclose(one.flux - other.flux, (one.flux - other.flux)[0])
    assert one.flux.min() < 0 < one.flux.max()


@pytest.mark.slow
@pytest.mark.parametrize("drift", [0.0, 0.29])
def test_a_supernova_on_a_galaxy_is_unbiased(drift):
    pulls = []
    for seed in range(25):
        frames = expose(SUPERNOVA, seed=seed, around=galaxy(100.0), bad=0.01)
        if drift:
            del frames["centre"]
        settings = {"steady": True, "rest": SUPERNOVA == 0, "drift": drift}
        found = psf_photometry(**frames, **settings)
        pulls.append((found.flux - SUPERNOVA) / found.error)
    for some in (SUPERNOVA == 0, SUPERNOVA > 0):
        # All epochs share one zero, which 25 reference epochs measure to 0.08.
        assert abs(np.nanmean(np.array(pulls)[:, some])) < 0.25
        assert np.nanstd(np.array(pulls)[:, some]) == pytest.approx(1, abs=0.1)


# -- against independent implementations -----------------------------------------------


def test_it_is_least_squares_epoch_by_epoch():
    frames = quiet(5)
    photon = np.full(5, 0.3)
    found = psf_photometry(**frames, photon=photon)
    y, x = np.mgrid[:SIZE, :SIZE]
    reach = forced.REACH * np.median(frames["psf_fwhm"])
    for t in range(5):
        square = (x - frames["centre"][t, 0]) ** 2 + (y - frames["centre"][t, 1]) ** 2
        use = (square < reach**2) & ~frames["bad_pixel"][t]
        psf = psf_profile(square[use], frames["psf_fwhm"][t])[0]
        columns = np.stack([psf, np.ones_like(psf)], axis=1)
        flux = 0.0
        for _ in range(20):
            sigma = np.sqrt(4 + 0.3 * np.maximum(flux * psf, 0))
            scaled = columns / sigma[:, None], frames["flux"][t][use] / sigma
            flux = np.linalg.lstsq(*scaled)[0][0]
        error = np.sqrt(np.linalg.inv(scaled[0].T @ scaled[0])[0, 0])
        np.testing.assert_allclose(found.flux[t], flux, atol=1e-3 * error)
        np.testing.assert_allclose(found.error[t], error, rtol=1e-4)


def test_a_joint_fit_is_one_large_least_squares():
    rng = np.random.default_rng(2)
    t, p, k, j = 4, 30, 3, 5
    data, weight = rng.normal(size=(t, p)), rng.uniform(0, 2, (t, p))
    own, shared = rng.normal(size=(t, p, k)), rng.normal(size=(t, p, j))
    own_precision, shared_precision = np.array([0, 0, 2.0]), rng.uniform(0, 1, j)
    found = joint_fit(
        data,
        weight,
        own=own,
        own_precision=own_precision,
        shared=shared,
        shared_precision=shared_precision,
    )
    design = np.zeros((t * p, t * k + j))
    for i in range(t):
        design[i * p : (i + 1) * p, i * k : (i + 1) * k] = own[i]
    design[:, t * k :] = shared.reshape(t * p, j)
    precision = np.concatenate([np.tile(own_precision, t), shared_precision])
    rows = np.concatenate(
        [design * np.sqrt(weight).reshape(-1, 1), np.diag(precision**0.5)]
    )
    right = np.concatenate([(data * np.sqrt(weight)).ravel(), np.zeros(len(precision))])
    solution = np.linalg.lstsq(rows, right)[0]
    covariance = np.linalg.inv(rows.T @ rows)
    np.testing.assert_allclose(found.own.ravel(), solution[: t * k])
    np.testing.assert_allclose(found.shared, solution[t * k :])
    first = np.arange(t) * k
    np.testing.assert_allclose(found.covariance, covariance[np.ix_(first, first)])


# -- laws ------------------------------------------------------------------------------

WAYS = {
    "forced": {},
    "strays": {"drift": 0.3, "centre": None},
    "found": {"find_centre": True},
    "width": {"fit_fwhm": True, "psf_fwhm": np.nan},
    "steady": {"steady": True},
}
every_way = pytest.mark.parametrize("way", WAYS)


def measure(frames, way, **changed):
    return psf_photometry(**(frames | WAYS[way] | changed))


def same(found, flux, error):
    np.testing.assert_allclose(found.flux, flux, atol=1e-3 * np.nanmin(error))
    np.testing.assert_allclose(found.error, error, rtol=1e-3)


@every_way
def test_a_constant_sky_does_not_matter(way):
    frames = quiet(6)
    level = np.linspace(-50, 5000, 6)[:, None, None]
    expected = measure(frames, way)
    same(measure(frames, way, flux=frames["flux"] + level), *expected[:2])


@every_way
def test_the_result_scales_with_the_pixels(way):
    frames = quiet(6) | {"photon": 0.2}
    flux, error = measure(frames, way)[:2]
    scaled = {"flux": 7 * frames["flux"], "noise": 7 * frames["noise"], "photon": 1.4}
    same(measure(frames, way, **scaled), 7 * flux, 7 * error)


@every_way
def test_the_order_of_epochs_does_not_matter(way):
    frames = quiet(6)
    flux, error = measure(frames, way)[:2]
    order = np.array([3, 0, 5, 1, 4, 2])
    shuffled = {name: column[order] for name, column in frames.items()}
    same(measure(shuffled, way), flux[order], error[order])


@every_way
def test_values_of_bad_pixels_do_not_matter(way):
    frames = quiet(6)
    expected = measure(frames, way)
    for content in (np.nan, np.inf, 1e30):
        flux = np.where(frames["bad_pixel"], content, frames["flux"])
        same(measure(frames, way, flux=flux), *expected[:2])


def test_the_default_noise_is_that_of_the_border():
    frames = quiet(40)
    ratio = (
        measure(frames, "forced", noise=np.nan).error / psf_photometry(**frames).error
    )
    assert abs(np.nanmedian(ratio) - 1) < 0.02
    assert abs(np.nanmax(ratio) - 1) < 0.2


# -- epochs without a flux -------------------------------------------------------------


def test_an_epoch_without_information_is_nan_and_others_are_not():
    frames = quiet(6)
    frames["bad_pixel"][:] = False
    frames["bad_pixel"][0, 13:19, 13:19] = True  # the core of the star
    frames["bad_pixel"][1, 20, 12:20] = True  # a track outside the core
    frames["psf_fwhm"][2] = np.nan
    frames["noise"][3] = 0.0
    frames["psf_fwhm"][5] = 0.9  # pixels, undersampled
    found = psf_photometry(**frames)
    lost = [True, False, True, True, False, True]
    assert np.isnan(found.flux).tolist() == np.isnan(found.error).tolist() == lost
    assert found.seen[0] < forced.MIN_SEEN < 0.9 < found.seen[1]
    assert found.seen[2] == found.seen[5] == 0
    assert found.seen[4] == pytest.approx(1, abs=0.01)


ODD = st.sampled_from([np.nan, np.inf, -np.inf, -1.0, 0.0, 1e-3, 3.0, 1e6])


@settings(max_examples=60, deadline=None)
@given(
    way=st.sampled_from(sorted(WAYS)),
    seed=st.integers(0, 99),
    psf_fwhm=st.lists(ODD, min_size=4, max_size=4),
    noise=st.lists(ODD, min_size=4, max_size=4),
    photon=st.lists(ODD, min_size=4, max_size=4),
    pixel=ODD,
    bad=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
)
def test_unusual_input_gives_both_flux_and_error_or_neither(
    way, seed, psf_fwhm, noise, photon, pixel, bad
):
    frames = quiet(4, size=15, seed=seed)
    frames["bad_pixel"] = np.random.default_rng(seed).random((4, 15, 15)) < bad
    frames["flux"][:, 6, 5] = pixel
    odd = {"psf_fwhm": psf_fwhm, "noise": noise, "photon": photon}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = measure(frames | odd, way)
    known = np.isfinite(found.flux)
    np.testing.assert_array_equal(known, np.isfinite(found.error))
    assert (found.error[known] > 0).all()
    assert np.isfinite(found.seen).all()


def test_constant_light_needs_reference_epochs():
    frames = quiet(3)
    first = {name: column[:1] for name, column in frames.items()}
    assert np.isnan(psf_photometry(**first, steady=True).flux).all()
    nothing = psf_photometry(**frames, steady=True, rest=np.zeros(3))
    assert np.isnan([nothing.flux, nothing.error]).all()
    lone = psf_photometry(**frames, steady=True, rest=[True, False, False])
    assert np.isnan(lone.flux).tolist() == [True, False, False]


def test_wrong_input_is_an_error_with_a_message():
    frames = quiet(3)
    with pytest.raises(ValueError, match="Give one flag per pixel"):
        psf_photometry(frames["flux"], frames["bad_pixel"][:2])
    with pytest.raises(
        ValueError, match=r"centre has shape \(3,\).*\(3, 2\), or \(2,\)"
    ):
        measure(frames, "forced", centre=np.zeros(3))
    with pytest.raises(ValueError, match=r"drift=-1.*length in pixels"):
        measure(frames, "forced", drift=-1)
    with pytest.raises(ValueError, match="fit_fwhm cannot be combined with steady"):
        measure(frames, "width", steady=True)
    with pytest.raises(ValueError, match=r"rest=given.*rest needs steady"):
        measure(frames, "forced", rest=True)
