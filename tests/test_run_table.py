"""The command that runs a whole table, as a user runs it, and the tables in configs."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from support import commands
from support.runs import error_message, smoke, spec_of, task_of

from configs.tables import base
from experiments import run_table
from jaxastro.baselines.classifiers import CLASSIFIERS
from jaxastro.baselines.features import FEATURE_SETS, feature_names
from jaxastro.errors import DivergedError
from jaxastro.runs import training_loop
from jaxastro.runs.dataset import open_dataset
from jaxastro.runs.feature_run import feature_table
from jaxastro.runs.task import make_task
from jaxastro.surveys import survey_of

TABLES = sorted(set(Path("configs/tables").glob("*.py")) - {Path(base.__file__)})
TABLES = [path for path in TABLES if path.stem not in ("base", "__init__")]
KEYS = {"model", "fold", "seed", "accuracy", "macro_f1", "seconds", "parameters"}


def table_of(path, preset):
    table = runpy.run_path(str(path))["get_config"](preset)
    table.lock()
    return table


@pytest.fixture(scope="module")
def done(tmp_path_factory, data_dir):
    """A network and two classifiers of a table, as the command leaves them."""
    workdir = tmp_path_factory.mktemp("tables")
    found = commands.run(
        "run_table",
        "--config=configs/tables/table_4_4.py:smoke",
        workdir=workdir,
        data_dir=data_dir,
        systems="convention,forest,boosting_features",
    )
    assert found.code == 0, found.stderr
    return workdir, found


@pytest.mark.slow
def test_the_table_has_a_row_for_each_run_and_for_each_pooled_system(done):
    workdir, found = done
    folder = workdir / "honest" / "table_4_4"
    rows = json.loads((folder / "table.json").read_text())
    for row in rows:
        assert set(row) >= KEYS
        for score in ("accuracy", "macro_f1"):
            interval = row[score]
            assert 0 <= interval["low"] <= interval["value"] <= interval["high"] <= 1
    runs = [(r["model"], r["fold"], r["seed"]) for r in rows if r["fold"] != "all"]
    names = ("ConvEntion, ugriz", "random forest on light curves")
    names += ("gradient boosting, features, light curves",)
    assert runs == [(name, fold, 0) for name in names for fold in (0, 1)]
    assert {r["seed"] for r in rows if r["fold"] == "all"} == {"mean", "ensemble"}
    seconds = [r["seconds"] for r in rows if r["fold"] != "all"]
    assert min(seconds) > 0
    assert (folder / "table.md").read_text() in found.stdout
    assert "Traceback" not in found.stderr


@pytest.mark.slow
def test_finished_runs_are_not_repeated(done, data_dir, monkeypatch):
    workdir, _ = done
    monkeypatch.setattr(training_loop, "_train_members", None)  # a call of it fails
    monkeypatch.setattr("jaxastro.runs.feature_run._write_run", None)
    table = table_of("configs/tables/table_4_4.py", "smoke")
    run_table.run_table(
        table,
        workdir / "honest",
        only=["convention", "forest", "boosting_features"],
        data_dir=data_dir,
        manual_dir="",
    )


@pytest.mark.slow
def test_the_second_stage_starts_from_the_first_of_the_same_fold(done):
    workdir, _ = done
    for fold in (0, 1):
        run = workdir / f"honest/convention/confirmed/fold_{fold}/seed_0"
        config = json.loads((run / "config.json").read_text())
        before = workdir / f"honest/convention/photometric/fold_{fold}/seed_0"
        assert config["init_from"] == str(before)
        assert config["folds"]["stage"] == "confirmed"
        first, second = (
            json.loads((one / "task.json").read_text()) for one in (before, run)
        )
        assert first["statistics"] == second["statistics"]


def test_a_feature_table_covers_the_objects_of_every_fold(
    tmp_path, data_dir, monkeypatch
):
    def one_of_each(record, survey, sets):
        del record
        return np.ones(len(feature_names(survey, sets)))

    monkeypatch.setattr("jaxastro.runs.feature_run.features_of", one_of_each)
    # Of this fold alone there are few; the table is for the others as well.
    few = {"folds.num_validated": 1, "selection.per_class": 1}
    for fold in range(5):
        spec = smoke(**few, **{"folds.test_fold": fold})
        dataset = open_dataset(spec, data_dir=data_dir)
        task = make_task(spec, dataset.survey, dataset.classes, statistics={})
        table = feature_table(dataset, task, "aperture", tmp_path)
        for split in ("train", "test"):
            assert np.isfinite(table[dataset.labelled(split)]).all()
    (kept,) = tmp_path.glob("*.npz")
    np.savez(kept, **{**np.load(kept), "object_id": ["another"], "table": table + 1})
    again = feature_table(dataset, task, "aperture", tmp_path)
    np.testing.assert_array_equal(again, table)  # not those of other objects


@pytest.mark.parametrize("preset", base.PRESETS)
@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_row_of_every_table_is_a_valid_spec(path, preset):
    table = table_of(path, preset)
    assert table.name == path.stem
    assert set(table.rows) == set(table.systems)
    assert {table.reference, *table.shown} <= set(table.rows)
    for name in table.rows:
        for stage in table.systems[name].stages:
            config = run_table.stage_config(table, name, stage, Path("runs"))
            first = stage == table.systems[name].stages[0]
            assert bool(config.init_from) != first
            assert config.folds.protocol == table.protocol
            assert config.augment.max_epochs <= config.loader.loaded_epochs
            assert config.optimizer.warmup_steps < config.num_steps
            spec_of(config)
        system = table.systems[name]
        assert system.kind in ("network", *CLASSIFIERS)
        assert bool(system.features) == (system.kind != "network")
        kinds = {FEATURE_SETS[one].kind for one in system.features}
        assert not kinds or kinds == {survey_of(config.survey).kind}


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_systems_that_tables_share_are_the_same_in_all(path):
    shared = table_of("configs/tables/table_4_4.py", "laptop")
    table = table_of(path, "laptop")
    if table.changes != shared.changes:
        return  # another task, under keys of its own
    for name in set(table.rows) & set(shared.rows):
        for stage in table.systems[name].stages:
            one, other = (
                run_table.stage_config(t, name, stage, Path("runs")).to_dict()
                for t in (table, shared)
            )
            assert one == other


def test_the_published_sizes_have_the_published_counts():
    millions = {"convention": 1.253, "convention_g": 1.253, "cnn_gru": 1.993}
    millions |= {"cnn_gru_g": 1.992, "cnn_lstm": 2.190, "cnn_lstm_g": 2.189}
    table = table_of("configs/tables/table_4_4.py", "paper")
    for name, count in millions.items():
        spec = spec_of(run_table.stage_config(table, name, "confirmed", Path("runs")))
        parameters = run_table.count_parameters(spec, task_of(spec))
        assert round(parameters / 1e6, 3) == count


def test_where_all_runs_diverged_the_error_names_the_reason(tmp_path, monkeypatch):
    def diverge(*_, **__):
        raise DivergedError("The loss became NaN.")

    monkeypatch.setattr(run_table, "train_many", diverge)
    table = table_of("configs/tables/table_4_4.py", "smoke")
    with pytest.raises(FloatingPointError, match=r"The loss became NaN\."):
        run_table.run_table(table, tmp_path, only=["convention"])


def test_unknown_systems_and_presets_are_refused(tmp_path):
    config = "--config=configs/tables/table_4_4.py:smoke"
    found = commands.run("run_table", config, workdir=tmp_path, systems="resnet")
    assert found.error_message.startswith(
        "--systems has 'resnet'. Table 4.4: four classes"
    )
    words = error_message(table_of, "configs/tables/table_4_4.py", "huge")
    assert words.startswith("No preset named 'huge'. Known presets: auto, paper, lap")
