"""The command that trains many folds and seeds in one program, as a user runs it."""

import json

import numpy as np
import pytest
from support import commands
from support.runs import assert_same_bits, error_message, scalars_of, smoke, state_of

from configs import semiconformer
from jaxastro.evaluation.predictions import load
from jaxastro.runs import train, train_many, training_loop, write_report
from jaxastro.runs.dataset import open_dataset
from jaxastro.runs.pooled_scores import pooled_rows
from jaxastro.runs.spec import read_spec
from jaxastro.runs.task import read_task
from jaxastro.runs.training_run import TrainingRun, measure_statistics
from jaxastro.training.scalars import read_scalars


def train_some(workdir, data_dir, *, folds=(0, 1), seeds=(0, 1), **changed):
    return train_many(
        smoke(**changed), workdir, folds=folds, seeds=seeds, data_dir=data_dir
    )


@pytest.fixture(scope="module")
def members(tmp_path_factory, data_dir):
    """Runs of two folds and two seeds, as the command leaves them."""
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
def test_the_table_pools_folds_seeds_and_their_ensemble(members):
    workdir, done = members
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
def test_every_member_is_a_run_that_other_commands_read(members):
    workdir, _ = members
    for fold in (0, 1):
        for seed in (0, 1):
            member = workdir / f"fold_{fold}" / f"seed_{seed}"
            spec = read_spec(member)
            assert (spec.folds.test_fold, spec.seed) == (fold, seed)
            assert [line["step"] for line in read_scalars(member)] == [1, 2]
    write_report(member)
    assert (member / "report" / "index.html").is_file()


@pytest.mark.slow
def test_one_fold_and_one_seed_are_trained_like_many(members, tmp_path, data_dir):
    workdir, _ = members
    # Not scored after each step, so that the bar shows the loss of a step in between.
    train_some(tmp_path, data_dir, folds=[1], seeds=[1], evaluate_every=2)
    one, other = (
        scalars_of(folder / "fold_1" / "seed_1")[-1] for folder in (tmp_path, workdir)
    )
    assert one["validation/macro_f1"] == other["validation/macro_f1"]


@pytest.mark.slow
def test_statistics_are_measured_on_each_fold(members, data_dir):
    workdir, _ = members
    found = []
    for fold in (0, 1):
        dataset = open_dataset(smoke(**{"folds.test_fold": fold}), data_dir=data_dir)
        expected = measure_statistics(dataset)
        assert read_task(workdir / f"fold_{fold}" / "seed_1").statistics == expected
        found.append(expected)
    assert found[0] != found[1]


@pytest.mark.slow
def test_finished_runs_are_not_trained_again_and_other_configs_are_refused(
    members, data_dir, monkeypatch
):
    workdir, _ = members
    monkeypatch.setattr(training_loop, "_train_members", None)  # a call of it fails
    rows = pooled_rows(train_some(workdir, data_dir))
    assert rows == json.loads((workdir / "pooled.json").read_text())
    words = error_message(
        train_some, workdir, data_dir, **{"optimizer.learning_rate": 0.5}
    )
    assert "holds a checkpoint of another config. config.optimizer.learning_rate" in (
        words
    )
    words = error_message(train_some, workdir, data_dir, **{"mesh.fsdp": 2})
    assert words.startswith("config.mesh.fsdp is 2, but here each model lies on one")


def test_folds_that_are_no_numbers_are_refused(tmp_path):
    config = "--config=configs/convention.py:smoke"
    done = commands.run("train_many", config, workdir=tmp_path, folds="0,x")
    assert done.error_message.startswith(
        "--folds=0,x is not a list of numbers from 0 on."
    )


@pytest.mark.slow
def test_a_member_equals_the_same_run_trained_by_itself(members, tmp_path, data_dir):
    workdir, _ = members
    spec = smoke(**{"folds.test_fold": 1, "seed": 1})
    train(spec, tmp_path, data_dir=data_dir)
    member = workdir / "fold_1" / "seed_1"
    for name in ("config.json", "task.json"):
        assert (tmp_path / name).read_text() == (member / name).read_text()
    for mine, theirs in zip(read_scalars(member), read_scalars(tmp_path), strict=True):
        for name in ("train/loss", "train/grad_norm", "validation/log_loss"):
            assert mine[name] == pytest.approx(theirs[name], rel=1e-3), name
    one, other = (load(w / "predictions") for w in (tmp_path, member))
    np.testing.assert_allclose(one.probability, other.probability, atol=2e-3)
    # It can be continued as such.
    train(spec, member, data_dir=data_dir, evaluated=False)


@pytest.mark.slow
@pytest.mark.parametrize("execution", ["sequential", "vmapped"])
def test_a_program_that_was_killed_continues_to_the_same_bits(
    tmp_path, data_dir, monkeypatch, execution
):
    def run(name):
        spec = smoke(semiconformer.get_config, num_steps=4, evaluate_every=2)
        table = train_many(
            spec,
            tmp_path / name,
            folds=[0, 1],
            seeds=[0],
            execution=execution,
            data_dir=data_dir,
        )
        return pooled_rows(table)

    uninterrupted = run("uninterrupted")
    save, saved = TrainingRun.save, []

    def die(run, *args, **kwargs):  # after one run saved its last step, before the next
        if saved and run.step == 4:
            saved[-1].close()  # in one process its writer would outlive it
            raise KeyboardInterrupt
        sentence = save(run, *args, **kwargs)
        if run.step == 4:
            saved.append(run)
        return sentence

    monkeypatch.setattr(TrainingRun, "save", die)
    with pytest.raises(KeyboardInterrupt):
        run("killed")
    monkeypatch.setattr(TrainingRun, "save", save)
    assert run("killed") == uninterrupted
    for fold in (0, 1):
        runs = [
            tmp_path / name / f"fold_{fold}/seed_0"
            for name in ("uninterrupted", "killed")
        ]
        assert_same_bits(*(state_of(run, 4) for run in runs))
        lines = [scalars_of(run) for run in runs]
        assert lines[0] == lines[1]


@pytest.mark.slow
def test_runs_that_diverge_are_named(tmp_path, data_dir):
    changed = {"optimizer.learning_rate": 1e30, "num_steps": 3}
    words = error_message(
        train_some, tmp_path, data_dir, folds=(0, 1), seeds=(0,), **changed
    )
    for fold in (0, 1):
        assert f"fold_{fold}/seed_0: The loss or the predictions became NaN" in words
