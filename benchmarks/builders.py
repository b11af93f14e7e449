"""Objects and megabytes per second that builders store, and their memory.

    python -m benchmarks.builders [NAME ...] [--processes 1 2] [--beam] [--json]

Each data set is built by `python -m data_builders build`, in a new process and an empty
folder. Without names: the simulated survey, and every survey whose raw files are in the
folder that JAXASTRO_DATA names. Seconds are wall time, including the start of Python;
CPU is that of all processes together, which other programs affect less. Memory is that
of the largest process; the first row, which builds nothing, shows that of the imports.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

from benchmarks import result
from data_builders.opening import builder_of
from data_builders.registry import BUILDERS

SIMULATED = ("sdss_sn_sim/tiny", "sdss_sn_sim/laptop")


def build(name: str, data_dir: str, settings: list[str]) -> result.Row:
    """Returns the row of one data set; an empty name builds nothing."""
    options = (
        ["build", name, f"--data_dir={data_dir}", *settings] if name else ["schema"]
    )
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "data_builders", *options], stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds, objects, size = time.perf_counter() - start, 0, 0.0
    if status:
        raise SystemExit(f"{name} was not built: see the message above.")
    if name:
        info = builder_of(name, data_dir=data_dir).info.splits["objects"]
        objects, size = info.num_examples, info.num_bytes / 2**20
    measures = {
        "objects": objects,
        "MiB": size,
        "s": seconds,
        "CPU s": usage.ru_utime + usage.ru_stime,
        "objects/s": objects / seconds,
        "MiB/s": size / seconds,
        "peak MiB": usage.ru_maxrss / 1024,
    }
    return result.Row(
        {"data set": name or "nothing", "settings": " ".join(settings)}, measures
    )


def with_raw_files() -> list[str]:
    """Returns the surveys whose raw files are found."""
    command = [sys.executable, "-m", "data_builders", "list", "--json"]
    rows = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return [
        row["name"]
        for row in rows
        if row["raw_files"] == "found" and row["name"] in BUILDERS
    ]


def main() -> None:
    """Runs the command."""
    parser = result.parser_of(__doc__)
    parser.add_argument("name", nargs="*", help="a builder, with its preset")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument(
        "--beam", action="store_true", help="also with Beam's DirectRunner"
    )
    given = parser.parse_args()
    settings = [[f"--processes={n}"] for n in given.processes]
    if given.beam:
        settings.append(["--beam=DirectRunner"])
    rows = [build("", "", [])]
    for name in given.name or [*SIMULATED, *with_raw_files()]:
        for one in settings:
            with tempfile.TemporaryDirectory() as folder:
                rows.append(build(name, folder, one))
    result.show(rows, as_json=given.json)


if __name__ == "__main__":
    main()
