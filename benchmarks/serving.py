"""Alerts per second from the bytes of a night to probabilities, by a trained run.

    python -m data_builders simulate-night --objects 2000 --output night.tar.gz
    python -m benchmarks.serving --workdir RUN --input night.tar.gz [--json]

The command is `jaxastro predict --each_alert`, each time in a new process, with an
empty compilation cache and once more with the cache that this left:

    first rows  seconds from the start of the process until they are on disk
    alerts/s    of the following ones: read, decoded, classified, written
    all         until the process has ended
    peak MiB    of the process

Its parts are measured in one process, on --alerts of the night, after a first pass:

    decode      bytes of the file -> record -> example, in one thread
    model       examples -> probabilities on the host, in batches as of the command

CPU ms are summed over all cores, so that other programs hardly affect them.
"""

import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from benchmarks import result
from benchmarks.cold_start import ROOT
from jaxastro.runs.model_building import mesh_for
from jaxastro.runs.predictor import load_predictor, predict_examples
from jaxastro.runs.record_input import alert_readings_of
from jaxastro.runs.run import BATCHES_PER_WINDOW
from jaxastro.runs.spec import read_spec
from jaxastro.runs.task import read_task

POLL = 0.002  # seconds between two checks of the growing table


class Served(NamedTuple):
    """Time and memory of one command."""

    first: float  # seconds until the first rows
    done: float  # seconds until the table is complete
    ended: float  # seconds until the process has ended
    peak: float  # MiB
    num_first: int  # rows that came first, together
    num_rows: int


def serve(workdir: Path, night: Path, folder: Path, cache: Path) -> Served:
    """Runs the command on a night and follows its table as it grows."""
    output = folder / "predictions.csv"
    partial = folder / "predictions.csv.partial"
    output.unlink(missing_ok=True)
    command = [
        "-m",
        "jaxastro",
        "predict",
        "--each_alert",
        f"--workdir={workdir}",
        f"--input={night}",
        f"--output={output}",
    ]
    start, first, num_first = time.perf_counter(), 0.0, 0
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=os.environ | {"JAX_COMPILATION_CACHE_DIR": str(cache)},
            stdout=log,
            stderr=log,
        )
        done, pid = 0.0, 0
        while not pid:
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            now = time.perf_counter() - start
            if not first and (rows := rows_in(partial)):
                first, num_first = now, rows
            if not done and output.exists():
                done = now
            time.sleep(POLL)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            sys.exit(f"{log.read()}\nThe command failed: see its last line.")
    peak, num_rows = used.ru_maxrss / 1024, rows_in(output)
    return Served(first or done, done or now, now, peak, num_first, num_rows)


def rows_in(table: Path) -> int:
    """Returns the number of rows below the titles; 0 if there is no table."""
    try:
        return max(table.read_bytes().count(b"\n") - 1, 0)
    except FileNotFoundError:
        return 0


def measure_command(workdir: Path, night: Path, repeats: int) -> list[result.Row]:
    """Returns a row for empty compilation caches, and one for filled ones."""
    found = {"empty": [], "filled": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for repeat in tqdm(range(repeats), desc="Commands", unit="repeat"):
            cache = folder / f"cache_{repeat}"
            for served in found.values():
                served.append(serve(workdir, night, folder, cache))
    for one in itertools.chain(*found.values()):
        if one.num_first in (0, one.num_rows):
            sys.exit(
                f"{night} has {one.num_rows} alerts, which are written at once. Give a "
                "longer night."
            )
    rows = []
    for cache, served in found.items():
        rates = [(s.num_rows - s.num_first) / (s.done - s.first) for s in served]
        measures = {
            "first rows, s": result.spread_of(s.first for s in served),
            "then alerts/s": result.spread_of(rates),
            "all, s": result.spread_of(s.ended for s in served),
            "peak MiB": result.spread_of(s.peak for s in served),
        }
        case = {"compilation cache": cache, "alerts": served[0].num_rows}
        rows.append(result.Row(case, measures))
    return rows


def measure_parts(
    workdir: Path, night: Path, most: int, repeats: int
) -> list[result.Row]:
    """Returns a row for decoding and one for the model.

    Args:
        most: alerts that are decoded.
    """
    spec, task = read_spec(workdir), read_task(workdir)
    predictor, state = load_predictor(workdir, spec, task, mesh_for(spec))
    make_example = predictor.example_maker()
    window = predictor.batch_size * BATCHES_PER_WINDOW

    def decode() -> list:
        readings = itertools.islice(alert_readings_of(night, spec), most)
        return [make_example(r.record) for r in readings if r.record is not None]

    def model() -> None:
        for start in range(0, len(examples), window):
            predict_examples(predictor, state, examples[start : start + window])

    examples = decode()
    rows = []
    for name, run in (("decode", decode), ("model", model)):
        measures = rate_and_time(run, len(examples), repeats)
        rows.append(result.Row({"part": name, "alerts": len(examples)}, measures))
    return rows


def rate_and_time(run: Callable[[], object], count: int, repeats: int) -> dict:
    """Returns alerts per second and processor time per alert, after a first run."""
    run()
    rates, spent = [], []
    for _ in range(repeats):
        begin, busy = time.perf_counter(), time.process_time()
        run()
        rates.append(count / (time.perf_counter() - begin))
        spent.append(1000 * (time.process_time() - busy) / count)
    return {
        "alerts/s": result.spread_of(rates),
        "CPU ms per alert": result.spread_of(spent),
    }


def main() -> None:
    """Runs the command."""
    parser = result.parser_of(__doc__, repeats=3)
    add = parser.add_argument
    add("--workdir", type=Path, required=True, help="folder of a run on alerts")
    night = "its alerts: a .tar, .tar.gz, .avro or a folder"
    add("--input", type=Path, required=True, help=night)
    most = "at most, that the parts are measured on (default: 2000)"
    add("--alerts", type=int, default=2000, help=most)
    given = parser.parse_args()
    workdir, night = given.workdir.resolve(), given.input.resolve()
    # First: a new process counts as at least as large as the process that starts it.
    rows = measure_command(workdir, night, given.repeats)
    rows += measure_parts(workdir, night, given.alerts, given.repeats)
    about = {
        "model": read_spec(workdir).model.name,
        "input": given.input.name,
        "MB": round(size_of(night) / 1e6),
    }
    result.show(rows, as_json=given.json, about=about)


def size_of(path: Path) -> int:
    """Returns the bytes of a file, or of all files of a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


if __name__ == "__main__":
    main()
