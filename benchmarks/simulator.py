"""Objects the simulators make a second, on one core, and what memory it takes.

    python -m benchmarks.simulator [--objects 300] [--repeats 3] [--json]

Objects of sdss_sn_sim and of hits_sim as their builders ask for them, numbers 0 up. The
median of the repeats, with the slowest and the fastest; the memory is the most that the
process has held until then. hits_sim needs the real observing log, in the folder that
JAXASTRO_DATA names; without it its rows are left out.
"""

import argparse
import functools
import json
import os
import resource
import statistics
import time

from data_builders import hits_sim
from jaxastro.simulation import survey


def makers() -> dict:
    """Returns preset -> (number, seed) -> record."""
    found = {
        f"sdss_sn_sim/{name}": functools.partial(survey.simulate_object, preset=preset)
        for name, preset in survey.PRESETS.items()
    }
    if "JAXASTRO_DATA" in os.environ:
        logs = hits_sim.read_field_logs(None)
        found |= {
            f"hits_sim/{name}": functools.partial(
                hits_sim.simulate_object, logs=logs, preset=hits_sim.PRESETS[name]
            )
            for name in ("transfer", "all")
        }
    return found


def measure(name: str, make, objects: int, repeats: int) -> dict:
    """Returns the rate of a preset, and how many frames and bytes an object has."""
    rates = []
    for repeat in range(repeats + 1):  # the first also loads libraries: not counted
        start = time.perf_counter()
        made = [make(number, seed=repeat) for number in range(objects)]
        rates.append(objects / (time.perf_counter() - start))
    rates = rates[1:]
    return {
        "preset": name,
        "objects_per_second": statistics.median(rates),
        "slowest": min(rates),
        "fastest": max(rates),
        "frames_per_object": statistics.mean(len(record.mjd) for record in made),
        "kibibytes_per_object": statistics.mean(r.flux.nbytes for r in made) / 2**10,
        "peak_mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    }


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON, not a table")
    parser.add_argument("--objects", type=int, default=300, help="made per repeat")
    parser.add_argument("--repeats", type=int, default=3, help="times each preset")
    arguments = parser.parse_args()
    counts = (arguments.objects, arguments.repeats)
    rows = [measure(name, make, *counts) for name, make in makers().items()]
    if arguments.json:
        print(json.dumps(rows))
        return
    print("| preset | objects/s (slowest to fastest) | frames | KiB | peak MiB |")
    print("|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['preset']} | {row['objects_per_second']:.0f} "
            f"({row['slowest']:.0f} to {row['fastest']:.0f}) "
            f"| {row['frames_per_object']:.0f} | {row['kibibytes_per_object']:.0f} "
            f"| {row['peak_mebibytes']:.0f} |"
        )


if __name__ == "__main__":
    main()
