"""The command that trains folds and seeds side by side, as a user runs it."""

import json

import numpy as np
import pytest
from support import commands
from support.runs import assert_same_bits, error_message, scalars_of, smoke, state_of

from configs import semiconformer
from experiments import train_many
from experiments.report import write_report
from experiments.train import train
from jaxastro.evaluation.predictions import load
from jaxastro.runs import assemble
from jaxastro.runs.dataset import measure_statistics, open_dataset
from jaxastro.runs.training_run import Cell
from jaxastro.training.scalars import read_scalars


def train_cells(workdir, data_dir, *, folds=(0, 1), seeds=(0, 1), **changed):
    return train_many.train_many(
        smoke(**changed), workdir, folds=folds, seeds=seeds, data_dir=data_dir
    )


@pytest.fixture(scope="module")
def cells(tmp_path_factory, data_dir):
    """Two folds of two seeds, as the command leaves them."""
    workdir = tmp_path_factory.mktemp("many")
    done = commands.run(
        "train_many",
        "--config=configs/convention.py:smoke",
        workdir=workdir,
        data_dir=data_dir,
        folds="0,1",
        seeds="0,1",
    )
    assert done.code == 0, done.stderr
    return workdir, done


@pytest.mark.slow
def test_the_table_pools_folds_seeds_and_their_ensemble(cells):
    workdir, done = cells
    rows = json.loads((workdir / "pooled.json").read_text())
    names = ["seed 0", "seed 1", "mean of the seeds", "ensemble of the seeds"]
    assert [row["model"] for row in rows] == names
    tested = [load(workdir / f"fold_{fold}/seed_0/predictions") for fold in (0, 1)]
    for row in rows:
        assert row["objects"] == sum(len(p.label) for p in tested)
        for score in ("accuracy", "macro_f1"):
            assert 0 <= row[score]["low"] <= row[score]["value"] <= row[score]["high"]
    assert "2 of 5 test folds pooled" in done.stdout
    assert (workdir / "pooled.md").read_text() in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_every_cell_is_a_run_that_other_commands_read(cells):
    workdir, _ = cells
    for fold in (0, 1):
        for seed in (0, 1):
            cell = workdir / f"fold_{fold}" / f"seed_{seed}"
            config = assemble.read_config(cell)
            assert (config.folds.test_fold, config.seed) == (fold, seed)
            assert [line["step"] for line in read_scalars(cell)] == [1, 2]
    write_report(cell)
    assert (cell / "report" / "index.html").is_file()


@pytest.mark.slow
def test_statistics_are_those_of_each_fold_alone(cells, data_dir):
    workdir, _ = cells
    found = []
    for fold in (0, 1):
        config = smoke(**{"folds.test_fold": fold})
        dataset = open_dataset(config, data_dir=data_dir, manual_dir="")
        survey = assemble.survey_of_config(config)
        expected = measure_statistics(dataset, config, survey)
        there = assemble.read_config(workdir / f"fold_{fold}" / "seed_1")
        assert there.statistics.to_dict() == expected
        found.append(expected)
    assert found[0] != found[1]


@pytest.mark.slow
def test_what_is_done_is_not_trained_again_and_other_configs_are_refused(
    cells, data_dir, monkeypatch
):
    workdir, _ = cells
    monkeypatch.setattr(train_many, "train_cells", None)  # whoever calls it fails
    rows = train_many.pooled_rows(train_cells(workdir, data_dir))
    assert rows == json.loads((workdir / "pooled.json").read_text())
    words = error_message(
        train_cells, workdir, data_dir, **{"optimizer.learning_rate": 0.5}
    )
    assert "holds a checkpoint of another config. config.optimizer.learning_rate" in (
        words
    )
    words = error_message(train_cells, workdir, data_dir, **{"mesh.fsdp": 2})
    assert words.startswith("config.mesh.fsdp is 2, but here each model lies wholly")


def test_folds_that_are_no_numbers_are_refused(tmp_path):
    config = "--config=configs/convention.py:smoke"
    done = commands.run("train_many", config, workdir=tmp_path, folds="0,x")
    assert done.error_message.startswith(
        "--folds=0,x is not a list of numbers from 0 on."
    )


@pytest.mark.slow
def test_a_cell_is_the_run_that_is_trained_alone(cells, tmp_path, data_dir):
    workdir, _ = cells
    config = smoke(**{"folds.test_fold": 1})
    config.seed = 1
    train(config, tmp_path, data_dir=data_dir)
    cell = workdir / "fold_1" / "seed_1"
    one, other = (json.loads((w / "config.json").read_text()) for w in (tmp_path, cell))
    assert one == other
    for mine, theirs in zip(read_scalars(cell), read_scalars(tmp_path), strict=True):
        for name in ("train/loss", "train/grad_norm", "validation/log_loss"):
            assert mine[name] == pytest.approx(theirs[name], rel=1e-3), name
    one, other = (load(w / "predictions") for w in (tmp_path, cell))
    np.testing.assert_allclose(one.probability, other.probability, atol=2e-3)
    train(config, cell, data_dir=data_dir)  # and can be continued as such


@pytest.mark.slow
@pytest.mark.parametrize("execution", ["sequential", "vmapped"])
def test_a_program_that_was_killed_continues_to_the_same_bits(
    tmp_path, data_dir, monkeypatch, execution
):
    def run(name):
        config = smoke(semiconformer.get_config, num_steps=4, evaluate_every=2)
        args = {
            "folds": [0, 1],
            "seeds": [0],
            "execution": execution,
            "data_dir": data_dir,
        }
        table = train_many.train_many(config, tmp_path / name, **args)
        return train_many.pooled_rows(table)

    whole = run("whole")
    save = Cell.save

    saved = []

    def die(cell, *args):  # when one cell has saved its last step, the other has not
        if saved and cell.step == 4:
            saved[-1].close()  # in one process its writer would outlive it
            raise KeyboardInterrupt
        save(cell, *args)
        if cell.step == 4:
            saved.append(cell)

    monkeypatch.setattr(Cell, "save", die)
    with pytest.raises(KeyboardInterrupt):
        run("killed")
    monkeypatch.setattr(Cell, "save", save)
    assert run("killed") == whole
    for fold in (0, 1):
        runs = [tmp_path / name / f"fold_{fold}/seed_0" for name in ("whole", "killed")]
        assert_same_bits(*(state_of(run, 4) for run in runs))
        lines = [scalars_of(run) for run in runs]
        assert lines[0] == lines[1]


@pytest.mark.slow
def test_runs_that_diverge_are_named(tmp_path, data_dir):
    changed = {"optimizer.learning_rate": 1e30, "num_steps": 3}
    words = error_message(
        train_cells, tmp_path, data_dir, folds=(0, 1), seeds=(0,), **changed
    )
    for fold in (0, 1):
        assert f"fold_{fold}/seed_0: The loss or the predictions became NaN" in words
