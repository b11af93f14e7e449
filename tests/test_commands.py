"""The commands as a user runs them: their files, their output, interruptions."""

import csv
import json
import os
import re
import shutil
import signal
import time
from pathlib import Path

import jax
import numpy as np
import pytest
from support import commands
from support.runs import (
    assert_same_bits,
    error_message,
    predict,
    scalars_of,
    smoke,
    state_of,
)

from configs import semiconformer
from jaxastro.evaluation.predictions import load
from jaxastro.runs import evaluate, train
from jaxastro.training.checkpoint import SEAL, Checkpoints
from jaxastro.training.scalars import read_scalars

CLASSES = ["AGN", "SNIa", "SNOther", "Variable"]


def assert_run_is_complete(workdir):
    for name in ("config.json", "task.json", "scalars.jsonl"):
        assert (workdir / name).is_file(), name
    assert (workdir / "predictions" / "predictions.npz").is_file()
    assert list((workdir / "tensorboard").glob("events.out.tfevents.*"))
    page = (workdir / "report" / "index.html").read_text()
    assert "<img" in page
    metrics = json.loads((workdir / "report" / "metrics.json").read_text())
    tables = [
        metrics,
        *(metrics["baselines"][n] for n in ("majority", "nuisance", "boosting")),
    ]
    for table in tables:
        for score in ("accuracy", "macro_f1", "balanced_accuracy"):
            assert set(table[score]) == {"value", "low", "high"}
            low, value, high = (table[score][k] for k in ("low", "value", "high"))
            assert 0 <= low <= value <= high <= 1


# -- what a run writes -----------------------------------------------------------------


def test_training_leaves_a_complete_run(trained):
    workdir, done = trained
    assert_run_is_complete(workdir)
    lines = read_scalars(workdir)
    assert [line["step"] for line in lines] == [1, 2]
    assert all(0 <= line["train/input_wait"] < 1 for line in lines)
    assert Checkpoints(workdir / "checkpoints", metric="macro_f1").latest_step() == 2
    assert done.stdout.startswith("Devices: 1 x ")
    assert "index.html" in done.stdout.splitlines()[-1]


def test_training_prints_no_warnings_of_libraries(trained):
    _, done = trained
    for noise in ("Unable to initialize", "WARNING", "Warning", "Traceback", "orbax"):
        assert noise not in done.stderr


@pytest.mark.slow
def test_a_new_process_evaluates_and_reports_the_same(trained, data_dir, tmp_path):
    workdir, _ = trained
    again = shutil.copytree(workdir, tmp_path / "again")
    for name in ("predictions", "report"):
        shutil.rmtree(again / name)
    done = commands.run("evaluate", workdir=again, data_dir=data_dir)
    assert done.code == 0, done.stderr
    assert done.stdout.split() == [str(again / "predictions" / "predictions.npz")]
    one, other = load(workdir / "predictions"), load(again / "predictions")
    for name, a, b in zip(one._fields, one, other, strict=True):
        np.testing.assert_equal(a, b, err_msg=name)

    done = commands.run("report", workdir=again)
    assert done.code == 0, done.stderr
    assert_run_is_complete(again)
    metrics = [path / "report" / "metrics.json" for path in (workdir, again)]
    assert metrics[0].read_text() == metrics[1].read_text()


@pytest.mark.slow
def test_convention_trains_too(tmp_path, data_dir):
    train(smoke(), tmp_path, data_dir=data_dir)
    assert_run_is_complete(tmp_path)


@pytest.mark.slow
def test_describe_prints_one_json_object_and_nothing_else():
    # The sentence on what auto became is for people: it is not on standard output.
    changed = {"model.args.widths": (4, 4, 4, 4), "loader.loaded_epochs": 6}
    changed |= {"representation.max_epochs": 6, "augment.max_epochs": 6}
    flags = [f"--config.{key}={value}" for key, value in changed.items()]
    done = commands.run(
        "describe", "--json", "--config=configs/semiconformer.py", *flags
    )
    assert done.code == 0, done.stderr
    assert done.stderr.startswith("Preset: laptop (no accelerator found). Force the ")
    assert len(done.stderr.splitlines()) == 1
    found = json.loads(done.stdout)
    assert found["preset"] == "laptop"
    for name in ("parameters", "flops_per_object", "bytes_per_object"):
        assert found[name] > 0, name
    layers = {layer["path"]: layer for layer in found["layers"]}
    assert sum(layer["parameters"] for layer in layers.values()) == found["parameters"]
    for layer in layers.values():
        assert np.prod(layer["shape"]) == layer["parameters"]
    # Keys set on the command line hold, whatever auto became.
    assert layers["encoder/conv_3/kernel"]["shape"][-1] == 4


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_new_raw_objects_are_classified(trained, raw_objects, tmp_path):
    workdir, _ = trained
    output = tmp_path / "new.csv"
    done = commands.run("predict", workdir=workdir, input=raw_objects, output=output)
    assert done.code == 0, done.stderr
    assert done.stdout.startswith(f"5 objects classified: {output}\n")
    rows = rows_of(output)
    with np.load(raw_objects) as raw:
        assert [row["object_id"] for row in rows] == raw["name"].tolist()
    assert list(rows[0]) == ["object_id", "predicted", *(f"p_{c}" for c in CLASSES)]
    for row in rows:
        p = [float(row[f"p_{name}"]) for name in CLASSES]
        assert sum(p) == pytest.approx(1, abs=3e-6)
        assert row["predicted"] == CLASSES[np.argmax(p)]

    # Another process, with more devices, gives the same.
    flags = {"workdir": workdir, "input": raw_objects, "output": tmp_path / "four.csv"}
    line = commands.command_line("predict", **flags)
    done = commands.python(*line, **commands.with_devices(4))
    assert done.code == 0, done.stderr
    for row, other in zip(rows, rows_of(tmp_path / "four.csv"), strict=True):
        for name in CLASSES:
            p = float(row[f"p_{name}"])
            assert float(other[f"p_{name}"]) == pytest.approx(p, abs=1e-5)


def test_a_raw_object_is_classified_as_it_was_in_the_test_fold(trained, tmp_path):
    from data_builders.sdss.sdss_sn_sim import write_raw
    from jaxastro.simulation.survey import PRESETS, simulate_object

    workdir, _ = trained
    scored = load(workdir / "predictions")
    tiny = PRESETS["tiny"]
    objects = (simulate_object(n, seed=0, preset=tiny) for n in range(tiny.objects))
    objects = {record.object_id: record for record in objects}
    write_raw(tmp_path / "raw.npz", [objects[name] for name in scored.object_id])
    report = tmp_path / "set_aside.json"
    predict(workdir, tmp_path / "raw.npz", tmp_path / "p.csv", report=report)
    rows = rows_of(tmp_path / "p.csv")
    assert [row["object_id"] for row in rows] == scored.object_id.tolist()
    given = [[float(row[f"p_{name}"]) for name in CLASSES] for row in rows]
    np.testing.assert_allclose(given, scored.probability, atol=1e-5)


@pytest.mark.slow
def test_real_objects_are_trained_on_and_classified(tmp_path):
    folder = os.environ.get("JAXASTRO_DATA")
    if not folder:
        pytest.skip("JAXASTRO_DATA is not set: no real HiTS stamps to train on")
    raw = Path(folder) / "hits" / "hits_image_sequences.npz"
    done = commands.run(
        "train",
        "--config=configs/convention.py:hits",
        "--config.num_steps=2",
        "--config.evaluate_every=1",
        "--config.optimizer.warmup_steps=0",
        "--config.model.args.widths=(4,4,4,4)",
        workdir=tmp_path / "run",
        data_dir=tmp_path / "data",
    )
    assert done.code == 0, done.stderr
    assert_run_is_complete(tmp_path / "run")
    assert "left out: 433 objects labelled NonVariable" in done.stdout
    output = tmp_path / "hits.csv"
    predict(tmp_path / "run", raw, output, report=tmp_path / "set_aside.json")
    assert len(rows_of(output)) == 622


# -- interruptions ---------------------------------------------------------------------


def interrupt(line, number, *, after):
    """Starts a command and sends it a signal as soon as a file is there."""
    with commands.start(*line) as process:
        while not after.exists():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.005)
        process.send_signal(number)
        return commands.Done(process.wait(), *process.communicate())


@pytest.mark.slow
def test_a_run_that_was_stopped_continues_to_the_same_bits(data_dir, tmp_path):
    def line(workdir, num_threads):
        return commands.command_line(
            "train",
            "--config=configs/semiconformer.py:smoke",
            "--config.model.args.num_blocks=1",
            "--config.num_steps=12",
            "--config.evaluate_every=2",
            f"--config.loader.num_threads={num_threads}",
            workdir=tmp_path / workdir,
            data_dir=data_dir,
        )

    whole = commands.python(*line("whole", num_threads=1))
    assert whole.code == 0, whole.stderr
    again = line("stopped", num_threads=2)
    checkpoints = tmp_path / "stopped" / "checkpoints"
    killed = interrupt(again, signal.SIGKILL, after=checkpoints / "2")
    assert killed.code == -signal.SIGKILL
    assert not (checkpoints / "12").exists()
    # The folder appears when a save ends, the signal comes in the steps after it.
    for number, step in ((signal.SIGTERM, 4), (signal.SIGINT, 8)):
        stopped = interrupt(again, number, after=checkpoints / str(step))
        assert stopped.code == 128 + number
        found = re.search(
            rf"Stopped by {number.name}: step (\d+) is saved", stopped.stderr
        )
        saved = int(found[1])
        assert step <= saved <= 12
        assert (checkpoints / str(saved) / SEAL).exists()
        assert "Traceback" not in stopped.stderr

    # Compiled anew, not read from where the first process left it.
    continued = commands.python(*again, JAX_ENABLE_COMPILATION_CACHE="false")
    assert continued.code == 0, continued.stderr
    assert "Continuing from step " in continued.stdout
    assert_same_bits(*(state_of(tmp_path / name, 12) for name in ("whole", "stopped")))
    assert scalars_of(tmp_path / "whole") == scalars_of(tmp_path / "stopped")
    one, other = (load(tmp_path / n / "predictions") for n in ("whole", "stopped"))
    np.testing.assert_array_equal(one.probability, other.probability)


@pytest.mark.slow
def test_a_loss_that_is_nan_stops_the_run_and_keeps_the_last_good_state(
    tmp_path, data_dir
):
    # The learning rate is 0 in the first step and far too large in the second.
    changed = {"optimizer.warmup_steps": 1, "optimizer.learning_rate": 1e30}
    spec = smoke(num_steps=4, **changed)
    words = error_message(train, spec, tmp_path, data_dir=data_dir)
    assert (
        "became NaN or infinite within steps 2 to 2. Step 1's state is kept." in words
    )
    assert "Lower config.optimizer.learning_rate" in words
    state = state_of(tmp_path, 1)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state))
    assert [line["step"] for line in read_scalars(tmp_path)] == [1]
    evaluate(tmp_path, data_dir=data_dir)


def test_incomplete_files_of_a_killed_run_are_ignored(trained, data_dir, tmp_path):
    workdir = shutil.copytree(trained[0], tmp_path / "run")
    half = workdir / "checkpoints" / "3.orbax-checkpoint-tmp"
    shutil.copytree(workdir / "checkpoints" / "2", half)
    (half / "_CHECKPOINT_METADATA").unlink()
    with (workdir / "scalars.jsonl").open("a") as file:
        file.write('{"step": 3, "train/lo')
    spec = smoke(semiconformer.get_config)
    train(spec, workdir, data_dir=data_dir, evaluated=False)
    assert read_scalars(workdir) == read_scalars(trained[0])
    assert_same_bits(state_of(workdir, 2), state_of(trained[0], 2))
