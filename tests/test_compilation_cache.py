"""Programs are compiled once: within a run, and over many commands."""

import importlib
import os
import time
from pathlib import Path

import jax
import numpy as np
import pytest
from support import commands
from support.runs import predict, smoke

from jaxastro.commands.main import COMMANDS
from jaxastro.runs import compilation_cache, train
from jaxastro.training.checkpoint import Checkpoints

OPTIONS = (
    "jax_enable_compilation_cache",
    "jax_compilation_cache_dir",
    "jax_persistent_cache_min_compile_time_secs",
)


@pytest.fixture
def settings(monkeypatch):
    """JAX with default settings, as a command finds it; restored afterwards."""
    before = {name: getattr(jax.config, name) for name in OPTIONS}
    monkeypatch.delenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", raising=False)
    jax.config.update("jax_compilation_cache_dir", None)
    yield monkeypatch
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.fixture
def compiled():
    """The names of the programs that are compiled, or read from disk, in order."""
    names = []

    def listen(event, seconds, *, fun_name="", **more):
        if event == "/jax/core/compile/backend_compile_duration":
            names.append(fun_name)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield names
    jax.monitoring.unregister_event_duration_listener(listen)


# -- kept on disk ----------------------------------------------------------------------


def test_programs_are_kept_in_the_users_own_folder_of_this_type_of_machine(
    settings, tmp_path
):
    settings.setenv("XDG_CACHE_HOME", str(tmp_path))
    compilation_cache.use_compilation_cache()
    folder = compilation_cache.default_folder()
    assert folder.parent == tmp_path / "jaxastro" / "programs"
    assert folder.is_dir()
    assert jax.config.jax_compilation_cache_dir == str(folder)
    assert jax.config.jax_persistent_cache_min_compile_time_secs <= 0.1
    settings.delenv("XDG_CACHE_HOME")
    settings.setenv("HOME", str(tmp_path / "home"))
    assert tmp_path / "home" / ".cache" in compilation_cache.default_folder().parents


def test_a_folder_that_the_user_names_is_used(settings, tmp_path):
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "given"))
    compilation_cache.use_compilation_cache()
    assert jax.config.jax_compilation_cache_dir == str(tmp_path / "given")
    assert (tmp_path / "given").is_dir()


def test_hosts_keep_programs_only_in_a_folder_that_the_user_names(settings, tmp_path):
    # If one host finds its program and others compile, those wait for ever.
    settings.setenv("XDG_CACHE_HOME", str(tmp_path))
    settings.setattr(compilation_cache.sharding, "num_processes", lambda: 2)
    compilation_cache.use_compilation_cache()
    assert not jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "shared"))
    compilation_cache.use_compilation_cache()
    assert (tmp_path / "shared").is_dir()


def test_the_cache_can_be_switched_off(settings, tmp_path):
    settings.setenv("XDG_CACHE_HOME", str(tmp_path))
    compilation_cache.use_compilation_cache(False)
    assert not jax.config.jax_enable_compilation_cache
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_written_a_warning_is_printed_and_the_run_continues(
    settings, tmp_path, capsys
):
    (tmp_path / "file").write_text("no folder")
    settings.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    compilation_cache.use_compilation_cache()
    assert not jax.config.jax_enable_compilation_cache
    printed = capsys.readouterr().err
    assert printed.startswith(
        f"Compiled programs cannot be kept in {tmp_path}/file/jax"
    )
    assert "Not a directory. They are compiled anew each time. Set JAX_COM" in printed
    assert len(printed.splitlines()) == 1


def test_old_and_incomplete_programs_are_deleted(settings, tmp_path):
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    names = ("new-cache", "old-cache", "torn-cache", "old-else")
    for name in names:
        (tmp_path / name).write_bytes(b"" if name == "torn-cache" else b"program")
        if "old" in name:
            long_ago = time.time() - compilation_cache.KEPT_FOR - 60
            os.utime(tmp_path / name, (long_ago, long_ago))
    compilation_cache.use_compilation_cache()
    assert {path.name for path in tmp_path.iterdir()} == {"new-cache", "old-else"}


def test_every_command_that_compiles_keeps_its_programs():
    for name in set(COMMANDS) - {"report", "score", "data"}:  # these compile nothing
        module = importlib.import_module(f"jaxastro.commands.{name}")
        text = Path(module.__file__).read_text()
        assert "add_computing_arguments(parser)" in text, name
        assert "apply_computing_arguments(given)" in text, name
    for path in (commands.ROOT / "experiments").glob("[a-z]*.py"):
        text = path.read_text()
        uses_it = "command_line.run(main" in text or "run_as_module" in text
        assert uses_it == ("__main__" in text), path


@pytest.mark.slow
def test_a_command_reads_what_an_earlier_one_compiled_with_the_same_results(
    trained, raw_objects, tmp_path
):
    workdir, _ = trained
    quiet = {"JAX_COMPILATION_CACHE_DIR": "", "XDG_CACHE_HOME": str(tmp_path / "home")}
    quiet["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    found = []
    for name, more in (("new", []), ("kept", []), ("off", ["--nocompilation_cache"])):
        output = tmp_path / f"{name}.csv"
        line = {"workdir": workdir, "input": raw_objects, "output": output}
        line = commands.command_line("predict", *more, **line)
        done = commands.python(*line, **quiet)
        assert done.code == 0, done.stderr
        assert "cache" not in done.stderr
        kept = sorted((tmp_path / "home").rglob("*-cache"))
        found.append(([(path, path.stat().st_mtime_ns) for path in kept], output))
    assert found[0][0]
    assert found[0][0] == found[1][0] == found[2][0]
    assert len({output.read_text() for _, output in found}) == 1


# -- once in a run ---------------------------------------------------------------------


def test_nothing_is_compiled_after_the_first_step_and_the_first_evaluation(
    compiled, tmp_path, data_dir, monkeypatch
):
    seen, save = [], Checkpoints.save

    def count(*args, **kwargs):
        save(*args, **kwargs)
        seen.append(len(compiled))

    monkeypatch.setattr(Checkpoints, "save", count)
    train(smoke(num_steps=5), tmp_path, data_dir=data_dir, evaluated=False)
    assert len(seen) == 5  # each after a step and an evaluation of the validation fold
    assert seen[1:] == [seen[1]] * 4, compiled[seen[1] :]
    assert seen[1] - seen[0] == 0, compiled[seen[0] : seen[1]]


def test_any_number_of_new_objects_needs_one_program_per_length(
    compiled, trained, raw_objects, tmp_path
):
    with np.load(raw_objects) as arrays:
        raw = dict(arrays)
    columns = {}
    start = raw["offsets"]
    for name, column in raw.items():
        if name == "offsets":
            columns[name] = np.concatenate(
                [start[:-1] + i * start[-1] for i in range(15)] + [[15 * start[-1]]]
            )
        elif name == "name":
            columns[name] = np.array([f"{n}_{i}" for i in range(15) for n in column])
        else:
            columns[name] = np.concatenate([column] * 15)
    many = tmp_path / "many.npz"
    np.savez(many, **columns)
    for path, number in ((raw_objects, 5), (many, 75)):
        compiled.clear()
        output = tmp_path / "p.csv"
        assert predict(trained[0], path, output, report=tmp_path / "s.json") == number
        assert 1 <= compiled.count("jit(gathered)") <= 3, compiled
