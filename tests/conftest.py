"""What all tests share: a quick compiler, built data, and one trained run."""

import gc
import os
import sys
import tempfile
from pathlib import Path

import pytest
from support import commands

# Before NumPy and JAX are loaded, which read these once; commands inherit them.
os.environ.setdefault("OMP_NUM_THREADS", "1")  # t-SNE's threads wait for busy cores
# Compiling is what most tests spend their time on: unoptimized, and each program once.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")


def pytest_configure(config):
    folder = tempfile.TemporaryDirectory(prefix="jaxastro-tests-")
    config.add_cleanup(folder.cleanup)
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", f"{folder.name}/compiled")
    # It stands where TensorFlow would be found: a command that imports it dies.
    decoy = Path(folder.name) / "tensorflow.py"
    decoy.write_text("raise SystemExit('TensorFlow was imported.')")
    os.environ["PYTHONPATH"] = folder.name


@pytest.fixture(autouse=True, scope="module")
def programs_of_this_file_alone():
    """Lets go of compiled programs: each holds some of the 65,530 maps of a process."""
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
        gc.collect()


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory) -> str:
    """Where data sets are built, once for all tests that train."""
    return str(tmp_path_factory.mktemp("data_sets"))


@pytest.fixture(scope="session")
def trained(tmp_path_factory, data_dir) -> tuple[Path, commands.Done]:
    """A run of the smallest Semiconformer, and what its command said."""
    workdir = tmp_path_factory.mktemp("runs") / "trained"
    config = "--config=configs/semiconformer.py:smoke"
    done = commands.run("train", config, workdir=workdir, data_dir=data_dir)
    assert done.code == 0, done.stderr
    return workdir, done


@pytest.fixture(scope="session")
def alert_run(tmp_path_factory, data_dir) -> Path:
    """A run of the smallest network that names alerts, trained in this process."""
    from support import runs

    from configs import stamp_classifier
    from jaxastro.runs import train

    workdir = tmp_path_factory.mktemp("alert_run")
    train(runs.smoke(stamp_classifier.get_config), workdir, data_dir=data_dir)
    return workdir


@pytest.fixture(scope="session")
def raw_objects(tmp_path_factory) -> Path:
    """A file of five new raw objects, to predict on."""
    path = tmp_path_factory.mktemp("raw") / "new.npz"
    commands.python(
        *("-m", "data_builders", "new-objects", "--preset=tiny"),
        *("--objects=5", "--seed=99", f"--output={path}"),
    )
    return path
