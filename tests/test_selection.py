"""Studies of features: correlated groups, forward selection, accuracy by features."""

import csv
import json

import numpy as np
import pytest
from sklearn.feature_selection import SequentialFeatureSelector
from support.runs import error_message, smoke

from configs import lstm
from jaxastro.baselines import feature_selection
from jaxastro.runs import feature_study
from jaxastro.runs.dataset import Dataset


def objects(count=240, seed=0):
    """Two features that separate three classes together, a copy of one, and noise."""
    generator = np.random.default_rng(seed)
    label = np.arange(count) % 3
    informative = np.stack([label == 0, label == 1], axis=1) * 3.0
    informative += generator.normal(size=informative.shape)
    noise = generator.normal(size=(count, 3))
    table = np.concatenate([informative, -(informative[:, :1] ** 3), noise], axis=1)
    table[::9, 4] = np.nan
    return table, label


def test_correlated_features_are_grouped_for_any_scale_and_sign():
    table, _ = objects()
    correlation = feature_selection.rank_correlation(table)
    np.testing.assert_allclose(np.diag(correlation), 1)
    assert correlation[0, 2] == pytest.approx(-1)
    assert feature_selection.first_of_group(correlation) == [0, 1, 0, 3, 4, 5]
    constant = np.column_stack([table, np.ones(len(table))])
    assert (
        feature_selection.first_of_group(feature_selection.rank_correlation(constant))[
            -1
        ]
        == 6
    )


def test_each_step_is_that_of_scikit_learn():
    table, label = objects(count=150)
    order, scores = feature_selection.select_forward(table[:, :5], label, seed=0)
    for count in range(1, 5):
        theirs = SequentialFeatureSelector(
            feature_selection.small_forest(0),
            n_features_to_select=count,
            scoring=feature_selection.SCORING,
            cv=feature_selection.cross_validation(0),
        ).fit(table[:, :5], label)
        assert set(np.flatnonzero(theirs.get_support())) == set(order[:count])
    assert sorted(order) == list(range(5))
    assert len(scores) == 5


def test_informative_features_come_first_and_the_others_add_nothing():
    train, test = objects(), objects(seed=1)
    found = feature_study.study_fold(train, test, seed=0)
    assert set(found["order"][:2]) == {0, 1}
    assert sorted(found["order"]) == [0, 1, 3, 4, 5]
    assert sum(found["importance"].values()) == pytest.approx(1)
    for curve in found["accuracy"].values():
        assert curve[1] > curve[0] + 0.1
        assert curve[1] > 0.8


def test_the_selection_does_not_depend_on_the_test_fold():
    train, (table, label) = objects(count=90), objects(count=60, seed=1)
    one = feature_study.study_fold(train, (table, label), seed=0)
    other = feature_study.study_fold(train, (-table, 2 - label), seed=0)
    assert one.pop("accuracy") != other.pop("accuracy")
    assert one == other


@pytest.mark.slow
def test_a_study_writes_tables_and_pictures_and_skips_finished_folds(
    tmp_path, data_dir, monkeypatch
):
    def four_known(dataset, task, name, table_folder):
        del task, name, table_folder
        table = np.full((len(dataset.index.label), 144 - 5), np.nan)
        columns = np.random.default_rng(0).normal(size=(len(table), 4))
        table[:, 7:11] = columns + (dataset.index.label == "AGN")[:, None]
        return table

    spec = smoke(lstm.get_config)
    where = {"folds": [0, 1], "data_dir": data_dir, "manual_dir": ""}
    monkeypatch.setattr(feature_selection, "NUM_PARTS", 2)
    monkeypatch.setattr(feature_study, "feature_table", four_known)
    found = feature_study.study(spec, tmp_path, sets=["shape"], **where)
    monkeypatch.setattr(feature_study, "study_fold", None)  # a call of it fails
    again = feature_study.study(spec, tmp_path, sets=["shape"], **where)
    paths = feature_study.write(again, tmp_path)
    assert found == again
    assert all(path.stat().st_size for path in paths)
    assert {p.name for p in paths if p.suffix == ".png"} == {
        "accuracy_by_features.png",
        "feature_correlation.png",
        "feature_importance.png",
    }
    with (tmp_path / "features.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(found[0]["features"])
    assert json.loads((tmp_path / "features.json").read_text())["1"] == found[1]
    study = feature_study.study
    spec = spec.replace({"seed": 1})
    words = error_message(study, spec, tmp_path, sets=["shape"], **where)
    assert "is of another seed: 0. Use a new --workdir." in words
    words = error_message(study, spec, tmp_path, sets=["colour"], **where)
    assert words.startswith("No feature set 'colour' for light_curves/sdss_sn_sim")
    monkeypatch.setattr(Dataset, "labelled", lambda dataset, split: np.zeros(0, int))
    words = error_message(study, spec, tmp_path / "none", sets=["shape"], **where)
    assert "has 0 training and 0 test objects of" in words
    assert "config.representation.normalisation=harmonic" in words
