"""Alerts a second from the bytes of a night to probabilities, by a trained run.

    python -m data_builders.commands.simulate_night --objects 2000 --output night.tar.gz
    python -m benchmarks.serving --workdir RUN --input night.tar.gz [--json]

The whole is `python -m experiments.predict --each_alert`, each time in a process of its
own, with an empty folder of compiled programs and with the one that this left:

    first rows  seconds from the start of the process until they lie on disk
    alerts/s    of those that follow: read, decoded, classified, written
    all         until the process has ended
    peak MiB    of the process

Its parts are measured in one process, over --alerts of the night, done once before:

    decode      bytes of the file -> record -> example, in one thread
    model       examples -> probabilities on the host, in batches as the command's

CPU ms are of all cores together: other programs hardly count.
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
from experiments.predict import BATCHES_AT_ONCE, alerts_of
from jaxastro.runs import assemble
from jaxastro.runs.predictor import load_predictor, mesh_for, predict_examples

POLL = 0.002  # seconds between looks at the table that grows


class Served(NamedTuple):
    """What one command took."""

    first: float  # seconds
    done: float  # seconds, until the table is whole
    ended: float  # seconds
    peak: float  # MiB
    num_first: int  # rows that came first, together
    num_rows: int


def serve(workdir: Path, night: Path, folder: Path, programs: Path) -> Served:
    """Runs the command on a night, and looks on as its table grows."""
    output = folder / "said.csv"
    partial = folder / "said.csv.partial"
    output.unlink(missing_ok=True)
    command = (
        *("-m", "experiments.predict", "--each_alert", f"--workdir={workdir}"),
        *(f"--input={night}", f"--output={output}"),
    )
    start, first, num_first = time.perf_counter(), 0.0, 0
    with (folder / "words").open("w+") as words:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=os.environ | {"JAX_COMPILATION_CACHE_DIR": str(programs)},
            stdout=words,
            stderr=words,
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
            words.seek(0)
            sys.exit(f"{words.read()}\nThe command failed: see its last line.")
    peak, num_rows = used.ru_maxrss / 1024, rows_in(output)
    return Served(first or done, done or now, now, peak, num_first, num_rows)


def rows_in(table: Path) -> int:
    """Returns how many rows there are below the titles; 0 if there is no table."""
    try:
        return max(table.read_bytes().count(b"\n") - 1, 0)
    except FileNotFoundError:
        return 0


def measure_command(workdir: Path, night: Path, repeats: int) -> list[result.Row]:
    """Returns a row for empty folders of programs, and one for warm ones."""
    found = {"empty": [], "warm": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for repeat in tqdm(range(repeats), desc="Commands", unit="repeat"):
            kept = folder / f"programs_{repeat}"
            for served in found.values():
                served.append(serve(workdir, night, folder, kept))
    for one in itertools.chain(*found.values()):
        if one.num_first in (0, one.num_rows):
            sys.exit(f"{night}, {one.num_rows} alerts, is over at once: give a longer.")
    rows = []
    for programs, served in found.items():
        rates = [(s.num_rows - s.num_first) / (s.done - s.first) for s in served]
        measures = {
            "first rows, s": result.spread_of(s.first for s in served),
            "then alerts/s": result.spread_of(rates),
            "all, s": result.spread_of(s.ended for s in served),
            "peak MiB": result.spread_of(s.peak for s in served),
        }
        case = {"programs": programs, "alerts": served[0].num_rows}
        rows.append(result.Row(case, measures))
    return rows


def measure_parts(workdir: Path, night: Path, most: int, repeats: int) -> list:
    """Returns a row for decoding and one for the model."""
    config = assemble.read_config(workdir)
    predictor, state = load_predictor(workdir, config, mesh_for(config))
    make_example = assemble.example_of_config(
        config, max_epochs=config.representation.max_epochs
    )
    window = predictor.batch_size * BATCHES_AT_ONCE

    def decode() -> list:
        readings = itertools.islice(alerts_of(config, night), most)
        return [make_example(r.record) for r in readings if r.record is not None]

    def model() -> None:
        for start in range(0, len(examples), window):
            predict_examples(predictor, state, examples[start : start + window])

    examples = decode()
    rows = []
    for name, run in (("decode", decode), ("model", model)):
        measures = clocked(run, len(examples), repeats)
        rows.append(result.Row({"part": name, "alerts": len(examples)}, measures))
    return rows


def clocked(run: Callable[[], object], count: int, repeats: int) -> dict:
    """Returns the rate of what was run once before, and the processors' time."""
    run()
    rates, spent = [], []
    for _ in range(repeats):
        begin, busy = time.perf_counter(), time.process_time()
        run()
        rates.append(count / (time.perf_counter() - begin))
        spent.append(1000 * (time.process_time() - busy) / count)
    return {
        "alerts/s": result.spread_of(rates),
        "CPU ms an alert": result.spread_of(spent),
    }


def main() -> None:
    """Runs the command."""
    parser = result.parser_of(__doc__, repeats=3)
    run = "folder of a run on alerts"
    night = "its alerts: a .tar, .tar.gz, .avro or a folder"
    most = "that the parts are measured on (default: 2000)"
    parser.add_argument("--workdir", type=Path, required=True, help=run)
    parser.add_argument("--input", type=Path, required=True, help=night)
    parser.add_argument("--alerts", type=int, default=2000, help=most)
    given = parser.parse_args()
    workdir, night = given.workdir.resolve(), given.input.resolve()
    # First: a process that is started passes for as large as the one that starts it.
    rows = measure_command(workdir, night, given.repeats)
    rows += measure_parts(workdir, night, given.alerts, given.repeats)
    about = {
        "model": assemble.read_config(workdir).model.name,
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
