"""Objects per second of the simulators, on one core, and their memory.

    python -m benchmarks.simulator [--objects 300] [--repeats 3] [--json]

Objects of sdss_sn_sim and of hits_sim, from number 0 on, as their builders make them.
The memory is the largest of the process up to then. hits_sim needs the real observing
log, in the folder that JAXASTRO_DATA names; without it, its rows are left out.
"""

import functools
import os
import resource
import statistics
import time

from benchmarks import result
from data_builders.hits import hits_sim
from jaxastro.simulation import survey


def makers() -> dict:
    """Returns, by preset, functions of number and seed that make an object."""
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


def measure(name: str, make, objects: int, repeats: int) -> result.Row:
    """Returns the rate of a preset, and the mean frames and bytes of an object."""
    rates = []
    for repeat in range(repeats + 1):  # the first also loads libraries: not counted
        start = time.perf_counter()
        made = [make(number, seed=repeat) for number in range(objects)]
        rates.append(objects / (time.perf_counter() - start))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    measures = {
        "objects/s": result.spread_of(rates[1:]),
        "frames": statistics.mean(len(record.mjd) for record in made),
        "KiB": statistics.mean(record.flux.nbytes for record in made) / 2**10,
        "peak MiB": peak / 2**10,
    }
    return result.Row({"preset": name}, measures)


def main() -> None:
    """Runs the command."""
    parser = result.parser_of(__doc__, repeats=3)
    parser.add_argument("--objects", type=int, default=300, help="per repeat")
    given = parser.parse_args()
    rows = [
        measure(name, make, given.objects, given.repeats)
        for name, make in makers().items()
    ]
    result.show(rows, as_json=given.json)


if __name__ == "__main__":
    main()
