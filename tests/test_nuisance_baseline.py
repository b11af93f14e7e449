"""Nuisance features, and the baselines that every report shows."""

import numpy as np
import pytest

from jaxastro.data.series import make_series_record
from jaxastro.leakage.nuisance_baseline import (
    CORNER,
    majority_baseline,
    nuisance_baseline,
    nuisance_feature_names,
    nuisance_features,
)
from jaxastro.surveys import SURVEYS, survey_of

SURVEY = survey_of("sdss_sn_sim")


def features_of(flux, mjd, survey=SURVEY, band=0, **columns):
    record, _ = make_series_record(
        "SN1", survey, flux=flux, mjd=mjd, band=np.full(len(mjd), band), **columns
    )
    names = nuisance_feature_names(survey)
    return dict(zip(names, nuisance_features(record, survey), strict=True))


def noise_frames(num_epochs, seed=0, survey=SURVEY):
    size = (num_epochs, *2 * (survey.image_size or 32,))
    return np.random.default_rng(seed).normal(size=size)


SERIES = {
    name: each for name, each in SURVEYS.items() if each.kind == "series" and each.bands
}


@pytest.mark.parametrize("survey", SERIES.values(), ids=SERIES)
def test_features_are_named_once_and_float32(survey):
    names = nuisance_feature_names(survey)
    record, _ = make_series_record(
        "a", survey, flux=noise_frames(4, survey=survey), mjd=range(4), band=[0] * 4
    )
    found = nuisance_features(record, survey)
    assert found.dtype == np.float32
    assert found.shape == (len(names),) == (len(set(names)),)


def test_features_by_hand():
    # Two nights of one season, one of the next: 300 days is a gap, 30 are not.
    mjd = np.array([53000.1, 53000.3, 53030.2, 53330.2])
    found = features_of(
        noise_frames(4), mjd, band=2, psf_fwhm=[1, 2, 3, 9], noise=0.5, zero_point=23.9
    )
    assert found["num_epochs"] == found["epochs_r"] == 4
    assert found["epochs_u"] == 0
    assert found["num_nights"] == 3
    assert found["num_seasons"] == 2
    assert found["span_days"] == pytest.approx(330.1, abs=1e-3)
    assert found["median_gap_days"] == pytest.approx(29.9, abs=1e-3)
    assert sum(found[f"season_{i:02d}"] for i in range(12)) == pytest.approx(1)
    assert found["seeing"] == 2.5
    assert found["noise"] == 0.5
    assert found["noise_scatter"] == 0
    assert np.isnan(found["gain"])
    assert found["corner_noise"] == pytest.approx(1, abs=0.1)


def test_features_do_not_depend_on_the_centre_of_the_frame():
    flux, mjd = noise_frames(9), np.arange(9)
    before = features_of(flux, mjd)
    flux[:, CORNER:-CORNER, :] += 1e6
    flux[:, :, CORNER:-CORNER] += np.random.default_rng(1).normal(size=(9, 32, 22))
    bad = np.zeros(flux.shape, bool)
    bad[:, 16, 16] = True  # a saturated centre depends on the brightness
    assert str(features_of(flux, mjd, bad_pixel=bad)) == str(before)


def test_features_do_not_depend_on_constant_light_but_on_a_variable_sky():
    flux, mjd = noise_frames(30), np.arange(30)
    before = features_of(flux, mjd)
    y, x = np.mgrid[:32, :32]
    host = 20 * np.exp(-np.hypot(y - 14, x - 18) / 8)  # reaches the corners
    with_host = features_of(flux + host, mjd)
    assert host[:CORNER, :CORNER].mean() > 1
    for name in ("sky_offset_scatter", "corner_noise"):
        assert with_host[name] == pytest.approx(before[name], rel=0.2)
    sky = np.random.default_rng(2).normal(scale=3, size=(30, 1, 1))
    moved = features_of(flux + sky, mjd)
    assert moved["sky_offset_scatter"] > 10 * before["sky_offset_scatter"]


def test_one_epoch_and_bad_corners_give_nan():
    flux = noise_frames(1)
    bad = np.ones(flux.shape, bool)
    bad[:, 16, 16] = False
    found = features_of(flux, [53000.0], bad_pixel=bad)
    assert found["bad_corner_share"] == 1
    assert np.isnan(found["corner_noise"])
    assert found["span_days"] == found["median_gap_days"] == 0


def test_the_baseline_finds_a_leak_only_where_there_is_one():
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, 300)
    features = rng.normal(size=(300, 8)).astype(np.float32)
    features[:, 3] = np.nan  # a column without values
    half = slice(0, 150), slice(150, 300)

    def accuracy_of(features):
        probability = nuisance_baseline(
            features[half[0]], label[half[0]], features[half[1]], num_classes=4, seed=0
        )
        np.testing.assert_allclose(probability.sum(axis=1), 1, atol=1e-5)
        assert (probability[:, 3] == 0).all()  # absent from training
        return (probability.argmax(axis=1) == label[half[1]]).mean()

    assert accuracy_of(features) < 0.5
    features[:, 0] = label + rng.normal(scale=0.1, size=300)
    assert accuracy_of(features) > 0.95


def test_a_baseline_is_reproducible_and_needs_training_objects():
    rng = np.random.default_rng(0)
    features, label = rng.normal(size=(40, 3)), rng.integers(0, 2, 40)
    settings = {"num_classes": 2, "seed": 1}
    first, second = (
        nuisance_baseline(features, label, features, **settings) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    only = nuisance_baseline(features, np.ones(40, int), features, **settings)
    np.testing.assert_array_equal(only[:, 1], 1)
    with pytest.raises(ValueError, match="Training labels: none"):
        nuisance_baseline(features[:0], label[:0], features, **settings)
    with pytest.raises(ValueError, match="one row per label"):
        nuisance_baseline(features, label, features[:, :2], **settings)


def test_the_majority_baseline_gives_the_class_frequencies():
    found = majority_baseline(np.array([0, 0, 2, 2, 2]), 3, 4)
    np.testing.assert_allclose(found, [[0.4, 0, 0.6, 0]] * 3)
    with pytest.raises(ValueError, match="0 to 4"):
        majority_baseline(np.array([0, 4]), 3, 4)
