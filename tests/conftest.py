"""What all tests share: a fast compiler, built data sets and two trained runs."""

import gc
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from filelock import FileLock
from support import commands

# Most of the tests' time is compilation: unoptimised code is enough. The emitters of
# fused kernels take three times as long as the older ones that this flag selects; a
# later XLA may not know it, and stops at flags that it does not know.
FLAGS = "--xla_backend_optimization_level=0"
if version("jaxlib").startswith("0.10."):
    FLAGS += " --xla_cpu_use_fusion_emitters=false"

# Set before NumPy and JAX are loaded, which read them once. Commands inherit them.
os.environ.setdefault("OMP_NUM_THREADS", "1")  # t-SNE's threads would wait for cores
os.environ.setdefault("XLA_FLAGS", FLAGS)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")

LONGEST = (  # files, by their time
    "test_interrupted_runs",
    "test_commands",
    "test_sharding",
    "test_leak_check",
    "test_run_table",
    "test_wheel",
    "test_train_many",
    "test_compilation_cache",
)
MAX_MEMORY_MAPS = 10_000  # after a test file; the next one may add 55,000


def pytest_configure(config):
    folder = tempfile.TemporaryDirectory(prefix="jaxastro-tests-")
    config.add_cleanup(folder.cleanup)
    # Workers of xdist inherit the folder of the process that started them.
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", f"{folder.name}/compiled")
    # Found instead of TensorFlow: a command that imports it ends with an error.
    decoy = Path(folder.name) / "tensorflow.py"
    decoy.write_text("raise SystemExit('TensorFlow was imported.')")
    os.environ["PYTHONPATH"] = folder.name


def pytest_collection_modifyitems(items):
    """Starts the longest files first, so that no process waits for another at the end.

    With --dist loadfile and --no-loadscope-reorder.
    """
    longest = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: longest.get(item.path.stem, len(longest)))


@pytest.fixture(autouse=True, scope="module")
def clear_compiled_programs():
    """Frees compiled programs before they need too many memory maps.

    Linux allows a process 65,530. Programs that are kept need not be compiled again by
    the next file.
    """
    yield
    maps = Path("/proc/self/maps")
    many = not maps.exists() or maps.read_bytes().count(b"\n") > MAX_MEMORY_MAPS
    if "jax" in sys.modules and many:
        sys.modules["jax"].clear_caches()
        gc.collect()


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """A folder that all workers of xdist share during this session."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def data_dir(shared) -> str:
    """Where data sets are built, each once for all tests; builders lock it."""
    folder = shared / "data_sets"
    folder.mkdir(exist_ok=True)
    return str(folder)


def train_once(workdir: Path, train: Callable[[], dict]) -> dict:
    """Trains a run, unless another worker did; returns what `train` returned."""
    result = workdir.with_suffix(".json")
    with FileLock(workdir.with_suffix(".lock")):
        if not result.exists():
            shutil.rmtree(workdir, ignore_errors=True)
            result.write_text(json.dumps(train()))
    return json.loads(result.read_text())


@pytest.fixture(scope="session")
def trained(shared, data_dir, tmp_path_factory) -> tuple[Path, commands.Done]:
    """A run of the smallest Semiconformer, and the output of its command."""
    original = shared / "trained"

    def train() -> dict:
        config = "--config=configs/semiconformer.py:smoke"
        done = commands.run("train", config, workdir=original, data_dir=data_dir)
        assert done.code == 0, done.stderr
        return done._asdict()

    output = train_once(original, train)
    # A copy for each worker: commands lock the folder of their run.
    workdir = shutil.copytree(original, tmp_path_factory.mktemp("runs") / "trained")
    text = json.dumps(output).replace(str(original), str(workdir))
    return workdir, commands.Done(**json.loads(text))


@pytest.fixture(scope="session")
def alert_run(shared, data_dir, tmp_path_factory) -> Path:
    """A run of the smallest classifier of alerts, trained in this process."""
    original = shared / "alert_run"

    def train() -> dict:
        from support import runs

        from configs import stamp_classifier
        from jaxastro.runs import train

        spec = runs.smoke(stamp_classifier.get_config)
        train(spec, original, data_dir=data_dir, evaluated=False)
        return {}

    train_once(original, train)
    return shutil.copytree(original, tmp_path_factory.mktemp("runs") / "alert_run")


@pytest.fixture(scope="session")
def raw_objects(tmp_path_factory) -> Path:
    """A file of five new raw objects."""
    path = tmp_path_factory.mktemp("raw") / "new.npz"
    commands.python(
        "-m",
        "data_builders",
        "new-objects",
        "--preset=tiny",
        "--objects=5",
        "--seed=99",
        f"--output={path}",
    )
    return path
