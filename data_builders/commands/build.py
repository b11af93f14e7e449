"""Build a data set from raw files, or from nothing if it is simulated.

examples:
  python -m data_builders build sdss_sn_sim/tiny
  python -m data_builders build hits --manual_dir=FOLDER --data_dir=FOLDER
  python -m data_builders build sdss_sn_sim/paper --processes=8
  python -m data_builders build sdss_sn_sim/paper --beam=DataflowRunner \\
      --beam_option=project=NAME --beam_option=region=NAME \\
      --beam_option=temp_location=gs://BUCKET/temp --data_dir=gs://BUCKET/data_sets

A data set that was built before is left alone: delete its folder to build it anew. It
appears when it is whole; a build that was killed left a folder named incomplete..., and
the next one removes it. However many processes or machines read, the records and the
report are the same. A machine of a Beam runner needs this package, and the raw files in
a place that it can reach too; DirectRunner, for trying out, holds all in memory.
"""

import argparse
import json

from data_builders.commands.arguments import add_data_set, add_folders
from data_builders.engine.builder import REPORT_FILE
from data_builders.engine.printable import printable
from data_builders.opening import builder_of, is_built, prepare


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what this sub-command can be told."""
    add_data_set(parser)
    add_folders(parser)
    parser.add_argument(
        "--processes",
        type=int,
        default=1,
        metavar="N",
        help="how many read raw data at a time (default: 1); of use where there are "
        "many raw files, or none",
    )
    parser.add_argument(
        "--beam",
        default="",
        metavar="RUNNER",
        help="build with Apache Beam: DirectRunner, DataflowRunner, FlinkRunner, "
        "SparkRunner; needs pip install 'jaxastro[beam]'",
    )
    parser.add_argument(
        "--beam_option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of the runner; may be given several times",
    )


def run(given: argparse.Namespace) -> int:
    """Builds the data set and says what became of which objects."""
    was_there = is_built(builder_of(given.name, data_dir=given.data_dir))
    builder = prepare(
        given.name,
        data_dir=given.data_dir,
        manual_dir=given.manual_dir,
        processes=given.processes,
        beam_runner=given.beam,
        beam_options=given.beam_option,
    )
    state = "was there already, and is left alone" if was_there else "is built"
    print(f"{given.name} {state}: {builder.data_dir}")
    report = builder.data_path / REPORT_FILE
    found = json.loads(report.read_text())
    if "classes" not in found:
        print(
            "Its report is of an earlier version: delete the folder to build it anew."
        )
        return 0
    for label, count in found["classes"].items():
        print(f"{count:>10,} {printable(label)}")
    print(f"{found['objects_read']:>10,} objects read")
    aside, mended = found["objects_set_aside"], len(found["mended"])
    print(f"{aside:>10,} set aside, {mended:,} mended: see {report}")
    for object_id, notes in list(found["set_aside"].items())[:5]:
        print(f"{'':>10} {printable(object_id)}: {printable(' '.join(notes))}")
    return 0
