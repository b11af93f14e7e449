"""What is compiled is compiled once: in a run, and over many."""

import os
import time

import jax
import numpy as np
import pytest
from absl import flags
from absl.testing import flagsaver
from support import commands
from support.runs import smoke

from experiments import train
from experiments.predict import predict
from jaxastro.runs import compilation_cache

OPTIONS = (
    "jax_enable_compilation_cache",
    "jax_compilation_cache_dir",
    "jax_persistent_cache_min_compile_time_secs",
)


@pytest.fixture
def settings(monkeypatch):
    """JAX as a command finds it where nobody has set anything; put back afterwards."""
    flags.FLAGS.mark_as_parsed()
    before = {name: getattr(jax.config, name) for name in OPTIONS}
    monkeypatch.delenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", raising=False)
    jax.config.update("jax_compilation_cache_dir", None)
    yield monkeypatch
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.fixture
def compiled():
    """The names of the programs that are compiled, or read from disk, as they are."""
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
    compilation_cache.keep_programs()
    folder = compilation_cache.default_folder()
    assert folder.parent == tmp_path / "jaxastro" / "programs"
    assert folder.is_dir()
    assert jax.config.jax_compilation_cache_dir == str(folder)
    assert jax.config.jax_persistent_cache_min_compile_time_secs <= 0.1
    settings.delenv("XDG_CACHE_HOME")
    settings.setenv("HOME", str(tmp_path / "home"))
    assert tmp_path / "home" / ".cache" in compilation_cache.default_folder().parents


def test_a_folder_that_the_user_names_is_taken(settings, tmp_path):
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "given"))
    compilation_cache.keep_programs()
    assert jax.config.jax_compilation_cache_dir == str(tmp_path / "given")
    assert (tmp_path / "given").is_dir()


def test_hosts_keep_programs_only_in_a_folder_that_the_user_names(settings, tmp_path):
    # One that finds its program while the others compile leaves them waiting.
    settings.setenv("XDG_CACHE_HOME", str(tmp_path))
    settings.setattr(compilation_cache.sharding, "num_processes", lambda: 2)
    compilation_cache.keep_programs()
    assert not jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "shared"))
    compilation_cache.keep_programs()
    assert (tmp_path / "shared").is_dir()


def test_keeping_programs_can_be_refused(settings, tmp_path):
    settings.setenv("XDG_CACHE_HOME", str(tmp_path))
    with flagsaver.flagsaver(compilation_cache=False):
        compilation_cache.keep_programs()
    assert not jax.config.jax_enable_compilation_cache
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_written_a_sentence_says_so_and_the_run_goes_on(
    settings, tmp_path, capsys
):
    (tmp_path / "file").write_text("no folder")
    settings.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    compilation_cache.keep_programs()
    assert not jax.config.jax_enable_compilation_cache
    said = capsys.readouterr().err
    assert said.startswith(f"Compiled programs cannot be kept in {tmp_path}/file/jax")
    assert "Not a directory. They are compiled anew each time. Set JAX_COMPIL" in said
    assert len(said.splitlines()) == 1


def test_old_programs_and_those_half_written_are_dropped(settings, tmp_path):
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    names = ("new-cache", "old-cache", "torn-cache", "old-else")
    for name in names:
        (tmp_path / name).write_bytes(b"" if name == "torn-cache" else b"program")
        if "old" in name:
            long_ago = time.time() - compilation_cache.KEPT_FOR - 60
            os.utime(tmp_path / name, (long_ago, long_ago))
    compilation_cache.keep_programs()
    assert {path.name for path in tmp_path.iterdir()} == {"new-cache", "old-else"}


def test_every_command_that_compiles_keeps_its_programs():
    files = sorted((commands.ROOT / "experiments").glob("*.py"))
    texts = {path.stem: path.read_text() for path in files}
    of_commands = {name for name, text in texts.items() if "command.run(main" in text}
    kept = {name for name, text in texts.items() if ".keep_programs()" in text}
    assert of_commands - {"features", "report", "score"} == kept  # compile nothing


@pytest.mark.slow
def test_a_command_reads_what_an_earlier_one_compiled_and_says_the_same(
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


def test_nothing_is_compiled_after_the_first_step_and_the_first_look(
    compiled, tmp_path, data_dir, monkeypatch
):
    seen, save = [], train.Checkpoints.save

    def count(*args, **kwargs):
        save(*args, **kwargs)
        seen.append(len(compiled))

    monkeypatch.setattr(train.Checkpoints, "save", count)
    monkeypatch.setattr(train, "evaluate", lambda *args, **kwargs: None)
    monkeypatch.setattr(train, "write_report", lambda *args: None)
    train.train(smoke(num_steps=5), tmp_path, data_dir=data_dir)
    assert len(seen) == 5  # each after a step and a look at the validation fold
    assert seen[1:] == [seen[1]] * 4, compiled[seen[1] :]
    assert seen[1] - seen[0] == 0, compiled[seen[0] : seen[1]]


def test_new_objects_in_any_number_need_one_program_a_length(
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
