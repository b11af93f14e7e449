"""Random forest and gradient boosting: training, prediction, and stored files."""

import os

import numpy as np
import pytest
import skops.io
from sklearn.dummy import DummyClassifier

from data_builders.hits import hits
from jaxastro.baselines.aperture_features import aperture_features
from jaxastro.baselines.classifiers import CLASSIFIERS, FittedClassifier, fit_predict
from jaxastro.errors import InputError, MissingFileError
from jaxastro.surveys import SURVEYS

HITS = SURVEYS["hits"]


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_a_classifier_is_reproducible_and_unseen_classes_have_probability_0(kind):
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
def test_wrong_training_sets_are_errors(train, label, message):
    with pytest.raises(ValueError, match=message):
        fit_predict(train, label, np.zeros((4, 2)), num_classes=3, seed=0)


@pytest.mark.slow
def test_the_forest_classifies_real_variable_stars():
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
def test_a_file_that_is_not_a_classifier_is_an_error(content, tmp_path):
    path = tmp_path / "classifier.skops"
    path.write_bytes(content if isinstance(content, bytes) else skops.io.dumps([1]))
    with pytest.raises(InputError, match="cannot be read as a classifier"):
        FittedClassifier.load(path)


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_file_is_an_error(fitted, tmp_path, seed):
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


def test_a_model_of_another_kind_is_an_error(fitted, tmp_path):
    other = fitted._replace(model=DummyClassifier().fit([[0.0]], [0]))
    other.save(tmp_path / "classifier.skops")
    with pytest.raises(InputError, match="is not a forest or boosting"):
        FittedClassifier.load(tmp_path / "classifier.skops")


def test_trees_with_wrong_indices_are_errors(fitted, tmp_path):
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


def test_a_missing_classifier_is_an_error(tmp_path):
    with pytest.raises(MissingFileError, match="No classifier at"):
        FittedClassifier.load(tmp_path / "classifier.skops")
