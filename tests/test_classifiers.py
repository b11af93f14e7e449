import os

import numpy as np
import pytest
import skops.io
from sklearn.dummy import DummyClassifier

from data_builders.hits import hits
from jaxastro.baselines.aperture_features import (
    aperture_feature_names,
    aperture_features,
    noise_feature_names,
    noise_features,
)
from jaxastro.baselines.classifiers import CLASSIFIERS, FittedClassifier, fit_predict
from jaxastro.data.series import make_series_record
from jaxastro.errors import InputError, MissingFileError
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


def test_features_know_the_amplitude_the_period_and_the_trend():
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


def test_features_of_shape_do_not_see_the_sky_or_the_scale():
    mjd = 57000 + np.arange(12) / 5
    flux = 1e5 * (2 + np.cos(np.arange(12)))
    plain = star(flux, mjd, noise=0.0)
    scaled = plain._replace(flux=3 * plain.flux + 700)
    absolute = {"g_brightness", "g_noise", "g_absolute_amplitude"}
    one, other = named(plain), named(scaled)
    for name in one.keys() - absolute:
        assert one[name] == pytest.approx(other[name], rel=1e-2, abs=1e-3), name


def test_every_band_has_its_own_features_and_a_rare_one_has_none():
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


def test_noise_features_never_see_the_centre():
    mjd = 57000 + np.arange(10.0)
    record = star(np.full(10, 1e4), mjd)
    flux = record.flux.copy()
    flux[:, 5:16, 5:16] = 1e7 * np.random.default_rng(0).normal(size=(10, 11, 11))
    changed = noise_features(record._replace(flux=flux))
    np.testing.assert_array_equal(noise_features(record), changed)
    assert len(noise_feature_names()) == len(changed)


def test_noise_features_tell_smoothed_noise_from_white_noise():
    mjd = 57000 + np.arange(20.0)
    white = star(np.zeros(20), mjd)
    image = white.flux - 120
    smooth = image + np.roll(image, 1, axis=2)
    place = noise_feature_names().index("correlation_x")
    assert noise_features(white)[place] == pytest.approx(0, abs=0.1)
    smoothed = noise_features(white._replace(flux=smooth))
    # Averaging two neighbours correlates the next pixel by one half.
    assert smoothed[place] == pytest.approx(0.5, abs=0.1)


def test_noise_features_exist_where_every_corner_has_a_bad_pixel():
    record = star(np.zeros(4), np.arange(4.0))
    bad = record.bad_pixel.copy()
    bad[:, 0, 0] = True
    assert np.isfinite(noise_features(record._replace(bad_pixel=bad))).all()


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_a_classifier_repeats_itself_and_gives_unseen_classes_nothing(kind):
    generator = np.random.default_rng(0)
    label = np.arange(60) % 2
    features = generator.normal(size=(60, 4)) + 3 * label[:, None]
    features[::7, 1], features[:, 2] = np.nan, np.nan
    first, second = (
        fit_predict(features, label, features[:9], num_classes=3, seed=4, kind=kind)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    assert first.argmax(axis=1).tolist() == label[:9].tolist()
    assert (first[:, 2] == 0).all()
    np.testing.assert_allclose(first.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("train", "label", "message"),
    [
        (np.zeros((3, 2)), [0, 1], "2 labels. A classifier needs one row per label"),
        (np.zeros((2, 5)), [0, 1], r"fitted to 5 features: give \[objects, 5\]"),
        (np.zeros((0, 2)), [], "0 labels"),
        (np.zeros((2, 2)), [0, 3], "labels run from 0 to 3"),
    ],
)
def test_bad_training_sets_are_refused(train, label, message):
    with pytest.raises(ValueError, match=message):
        fit_predict(train, label, np.zeros((4, 2)), num_classes=3, seed=0)


@pytest.mark.slow
def test_the_forest_tells_real_variables_apart():
    if not os.environ.get("JAXASTRO_DATA"):
        pytest.skip("JAXASTRO_DATA is not set: no real HiTS stamps to read")
    records = [reading.record for reading in hits.read(hits.find_hits(None))]
    records = [record for record in records if record.label != "NonVariable"]
    features = np.array([aperture_features(r, HITS) for r in records])
    label = np.array([HITS.classes.index(r.label) for r in records])
    test = np.array([int(r.group[-2:]) % 4 == 0 for r in records])
    probability = fit_predict(
        features[~test], label[~test], features[test], num_classes=4, seed=0
    )
    assert (probability.argmax(axis=1) == label[test]).mean() > 0.85


@pytest.fixture(params=CLASSIFIERS)
def fitted(request):
    generator = np.random.default_rng(1)
    features = generator.normal(size=(90, 5))
    features[::7, 1] = np.nan
    return FittedClassifier.fit(
        features,
        np.arange(90) % 3,
        classes=("a", "b", "c"),
        feature_sets=("shape",),
        feature_names=tuple("vwxyz"),
        seed=2,
        kind=request.param,
    )


def test_a_stored_classifier_gives_the_same_probabilities_to_the_bit(fitted, tmp_path):
    fitted.save(tmp_path / "classifier.skops")
    again = FittedClassifier.load(tmp_path / "classifier.skops")
    assert again[:3] == fitted[:3]
    new = np.random.default_rng(3).normal(size=(40, 5))
    np.testing.assert_array_equal(
        again.predict_probability(new), fitted.predict_probability(new)
    )


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"text", "a list"])
def test_a_file_that_is_no_classifier_is_refused(content, tmp_path):
    path = tmp_path / "classifier.skops"
    path.write_bytes(content if isinstance(content, bytes) else skops.io.dumps([1]))
    with pytest.raises(InputError, match="cannot be read as a classifier"):
        FittedClassifier.load(path)


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_file_is_refused(fitted, tmp_path, seed):
    path = tmp_path / "classifier.skops"
    fitted.save(path)
    content = np.frombuffer(path.read_bytes(), np.uint8).copy()
    generator = np.random.default_rng(seed)
    content[generator.integers(0, len(content), len(content) // 50)] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as a classifier"):
        FittedClassifier.load(path)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="cannot be read as a classifier"):
        FittedClassifier.load(path)


def test_a_model_of_another_kind_is_refused(fitted, tmp_path):
    other = fitted._replace(model=DummyClassifier().fit([[0.0]], [0]))
    other.save(tmp_path / "classifier.skops")
    with pytest.raises(InputError, match="is not a forest or boosting"):
        FittedClassifier.load(tmp_path / "classifier.skops")


def test_trees_that_refer_to_nothing_are_refused(fitted, tmp_path):
    # Prediction with such trees reads memory outside of the arrays.
    wide = fitted._replace(known=fitted.known[:1])
    wide.save(tmp_path / "features.skops")
    with pytest.raises(InputError, match="features that do not exist"):
        FittedClassifier.load(tmp_path / "features.skops")
    if hasattr(fitted.model, "estimators_"):
        fitted.model.estimators_[0].tree_.children_left[0] = 10_000
    else:
        fitted.model._predictors[0][0].nodes["left"][0] = 10_000
    fitted.save(tmp_path / "nodes.skops")
    with pytest.raises(InputError, match="nodes that do not exist"):
        FittedClassifier.load(tmp_path / "nodes.skops")


class CodeThatRuns:
    def __reduce__(self):
        return (print, ("code was run",))


def test_a_stored_object_of_an_unknown_type_is_not_loaded(tmp_path, capsys):
    path = tmp_path / "classifier.skops"
    path.write_bytes(skops.io.dumps({"model": CodeThatRuns()}))
    with pytest.raises(InputError, match="cannot be read as a classifier"):
        FittedClassifier.load(path)
    assert "code was run" not in capsys.readouterr().out


def test_a_classifier_that_is_not_there_is_a_missing_file(tmp_path):
    with pytest.raises(MissingFileError, match="No classifier at"):
        FittedClassifier.load(tmp_path / "classifier.skops")
