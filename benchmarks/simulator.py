"""Objects the simulator makes a second, on one core.

    python -m benchmarks.simulator [--objects 300] [--repeats 3] [--json]

Objects of sdss_sn_sim as a builder asks for them, numbers 0 up, in the proportions of
the survey. The median of the repeats, with the slowest and the fastest.
"""

import argparse
import json
import statistics
import time

from jaxastro.simulation.survey import PRESETS, preset_of, simulate_object


def measure(name: str, objects: int, repeats: int) -> dict:
    """Returns the rate of a preset, and how many frames and bytes an object has."""
    preset, rates = preset_of(name), []
    for repeat in range(repeats + 1):  # the first also loads libraries: not counted
        start = time.perf_counter()
        made = [simulate_object(n, seed=repeat, preset=preset) for n in range(objects)]
        rates.append(objects / (time.perf_counter() - start))
    rates = rates[1:]
    return {
        "preset": name,
        "objects_per_second": statistics.median(rates),
        "slowest": min(rates),
        "fastest": max(rates),
        "frames_per_object": statistics.mean(len(record.mjd) for record in made),
        "kibibytes_per_object": statistics.mean(r.flux.nbytes for r in made) / 2**10,
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
    rows = [measure(name, arguments.objects, arguments.repeats) for name in PRESETS]
    if arguments.json:
        print(json.dumps(rows))
        return
    print("| preset | objects/s (slowest to fastest) | frames an object | KiB |")
    print("|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['preset']} | {row['objects_per_second']:.0f} "
            f"({row['slowest']:.0f} to {row['fastest']:.0f}) "
            f"| {row['frames_per_object']:.0f} | {row['kibibytes_per_object']:.0f} |"
        )


if __name__ == "__main__":
    main()
