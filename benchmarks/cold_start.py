"""Seconds from the start of `jaxastro predict` to its first predictions.

    python -m benchmarks.cold_start [--config configs/convention.py:laptop] [--json]

A run of one step is trained in a temporary folder; then the command classifies five new
objects, each time in a new process, with an empty compilation cache and once more with
the cache that this left, which is filled. Stages of the command:

    imports   until the network is loaded: Python, packages, arguments, spec and task
    shapes    of the state, by tracing
    restore   of the checkpoint, with its hashes verified
    program   traced, then compiled or read from disk, in a thread parallel to others
    read      the objects
    predict   waits for the program and runs it
    all       until the table is on disk and the process has ended
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
# Runs the command with timers around its parts. Nothing is imported before the first
# timer starts: imports are what it measures.
TIMED_COMMAND = """
import json, sys, time
started, output = float(sys.argv[1]), sys.argv[2]
from jaxastro.commands.main import main
from jaxastro.runs import predictor, run
seconds, moments = {}, {}

def measure(home, name, stage):
    inner = getattr(home, name)
    def outer(*args, **kwargs):
        begin = time.time()
        try:
            return inner(*args, **kwargs)
        finally:
            seconds[stage], moments[stage] = time.time() - begin, (begin, time.time())
    setattr(home, name, outer)

measure(run, "load_predictor", "load")
measure(predictor, "abstract_state", "shapes")
measure(predictor, "restore_best", "restore")
measure(predictor.Predictor, "_compile", "program")
measure(run, "predict_examples", "predict")
code = main(["predict", *sys.argv[3:]])
(begin, end), (reading_ends, _) = moments.pop("load"), moments["predict"]
seconds |= {"imports": begin - started, "read": reading_ends - end}
with open(output, "w") as file:
    json.dump(seconds, file)
sys.exit(code)
"""


def python(*arguments, folder: Path, **environment) -> None:
    """Runs Python on the project; its messages are shown if it fails."""
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
        "-m",
        "experiments.train",
        f"--config={config}",
        "--config.survey=sdss_sn_sim/tiny",
        "--config.num_steps=1",
        "--config.evaluate_every=1",
        "--config.optimizer.warmup_steps=0",
        "--config.batch_size=8",
        f"--workdir={folder / 'run'}",
        f"--data_dir={folder / 'data'}",
        folder=folder,
    )
    python(
        "-m",
        "data_builders",
        "new-objects",
        "--preset=tiny",
        "--objects=5",
        "--seed=99",
        f"--output={folder / 'new.npz'}",
        folder=folder,
    )


def stages_of(folder: Path, cache: Path) -> dict[str, float]:
    """Returns the seconds of each stage of one command."""
    output = folder / "seconds.json"
    started = time.time()
    python(
        "-c",
        TIMED_COMMAND,
        started,
        output,
        f"--workdir={folder / 'run'}",
        f"--input={folder / 'new.npz'}",
        f"--output={folder / 'new.csv'}",
        folder=folder,
        JAX_COMPILATION_CACHE_DIR=str(cache),
    )
    return json.loads(output.read_text()) | {"all": time.time() - started}


def main() -> None:
    """Runs the command."""
    parser = result.parser_of(__doc__, repeats=5)
    parser.add_argument("--config", default="configs/convention.py:laptop")
    given = parser.parse_args()
    found = {(cache, stage): [] for cache in ("empty", "filled") for stage in STAGES}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(given.config, folder)
        for repeat in tqdm(range(given.repeats), desc="Measuring", unit="repeat"):
            for cache in ("empty", "filled"):
                seconds = stages_of(folder, folder / f"cache_{repeat}")
                for stage in STAGES:
                    found[cache, stage].append(seconds[stage])
    rows = [
        result.Row(
            {"compilation cache": cache, "stage": stage}, {"s": result.spread_of(took)}
        )
        for (cache, stage), took in found.items()
    ]
    result.show(rows, as_json=given.json, about={"config": given.config})


if __name__ == "__main__":
    main()
