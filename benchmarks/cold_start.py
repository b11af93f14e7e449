"""Seconds from the start of `python -m experiments.predict` to its first predictions.

    python -m benchmarks.cold_start [--config configs/convention.py:laptop] [--json]

A run of one step is trained in a temporary folder; then its command classifies five
new objects, in a fresh process each time, with an empty folder of compiled programs
and with the same folder once more, which is warm. The stages are of that very command:

    imports   until it begins to load the run: Python, packages, flags
    shapes    of the state, by tracing
    restore   of the checkpoint, its hashes verified
    program   traced, then compiled or read from disk, in a thread beside the others
    read      the objects
    predict   waits for the program, and runs it
    all       until the table lies on disk and the process has ended
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tqdm import tqdm

from benchmarks import result

ROOT = Path(__file__).parents[1]
STAGES = ("imports", "shapes", "restore", "program", "read", "predict", "all")
# Runs the command with clocks around its parts. Nothing is imported before the first
# clock starts: imports are what it measures.
CLOCKED = """
import json, runpy, sys, time
started, told = float(sys.argv[1]), sys.argv[2]
from experiments import inference
seconds, moments = {}, {}

def clocked(home, name, stage):
    inner = getattr(home, name)
    def outer(*args, **kwargs):
        begin = time.time()
        try:
            return inner(*args, **kwargs)
        finally:
            seconds[stage], moments[stage] = time.time() - begin, (begin, time.time())
    setattr(home, name, outer)

clocked(inference, "load_predictor", "load")
clocked(inference, "abstract_state", "shapes")
clocked(inference, "restore_best", "restore")
clocked(inference.Predictor, "_compile", "program")
clocked(inference, "predict_examples", "predict")
sys.argv = ["experiments.predict", *sys.argv[3:]]
try:
    runpy.run_module("experiments.predict", run_name="__main__")
finally:
    (begin, end), (reading_ends, _) = moments.pop("load"), moments["predict"]
    seconds |= {"imports": begin - started, "read": reading_ends - end}
    with open(told, "w") as file:
        json.dump(seconds, file)
"""


def python(*arguments, folder: Path, **environment) -> None:
    """Runs Python on the project; what it says is shown if it fails."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ
        | {"JAX_COMPILATION_CACHE_DIR": str(folder / "programs")}
        | environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{done.stderr}\nThe command above failed: see its last line.")


def prepare(config: str, folder: Path) -> None:
    """Trains a run of one step, and writes five new objects."""
    python(
        *("-m", "experiments.train", f"--config={config}"),
        "--config.survey=sdss_sn_sim/tiny",
        *("--config.num_steps=1", "--config.evaluate_every=1"),
        *("--config.optimizer.warmup_steps=0", "--config.batch_size=8"),
        *(f"--workdir={folder / 'run'}", f"--data_dir={folder / 'data'}"),
        folder=folder,
    )
    python(
        *("-m", "data_builders.commands.new_objects", "--preset=tiny", "--objects=5"),
        *("--seed=99", f"--output={folder / 'new.npz'}"),
        folder=folder,
    )


def stages_of(folder: Path, programs: Path) -> dict[str, float]:
    """Returns the seconds of each stage of one command."""
    told = folder / "seconds.json"
    started = time.time()
    python(
        *("-c", CLOCKED, started, told, f"--workdir={folder / 'run'}"),
        *(f"--input={folder / 'new.npz'}", f"--output={folder / 'new.csv'}"),
        folder=folder,
        JAX_COMPILATION_CACHE_DIR=str(programs),
    )
    return json.loads(told.read_text()) | {"all": time.time() - started}


def main() -> None:
    """Runs the command."""
    parser = result.parser_of(__doc__, repeats=5)
    parser.add_argument("--config", default="configs/convention.py:laptop")
    given = parser.parse_args()
    found = {(cache, stage): [] for cache in ("empty", "warm") for stage in STAGES}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(given.config, folder)
        for repeat in tqdm(range(given.repeats), desc="Measuring", unit="repeat"):
            for cache in ("empty", "warm"):
                seconds = stages_of(folder, folder / f"programs_{repeat}")
                for stage in STAGES:
                    found[cache, stage].append(seconds[stage])
    rows = [
        result.Row({"programs": cache, "stage": stage}, {"s": result.spread_of(took)})
        for (cache, stage), took in found.items()
    ]
    result.show(rows, as_json=given.json, about={"config": given.config})


if __name__ == "__main__":
    main()
