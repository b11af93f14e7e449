"""Heat maps per second, fitted and evaluated.

    python -m benchmarks.heat_map [--survey light_curves/sdss_sn_sim.laptop] [--json]

Measured on as many light curves of a data set, which is built if necessary, as the
builder draws at once; compilation is not counted. Seconds are wall time, on all cores
that XLA uses; CPU seconds are those of this process, which other programs affect less.
"""

import time

from benchmarks import result
from data_builders.derived.heat_maps import HeatMaps
from data_builders.opening import prepare
from jaxastro.data.light_curve import LightCurveRecord
from jaxastro.data.record import Records
from jaxastro.photometry.heat_map import draw_heat_maps


def measure(name: str, data_dir: str, repeats: int) -> result.Row:
    """Returns the rate for one part of the light curves."""
    builder = prepare(name, data_dir=data_dir)
    records = Records(builder.as_data_source(split="all"), LightCurveRecord)
    curves = [records[row] for row in range(min(HeatMaps.PART_SIZE, len(records)))]
    processor = []

    def run():
        start = time.process_time()
        draw_heat_maps(curves, builder.survey)
        processor.append(time.process_time() - start)

    seconds = result.seconds_of(run, repeats)
    measures = {
        "maps/s": result.rate_of(seconds, len(curves)),
        "CPU ms per map": result.scaled(
            result.spread_of(processor[1:]), 1e3 / len(curves)
        ),
    }
    return result.Row({"light curves": name, "maps": len(curves)}, measures)


def main() -> None:
    """Runs the command."""
    parser = result.parser_of(__doc__, repeats=3)
    parser.add_argument("--survey", default="light_curves/sdss_sn_sim.laptop")
    parser.add_argument("--data_dir", default="", help="folder of built data sets")
    given = parser.parse_args()
    rows = [measure(given.survey, given.data_dir, given.repeats)]
    result.show(rows, as_json=given.json)


if __name__ == "__main__":
    main()
