"""A trained run as one object: a notebook gets the probabilities of its report."""

import json

import numpy as np
import pytest
from support import commands
from support.runs import smoke

import data_builders
import jaxastro
from configs import convention, lstm
from jaxastro.errors import InputError, MissingFileError
from jaxastro.runs import train, train_on_features


@pytest.fixture(scope="module")
def records(data_dir):
    """All records of the data set of the trained run, by name."""
    found = data_builders.load("sdss_sn_sim/tiny", data_dir=data_dir)
    return {record.object_id: record for record in found}


@pytest.fixture(scope="module")
def run(trained):
    return jaxastro.load(trained[0])


def records_of_test_fold(run, records):
    stored = run.predictions()
    return stored, [records[name] for name in stored.object_id]


# -- one run ---------------------------------------------------------------------------


def test_predictions_of_the_test_fold_are_those_of_its_report(run, records):
    stored, tested = records_of_test_fold(run, records)
    table = run.predict(tested)
    assert table.object_id.tolist() == stored.object_id.tolist()
    np.testing.assert_allclose(table.probability, stored.probability, atol=1e-5)
    np.testing.assert_allclose(table.embedding, stored.embedding, atol=1e-4)
    assert table.classes == run.classes == stored.classes


def test_a_run_states_its_settings_and_its_survey(run):
    assert run.config["survey"] == "sdss_sn_sim/tiny"
    assert run.survey.bands == ("u", "g", "r", "i", "z")
    assert run.classes == ("AGN", "SNIa", "SNOther", "Variable")
    assert "convention on sdss_sn_sim/tiny" in repr(run)
    assert 0 <= run.scores()["accuracy"]["value"] <= 1


def test_arrays_give_the_same_probabilities_as_the_record(run, records):
    record = next(iter(records.values()))
    expected = run.predict([record])
    names = ("flux", "mjd", "band", "psf_fwhm", "noise", "bad_pixel")
    arrays = {name: getattr(record, name) for name in names}
    band_names = np.array(run.survey.bands)[record.band]
    for given in (
        arrays,
        [arrays | {"object_id": "mine"}],
        arrays | {"band": band_names},
    ):
        table = run.predict(given)
        np.testing.assert_allclose(table.probability, expected.probability, atol=1e-6)
    assert run.predict([arrays | {"object_id": "mine"}]).object_id.tolist() == ["mine"]


def test_an_object_that_cannot_be_read_costs_that_object_alone(run, records):
    one, other, *_ = records.values()
    broken = {"object_id": "broken", "flux": one.flux[:-1], "mjd": one.mjd, "band": 1}
    table = run.predict([one, broken, other])
    assert table.object_id.tolist() == [one.object_id, other.object_id]
    ((name, reason),) = table.set_aside
    assert name == "broken"
    assert "one time per cutout" in reason


def test_no_probability_that_is_no_number_leaves(run, records, tmp_path):
    good, other = list(records.values())[:2]
    huge = other._replace(flux=np.full_like(other.flux, 3e38), object_id="huge")
    report = tmp_path / "set_aside.json"
    table = run.predict([good, huge, other], report=report)
    assert table.object_id.tolist() == [good.object_id, other.object_id]
    assert np.isfinite(table.probability).all()
    ((name, reason),) = table.set_aside
    assert name == "huge"
    assert "Check the unit of its fluxes" in reason
    counts = json.loads(report.read_text())
    assert counts["objects_set_aside"] == 1
    assert "huge" in json.dumps(counts)
    with pytest.raises(InputError, match="Not one object has a prediction"):
        run.predict([huge])
    with pytest.raises(InputError, match="Not one object has a prediction"):
        run.predict_to_file([huge], tmp_path / "p.csv")
    assert not (tmp_path / "p.csv").exists()


def test_input_that_is_no_object_is_refused(run):
    with pytest.raises(InputError, match="Give records, mappings"):
        run.predict([3.0])
    with pytest.raises(InputError, match="objects were given as int"):
        run.predict(3)
    with pytest.raises(InputError, match="arguments of make_series"):
        run.predict([{"flux": np.zeros((1, 32, 32)), "colour": 1}])
    with pytest.raises(InputError, match="holds no object"):
        run.predict([])


def test_a_table_becomes_arrow_and_files_with_the_same_numbers(run, records, tmp_path):
    table = run.predict(list(records.values())[:3])
    assert repr(table).startswith("PredictionTable(3 rows, classes AGN, SNIa")
    arrow = table.to_arrow()
    assert arrow.column_names[:2] == ["object_id", "predicted"]
    p_agn = np.array(arrow["p_AGN"])
    np.testing.assert_array_equal(p_agn, table.probability[:, 0])
    for name in ("t.csv", "t.parquet", "t.avro"):
        table.write(tmp_path / name)
        found = jaxastro.runs.prediction_table.read_predictions(tmp_path / name)
        np.testing.assert_allclose(np.float64(found["p_AGN"]), p_agn, atol=1e-6)
    with pytest.raises(InputError, match=r"ends in .csv, .parquet, .avro"):
        table.write(tmp_path / "t.xlsx")


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(MissingFileError, match="is not the folder of a run"):
        jaxastro.load(tmp_path)
    with pytest.raises(InputError, match="No run was given"):
        jaxastro.load()
    with pytest.raises(InputError, match=r"given as list\. A path is expected"):
        jaxastro.load([tmp_path, tmp_path])


# -- several runs ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def other_run(tmp_path_factory, data_dir):
    workdir = tmp_path_factory.mktemp("other") / "run"
    spec = smoke(convention.get_config, seed=3)
    train(spec, workdir, data_dir=data_dir, evaluated=False)
    return workdir


def test_an_ensemble_is_the_mean_of_its_members(trained, other_run, records):
    some = list(records.values())[:4]
    members = [jaxastro.load(path).predict(some) for path in (trained[0], other_run)]
    table = jaxastro.load(trained[0], other_run).predict(some)
    both = np.stack([member.probability for member in members])
    np.testing.assert_allclose(table.probability, both.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(table.spread, both.std(axis=0), atol=1e-9)
    assert table.spread.max() > 0
    same = jaxastro.load(trained[0], trained[0]).predict(some)
    np.testing.assert_array_equal(same.probability, members[0].probability)
    assert (same.spread == 0).all()


def test_runs_of_other_classes_are_no_ensemble(trained, tmp_path, data_dir):
    spec = smoke(convention.get_config, classes=("SNIa", "AGN"))
    train(spec, tmp_path / "two", data_dir=data_dir, evaluated=False)
    with pytest.raises(InputError, match="differ in their classes"):
        jaxastro.load(trained[0], tmp_path / "two")


# -- forests and boosting --------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "make", "features"),
    [("forest", convention, ("aperture",)), ("boosting", lstm, ("shape", "steady"))],
)
def test_a_forest_opens_and_predicts_like_a_network(
    kind, make, features, tmp_path, data_dir
):
    spec = smoke(make.get_config)
    train_on_features(spec, tmp_path, kind=kind, features=features, data_dir=data_dir)
    run = jaxastro.load(tmp_path / "fold_0/seed_0")
    found = data_builders.load(spec.survey, data_dir=data_dir)
    by_name = {record.object_id: record for record in found}
    stored, tested = records_of_test_fold(run, by_name)
    table = run.predict(tested)
    np.testing.assert_allclose(table.probability, stored.probability, atol=1e-6)
    assert not table.spread.size


def test_a_network_and_boosting_are_an_ensemble(trained, tmp_path, data_dir, records):
    spec, features = smoke(convention.get_config), ("matched",)
    train_on_features(
        spec, tmp_path, kind="boosting", features=features, data_dir=data_dir
    )
    folders, some = (trained[0], tmp_path / "fold_0/seed_0"), list(records.values())[:3]
    both = [jaxastro.load(folder).predict(some).probability for folder in folders]
    table = jaxastro.load(*folders).predict(some)
    np.testing.assert_allclose(table.probability, np.mean(both, axis=0), atol=1e-9)


# -- all objects -----------------------------------------------------------------------


@pytest.mark.parametrize("held_out", ["validation", "nothing"])
def test_a_run_can_train_on_all_objects(held_out, tmp_path, data_dir, records):
    spec = smoke(convention.get_config, **{"folds.held_out": held_out})
    train(spec, tmp_path, data_dir=data_dir)
    run = jaxastro.load(tmp_path)
    page = (tmp_path / "report/index.html").read_text(encoding="utf-8")
    if held_out == "nothing":
        assert not (tmp_path / "predictions").exists()
        assert "No object was held out" in page
    else:
        assert run.predictions().scored_against.endswith("which selected the state")
        assert "selected the state" in page
    assert len(run.predict(list(records.values())[:2])) == 2


def test_an_unknown_way_to_hold_out_is_refused(tmp_path, data_dir):
    spec = smoke(convention.get_config, **{"folds.held_out": "some"})
    with pytest.raises(InputError, match=r"No held_out 'some'. Known: validation_and"):
        train(spec, tmp_path, data_dir=data_dir)


# -- imports ---------------------------------------------------------------------------


def test_import_jaxastro_loads_neither_jax_nor_tfds():
    program = (
        "import sys, jaxastro, data_builders, jaxastro.commands.main\n"
        "heavy = {'jax', 'tensorflow_datasets', 'sklearn', 'matplotlib', 'absl'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "print(jaxastro.__version__, jaxastro.models.__name__)"
    )
    done = commands.python("-c", program)
    assert done.code == 0, done.stderr
    assert done.stdout.split()[1] == "jaxastro.models"


def test_names_that_do_not_exist_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'telescope'"):
        _ = jaxastro.telescope
    assert set(jaxastro.__all__) <= set(dir(jaxastro))
