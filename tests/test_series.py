"""Image series of fixed length: epochs, normalisations and bad pixels."""

import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from jaxastro.data.series import make_series_record
from jaxastro.photometry.median import nanmedian
from jaxastro.representations import describe_statistics, series
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["sdss_sn_sim"]._replace(image_size=8)
PLAIN = {"mean": [0.0] * 5, "deviation": [1.0] * 5, "pixel_scale": [0.4]}

CALIBRATED = {"sky": [0.0], "pixel_scale": [0.4]}


def record_of(epochs, seed=0, *, flux=None, band=None, label="AGN", bad_pixel=None):
    generator = np.random.default_rng(seed)
    if flux is None:
        flux = generator.normal(100, 20, (epochs, 8, 8))
    record, _ = make_series_record(
        f"object{seed}",
        SURVEY,
        flux=flux,
        mjd=53000 + np.arange(epochs) ** 1.5,
        band=generator.integers(0, 3, epochs) if band is None else band,
        label=label,
        bad_pixel=bad_pixel,
    )
    return record


def example_of(record, max_epochs, normalisation="standard", statistics=PLAIN):
    return series.make_example(
        record,
        max_epochs=max_epochs,
        normalisation=normalisation,
        statistics=statistics,
    )


# -- epochs ----------------------------------------------------------------------------


def test_few_epochs_are_padded_with_zeros_at_the_end():
    record = record_of(3)
    example = example_of(record, 5)
    assert example.epoch_mask.tolist() == [True, True, True, False, False]
    np.testing.assert_array_equal(example.image[:3], record.flux)
    np.testing.assert_array_equal(example.band[:3], record.band)
    for field in example:
        assert field.shape[0] == 5
        assert not np.any(field[3:])
    kinds = [field.dtype for field in example]
    number = np.float32
    assert kinds == [number, number, np.int32, number, number, bool]


def test_time_is_days_since_the_first_epoch():
    record = record_of(4)._replace(mjd=np.array([53000.1, 53000.2, 53007.1, 53400.6]))
    np.testing.assert_allclose(
        example_of(record, 4).time, [0, 0.1, 7, 400.5], atol=1e-5
    )


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 300), st.integers(2, 100))
def test_evenly_spaced_epochs_are_kept_with_the_first_and_the_last(epochs, most):
    flux = np.arange(1, epochs + 1)[:, None, None] * np.ones((8, 8))
    example = example_of(record_of(epochs, flux=flux), most)
    kept = example.image[example.epoch_mask][:, 0, 0].astype(int)
    assert len(kept) == min(epochs, most)
    assert (kept[0], kept[-1]) == (1, epochs)
    steps = np.diff(kept)
    assert not len(steps) or (steps.min() > 0 and np.ptp(steps) <= 1)


def test_one_epoch_of_many_is_the_first():
    record = record_of(9)
    example = example_of(record, 1)
    np.testing.assert_array_equal(example.image[0], record.flux[0])
    assert example.time[0] == 0


@pytest.mark.parametrize("name", series.NORMALISATIONS)
def test_labels_and_metadata_do_not_change_an_example(name):
    record = record_of(9)
    statistics = series.fit_statistics([record], normalisation=name, survey=SURVEY)
    other = record._replace(
        object_id="another",
        label="SNIa",
        label_source="spectroscopic",
        truth="SNIa",
        redshift=1.0,
        ra=12.0,
        dec=-3.0,
        group="another",
        mjd=record.mjd + 1000,
    )
    expected, example = (example_of(r, 5, name, statistics) for r in (record, other))
    for a, b in zip(expected, example, strict=True):
        np.testing.assert_array_equal(a, b)


# -- normalisation ---------------------------------------------------------------------


def test_standard_uses_mean_and_deviation():
    records = [record_of(5, seed) for seed in range(4)]
    statistics = series.fit_statistics(records, normalisation="standard", survey=SURVEY)
    for band in range(3):
        pixel = np.concatenate([r.flux[r.band == band].ravel() for r in records])
        assert statistics["mean"][band] == pytest.approx(np.mean(pixel, dtype=float))
        deviation = np.std(pixel, dtype=float)
        assert statistics["deviation"][band] == pytest.approx(deviation)
    # bands without training objects are not scaled
    assert statistics["mean"][3:] == [0, 0]
    assert statistics["deviation"][3:] == [1, 1]


def test_standard_is_accurate_on_a_bright_sky():
    # 1e5 ADU of sky and 3 of noise: single precision would lose the noise
    flux = np.random.default_rng(0).normal(1e5, 3, (20, 8, 8))
    record = record_of(20, flux=flux, band=np.zeros(20, int))
    deviation = series.fit_statistics(
        [record], normalisation="standard", survey=SURVEY
    )["deviation"][0]
    assert deviation == pytest.approx(record.flux.std(dtype=float), rel=1e-6)


def test_standard_by_hand():
    flux = np.array([10.0, 7.0])[:, None, None] * np.ones((8, 8))
    record = record_of(2, flux=flux, band=[0, 2])
    statistics = {"mean": [4.0, 0, 1.0, 0, 0], "deviation": [2.0, 1, 4.0, 1, 1]}
    statistics["pixel_scale"] = [0.4]
    image = example_of(record, 2, statistics=statistics).image
    np.testing.assert_allclose(image[:, 0, 0], [3.0, 1.5])


def test_asinh_by_hand():
    flux = np.array([30.0, -3.0])[:, None, None] * np.ones((8, 8))
    record = record_of(2, flux=flux, band=[0, 1])
    statistics = {"softening": [10.0, 0.5, 1, 1, 1]} | CALIBRATED
    image = example_of(record, 2, "asinh", statistics).image
    by_hand = [np.log(1 + 2**0.5), -np.log(2 + 5**0.5)]
    np.testing.assert_allclose(image[:, 0, 0], by_hand, rtol=1e-6)


def test_asinh_measures_the_noise_of_each_band():
    generator = np.random.default_rng(0)
    spread = np.array([2.0, 50.0])[[0, 1] * 100]
    flux = generator.normal(1000, spread[:, None, None], (200, 8, 8))
    record = record_of(200, flux=flux, band=[0, 1] * 100)
    softening = series.fit_statistics([record], normalisation="asinh", survey=SURVEY)
    softening = softening["softening"]
    # with 25 pixels each the median has scatter and is a few percent low
    np.testing.assert_allclose(softening[:2], [2, 50], rtol=0.1)
    assert softening[2:] == [1, 1, 1]
    flat = record_of(3, flux=np.ones((3, 8, 8)), band=[0, 0, 0])
    softening = series.fit_statistics([flat], normalisation="asinh", survey=SURVEY)
    assert softening["softening"] == [1, 1, 1, 1, 1]  # never divides by 0


@pytest.mark.parametrize(("sky", "is_found"), [(0.0, False), (900.0, True)])
def test_asinh_subtracts_the_sky_where_frames_hold_it(sky, is_found):
    generator = np.random.default_rng(0)
    objects = generator.normal(0, 3, (2, 6, 12, 12))
    objects[:, :, 5:7, 5:7] += 40
    survey = SURVEY._replace(image_size=12)
    records = [
        make_series_record(
            f"object {number}",
            survey,
            flux=flux + sky,
            mjd=53000 + np.arange(6),
            band=0 * np.arange(6),
        )[0]
        for number, flux in enumerate(objects)
    ]
    statistics = series.fit_statistics(records, normalisation="asinh", survey=survey)
    assert statistics["sky"] == [float(is_found)]
    assert bool(describe_statistics(statistics)) == is_found
    for record, flux in zip(records, objects, strict=True):
        image = example_of(record, 6, "asinh", statistics).image
        expected = np.arcsinh(flux / (3 * statistics["softening"][0]))
        np.testing.assert_allclose(image, expected, atol=0.2)


def test_seeing_and_noise_are_in_the_scale_of_the_frames():
    record = record_of(4, band=[0, 1, 0, 1])._replace(
        psf_fwhm=np.float32([0.8, 1.2, np.nan, 1.6]),
        noise=np.float32([3.0, 6.0, 3.0, np.nan]),
    )
    statistics = {"softening": [1.0, 2.0, 1, 1, 1]} | CALIBRATED
    example = example_of(record, 5, "asinh", statistics)
    np.testing.assert_allclose(example.psf_fwhm, [2, 3, 0, 4, 0], rtol=1e-6)
    np.testing.assert_allclose(example.noise[:3], [1, 1, 1])
    scatter = 1.4826 * np.median(np.abs(record.flux[3] - np.median(record.flux[3])))
    assert example.noise[3] == pytest.approx(scatter / 6, rel=0.3)  # of the border
    assert example.noise[4] == 0


@pytest.mark.parametrize("name", series.NORMALISATIONS)
def test_statistics_survive_json(name):
    train, test = [record_of(5, seed) for seed in range(3)], record_of(5, 9)
    statistics = series.fit_statistics(train, normalisation=name, survey=SURVEY)
    stored = json.loads(json.dumps(statistics))
    assert stored == statistics
    example = example_of(test, 5, name, statistics)
    np.testing.assert_array_equal(
        example.image, example_of(test, 5, name, stored).image
    )
    assert np.isfinite(example.image).all()
    again = series.fit_statistics(train[::-1], normalisation=name, survey=SURVEY)
    for column, values in again.items():
        np.testing.assert_allclose(values, statistics[column], rtol=1e-9)


@pytest.mark.parametrize("name", series.NORMALISATIONS)
def test_values_of_bad_pixels_do_not_matter_for_examples(name):
    flux = np.random.default_rng(0).normal(100, 20, (4, 8, 8))
    bad = np.random.default_rng(1).random(flux.shape) < 0.2
    images = []
    for content in (0.0, np.nan, 1e30):
        dirty = np.where(bad, content, flux)
        record = record_of(4, flux=dirty, bad_pixel=bad, band=[0, 1, 2, 0])
        statistics = series.fit_statistics([record], normalisation=name, survey=SURVEY)
        images.append(example_of(record, 4, name, statistics).image)
    np.testing.assert_array_equal(images[0], images[1])
    np.testing.assert_array_equal(images[0], images[2])


def all_frames(record, name, statistics):
    """Normalises every frame, with medians by NumPy."""
    flux = np.where(record.bad_pixel, np.float32(np.nan), record.flux)
    median = np.nanmedian(flux, axis=(1, 2), keepdims=True)
    flux = np.where(record.bad_pixel, median, flux)
    per_epoch = {
        column: np.float32(values)[record.band][:, None, None]
        for column, values in statistics.items()
        if len(values) == len(SURVEY.bands)
    }
    if name == "standard":
        return (flux - per_epoch["mean"]) / per_epoch["deviation"]
    return np.arcsinh(flux / (3 * per_epoch["softening"]))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    epochs=st.integers(1, 12),
    most=st.integers(1, 12),
    share=st.sampled_from([0.0, 0.01, 0.3, 0.9]),
    name=st.sampled_from(["standard", "asinh"]),
)
def test_selected_frames_equal_those_of_all_frames_bit_by_bit(
    epochs, most, share, name
):
    bad = np.random.default_rng(epochs).random((epochs, 8, 8)) < share
    bad[:, 0, 0] = False
    record = record_of(epochs, bad_pixel=bad)
    statistics = {"softening": [3.0, 0.7, 9.0, 1, 1]} | CALIBRATED
    if name == "standard":
        statistics = {"mean": [99.0, 3, 7, 0, 0], "deviation": [20.0, 0.3, 7, 1, 1]}
        statistics["pixel_scale"] = [0.4]
    example = example_of(record, most, name, statistics)
    keep = np.linspace(0, epochs - 1, min(epochs, most)).round().astype(int)
    np.testing.assert_array_equal(
        example.image[example.epoch_mask], all_frames(record, name, statistics)[keep]
    )


numbers = st.one_of(st.just(np.nan), st.floats(-1e6, 1e6, width=32))


@settings(max_examples=100, deadline=None)
@given(
    values=arrays(
        st.sampled_from([np.float32, np.float64]),
        array_shapes(min_dims=2, max_dims=3, max_side=9),
        elements=numbers,
    ),
    axis=st.integers(-2, 1),
)
def test_nanmedian_equals_numpy(values, axis):
    with warnings.catch_warnings(action="ignore"):  # of rows without a number
        expected = np.nanmedian(values, axis=axis)
    found = nanmedian(values, axis)
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, expected)


def test_bad_pixels_get_the_median_of_their_frame():
    flux = np.arange(64.0).reshape(1, 8, 8) ** 2
    bad = np.zeros(flux.shape, bool)
    bad[0, 0, 0] = bad[0, 5, 5] = True
    record = record_of(1, flux=flux, bad_pixel=bad)
    filled = series.fill_bad_pixels(record)
    assert filled[bad] == pytest.approx(np.median(flux[~bad]))
    np.testing.assert_array_equal(filled[~bad], flux[~bad])
    assert filled.dtype == np.float32
    clean = record_of(1, flux=flux + 1)
    assert np.shares_memory(series.fill_bad_pixels(clean), clean.flux)


def test_an_unknown_normalisation_is_an_error_that_lists_the_known():
    message = "No normalisation named 'minmax'. Known: standard, asinh"
    with pytest.raises(ValueError, match=message):
        example_of(record_of(2), 2, "minmax")
    with pytest.raises(ValueError, match=message):
        series.fit_statistics([], normalisation="minmax", survey=SURVEY)
