"""Errors that a user can correct: each command prints one message, no traceback."""

import shutil

import filelock
import numpy as np
import pytest
from support import commands
from support.runs import (
    assert_same_bits,
    error_message,
    predict,
    smoke,
    spec_of,
    state_of,
)

from configs import convention, semiconformer
from data_builders.engine.readings import records_of
from jaxastro.commands.error_handling import message_of
from jaxastro.runs import evaluate, train, write_report
from jaxastro.runs.dataset import open_dataset

SMOKE = "--config=configs/semiconformer.py:smoke"

# -- through the command line ----------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        (
            "train",
            (SMOKE, "--config.num_step=3", "--workdir=runs/none"),
            "The config has no key 'num_step'. Did you mean \"num_steps\"",
        ),
        (
            "train",
            ("--config=configs/semiconformer.py:smok", "--workdir=runs/none"),
            "No preset named 'smok'. Known presets: auto, paper, laptop, smoke, hits.",
        ),
        ("evaluate", ("--workdir=runs/none",), "runs/none is not the folder of a run."),
        ("train", (SMOKE,), "--workdir is missing: Folder of the run"),
        (
            "describe",
            ("--config=configs/none.py",),
            "No such file or directory: 'configs/none.py'",
        ),
    ],
)
def test_an_error_of_the_user_is_one_line(name, arguments, words):
    done = commands.run(name, *arguments)
    assert words in done.error_message
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("report", (), "the following arguments are required: --workdir"),
        (
            "predict",
            ("--workdir=runs/none", "--input=a.npz"),
            "the following arguments are required: --output",
        ),
        (
            "evaluate",
            ("--workdir=runs/none", "--data=a"),
            "unrecognized arguments: --data=a",
        ),
    ],
)
def test_arguments_that_are_missing_or_unknown_are_named(name, arguments, words):
    done = commands.run(name, *arguments)
    assert done.code == 2
    assert done.stderr.splitlines()[-1].endswith(f"error: {words}")
    assert done.stderr.startswith("usage: jaxastro")
    assert "Traceback" not in done.stderr


def test_a_batch_that_devices_cannot_share_is_refused(tmp_path):
    line = commands.command_line(
        "train", SMOKE, "--config.batch_size=6", workdir=tmp_path
    )
    done = commands.python(*line, **commands.with_devices(4))
    assert done.error_message == (
        "A batch of 6 objects cannot be shared equally by 4 devices. Use "
        "--config.batch_size=4."
    )


def test_a_folder_in_which_another_process_trains_is_refused(tmp_path):
    with filelock.FileLock(tmp_path / ".lock"):
        done = commands.run("train", SMOKE, workdir=tmp_path)
    assert done.error_message == (
        f"Another process trains in {tmp_path}. Wait for it, or use another --workdir."
    )
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_help_shows_every_flag_of_a_command():
    shown = commands.run("train", "--help").stdout
    for flag in ("config", "workdir", "data_dir", "manual_dir", "[no]debug"):
        assert f"\n  --{flag}: " in shown, flag
    shown = commands.run("evaluate", "--help").stdout
    for flag in ("workdir", "data_dir", "manual_dir", "debug"):
        assert f"\n  --{flag} " in shown, flag


def test_debug_shows_the_traceback(tmp_path):
    done = commands.run("report", "--debug", workdir=tmp_path)
    assert done.code == 1
    assert "Traceback" in done.stderr
    assert "No predictions at" in done.stderr


def test_an_error_of_the_program_keeps_its_traceback():
    def caught(function):
        with pytest.raises(Exception) as error:  # noqa: PT011 (any will do)
            function()
        return message_of(error.value)

    assert caught(lambda: smoke().to_dict()["nothing"]) is None
    assert caught(lambda: np.zeros(3).reshape(2, 2)) is None
    # Raised in our code, but not by it.
    assert caught(lambda: next(records_of([1, 2], report=None))) is None
    assert caught(lambda: open("none/none")) == (  # noqa: SIM115
        "[Errno 2] No such file or directory: 'none/none'"
    )


# -- configs that cannot be run --------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"classes": ("AGN", "Quasar")}, "config.classes has 'Quasar'. Survey"),
        (
            {"survey": "sdss"},
            "No survey named 'sdss'. Known surveys: sdss_sn_sim",
        ),
        (
            {"survey": "sdss_sn_sim/huge"},
            "no preset 'huge'. Known presets: tiny, laptop",
        ),
        ({"best_metric": "loss"}, "config.best_metric is 'loss'"),
        (
            {"representation.normalisation": "none"},
            "No normalisation named 'none'. Known:",
        ),
        ({"representation.name": "none"}, "No representation named 'none'. Known:"),
        ({"model.name": "resnet"}, "No model named 'resnet'. Known models: convention"),
        ({"method.name": "dino"}, "No method named 'dino'. Known methods: supervised"),
        ({"optimizer.name": "sgd"}, "No optimizer named 'sgd'. Known: adam"),
        ({"optimizer.decay": "step"}, "No decay named 'step'. Known: cosine"),
        ({"optimizer.warmup_steps": 2}, "2 warm-up steps of 2."),
        ({"loader.unlabelled_share": 1.0}, "unlabelled_share 1.0 is not in [0, 1)"),
        ({"model.args.norm": "batch"}, "'batch'. Known: joint, per_epoch"),
        ({"model.args.widths": (4, 4)}, "widths (4, 4) are 2 numbers. The CNN has"),
        ({"model.args.band_rows": 5}, "config.model.args.band_rows=6 or more"),
        (
            {"model.args.change": "asinh", "representation.normalisation": "standard"},
            "takes images to be asinh of the flux, but config.representation.normal",
        ),
        ({"method.args.label_smoothing": 1.0}, "label_smoothing 1.0 is not in [0, 1)"),
    ],
)
def test_a_config_that_cannot_be_run_is_refused(changed, words, tmp_path, data_dir):
    assert words in error_message(train, smoke(**changed), tmp_path, data_dir=data_dir)
    assert not (tmp_path / "checkpoints" / "1").exists()


def test_a_checkpoint_of_another_config_is_not_overwritten(trained, tmp_path, data_dir):
    workdir = shutil.copytree(trained[0], tmp_path / "run")
    changed = {"seed": 1, "model.args.num_heads": 4, "optimizer.clip": 2.0}
    spec = smoke(semiconformer.get_config, **changed)
    words = error_message(train, spec, workdir, data_dir=data_dir)
    assert "holds a checkpoint of another config." in words
    for difference in (
        "config.seed: 0 there, 1 now",
        "config.model.args.num_heads: 2 there, 4 now",
        "config.optimizer.clip: 1.0 there, 2.0 now",
    ):
        assert difference in words
    assert words.count(" there, ") == 3
    assert_same_bits(state_of(workdir, 2), state_of(trained[0], 2))
    config = (workdir / "config.json").read_text()
    assert config == (trained[0] / "config.json").read_text()


def test_missing_raw_files_are_named(tmp_path, monkeypatch):
    monkeypatch.delenv("JAXASTRO_DATA", raising=False)
    spec = spec_of(convention.get_config("hits"))
    for manual_dir in ("", str(tmp_path / "wrong")):
        dirs = {"data_dir": str(tmp_path / "built"), "manual_dir": manual_dir}
        words = error_message(open_dataset, spec, **dirs)
        assert "No hits_image_sequences.npz; searched" in words
        assert manual_dir in words
        assert "give that as --manual_dir" in words
        assert "JAXASTRO_DATA" in words


def test_folders_that_cannot_be_written_are_named(tmp_path):
    (tmp_path / "file").write_text("no folder")
    done = commands.run("train", SMOKE, workdir=tmp_path / "file" / "run")
    assert done.error_message == f"[Errno 20] Not a directory: '{tmp_path}/file/run'"


# -- folders that hold no run ----------------------------------------------------------


def test_a_folder_that_is_no_run_is_refused(tmp_path, trained):
    for function in (evaluate, write_report):
        assert str(tmp_path) in error_message(function, tmp_path)
    output = tmp_path / "p.csv"
    arguments = (tmp_path, tmp_path / "a.npz", output)
    words = error_message(predict, *arguments, report=tmp_path / "set_aside.json")
    assert "is not the folder of a run. Train one with `python -m" in words

    shutil.copy(trained[0] / "config.json", tmp_path)
    words = error_message(evaluate, tmp_path)
    assert words.startswith(
        f"No {tmp_path / 'task.json'}. {tmp_path} is not the folder"
    )
    shutil.copy(trained[0] / "task.json", tmp_path)
    assert f"No {tmp_path / 'checkpoints'}. Train the run" in error_message(
        evaluate, tmp_path
    )
    whole = (tmp_path / "config.json").read_text()
    for part in (whole[:100], "{}", "[]"):
        (tmp_path / "config.json").write_text(part)
        assert "config.json is not the config of a run" in error_message(
            evaluate, tmp_path
        )
    (tmp_path / "config.json").write_text(whole)
    (tmp_path / "checkpoints").mkdir()
    assert "holds no complete checkpoint" in error_message(evaluate, tmp_path)
    assert "jaxastro evaluate --workdir=" in error_message(write_report, tmp_path)


def test_a_damaged_checkpoint_is_set_aside_and_its_steps_are_repeated(
    trained, tmp_path, data_dir
):
    workdir = shutil.copytree(trained[0], tmp_path / "run")
    payload = workdir / "checkpoints" / "2" / "state" / "manifest.ocdbt"
    content = bytearray(payload.read_bytes())
    content[-1] ^= 1
    payload.write_bytes(content)
    done = commands.run("evaluate", workdir=workdir, data_dir=data_dir)
    assert done.code == 0, done.stderr
    sentence = f"{workdir}/checkpoints/2 is ignored: it changed since it was saved"
    assert sentence in done.stderr
    assert "passed over" not in done.stdout
    assert payload.exists()

    done = commands.run("train", SMOKE, workdir=workdir, data_dir=data_dir)
    assert done.code == 0, done.stderr
    place = workdir / "checkpoints_set_aside" / "2"
    assert (
        f"{place} is ignored: it changed since it was saved, in state/manifest.o"
        in done.stdout
    )
    assert "Continuing from step 1\n" in done.stdout
    assert_same_bits(state_of(workdir, 2), state_of(trained[0], 2))


def test_changes_that_a_continued_run_allows_are_printed(
    trained, tmp_path, data_dir, capsys
):
    workdir = shutil.copytree(trained[0], tmp_path / "run")
    changed = {"loader.num_threads": 1, "patience": 3, "evaluate_every": 2}
    spec = smoke(semiconformer.get_config, **changed)
    train(spec, workdir, data_dir=data_dir, evaluated=False)
    printed = capsys.readouterr().out
    assert "Continuing from step 2\n" in printed
    assert "Changed: config.loader.num_threads: 2 there, 1 now" in printed
    assert "Changed: config.evaluate_every: 1 there, 2 now" in printed
    assert "equal to rounding" not in printed  # the devices are the same


# -- new objects -----------------------------------------------------------------------


@pytest.fixture
def raw(raw_objects):
    with np.load(raw_objects) as arrays:
        return dict(arrays)


def classify(workdir, raw_file, folder):
    return predict(
        workdir, raw_file, folder / "p.csv", report=folder / "p.csv.set_aside.json"
    )


def test_objects_that_cannot_be_read_are_named_and_the_rest_classified(
    trained, raw, tmp_path, caplog
):
    start = raw["offsets"]
    images = raw["images"].copy()
    images[start[0]] = np.nan  # one frame of the first object
    images[start[1] : start[2]] = np.nan  # all of the second
    images[start[2], :3] = np.inf  # rows of the third
    # The fourth has no epoch at all, the fifth a single one.
    kept = np.r_[: start[3], start[4]]
    columns = {
        name: column[kept] if column.shape == (start[-1],) else column
        for name, column in raw.items()
    }
    columns["images"] = images[kept]
    columns["offsets"] = np.array([*start[:4], start[3], start[3] + 1])
    np.savez_compressed(tmp_path / "odd.npz", **columns)

    assert classify(trained[0], tmp_path / "odd.npz", tmp_path) == 3
    lines = (tmp_path / "p.csv").read_text().splitlines()[1:]
    names = raw["name"].tolist()
    assert [line.split(",")[0] for line in lines] == [names[0], names[2], names[4]]
    aside = (tmp_path / "p.csv.set_aside.json").read_text()
    for name in (names[1], names[3]):
        sentence = f"Object {name}: no epoch with a good pixel."
        assert sentence in aside
        assert sentence in caplog.text
    assert "1 epochs have no good pixel: dropped." in aside


def test_files_that_cannot_be_read_are_refused_and_the_old_output_stays(
    trained, raw, raw_objects, tmp_path
):
    cut, small = tmp_path / "cut.npz", tmp_path / "small.npz"
    cut.write_bytes(raw_objects.read_bytes()[:5000])
    np.savez(small, **raw | {"images": raw["images"][:, :21, :21]})
    (tmp_path / "p.csv").write_text("older")
    for path, words in (
        (tmp_path / "gone.npz", "gone.npz does not exist. An npz file of image"),
        (cut, "cut.npz is not a complete npz file (5000 bytes)"),
        (small, "None of 5 objects could be read. The first: Object SIM"),
    ):
        assert words in error_message(classify, trained[0], path, tmp_path)
    assert (tmp_path / "p.csv").read_text() == "older"
    assert not list(tmp_path.glob("*.partial"))


def test_output_that_is_no_file_is_refused(trained, raw_objects, tmp_path):
    (tmp_path / "p.csv").mkdir()
    words = error_message(classify, trained[0], raw_objects, tmp_path)
    assert words == (
        f"{tmp_path}/p.csv is no file that predictions can be written to. Give one "
        "that ends in .csv, .parquet, .avro."
    )
    words = error_message(classify, trained[0], raw_objects, tmp_path / "none")
    assert words == (
        f"{tmp_path}/none/p.csv cannot be written: there is no folder {tmp_path}/none. "
        "Make it, or choose another."
    )
