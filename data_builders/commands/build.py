"""Build a data set from raw files, or by simulation.

examples:
  python -m data_builders build sdss_sn_sim/tiny
  python -m data_builders build hits --manual_dir=FOLDER --data_dir=FOLDER
  python -m data_builders build sdss_sn_sim/paper --processes=8
  python -m data_builders build sdss_sn_sim/paper --beam=DataflowRunner \\
      --beam_option=project=NAME --beam_option=region=NAME \\
      --beam_option=temp_location=gs://BUCKET/temp --data_dir=gs://BUCKET/data_sets

A data set that exists is not built again: delete its folder to rebuild it. The folder
appears when the data set is complete; a build that was killed leaves a folder named
incomplete..., which the next build removes. Records and report do not depend on the
number of processes or machines. Machines of a Beam runner need this package and access
to the raw files. DirectRunner is for tests: it holds all data in memory.
"""

import argparse
import json

from data_builders.commands.arguments import add_data_set, add_folders
from data_builders.engine.builder import REPORT_FILE
from data_builders.engine.printable import printable
from data_builders.opening import builder_of, is_built, prepare

SHOWN = 5  # objects that were set aside


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this sub-command."""
    add_data_set(parser)
    add_folders(parser)
    parser.add_argument(
        "--processes",
        type=int,
        default=1,
        metavar="N",
        help="processes that read raw data at the same time (default: 1); faster for "
        "simulated surveys and for many raw files",
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
        help="option of the runner; may be given several times",
    )


def run(options: argparse.Namespace) -> int:
    """Builds the data set and prints the number of objects by class and outcome."""
    existed = is_built(builder_of(options.name, data_dir=options.data_dir))
    builder = prepare(
        options.name,
        data_dir=options.data_dir,
        manual_dir=options.manual_dir,
        processes=options.processes,
        beam_runner=options.beam,
        beam_options=options.beam_option,
    )
    state = "exists and is not built again" if existed else "is built"
    print(f"{options.name} {state}: {builder.data_dir}")
    path = builder.data_path / REPORT_FILE
    report = json.loads(path.read_text())
    if "repaired" not in report:
        print("Its report is of an earlier version. Delete the folder to rebuild it.")
        return 0
    for label, count in report["classes"].items():
        print(f"{count:>10,} {printable(label)}")
    print(f"{report['objects_read']:>10,} objects read")
    set_aside, repaired = report["objects_set_aside"], len(report["repaired"])
    print(f"{set_aside:>10,} set aside, {repaired:,} repaired: see {path}")
    for object_id, notes in list(report["set_aside"].items())[:SHOWN]:
        print(f"{'':>10} {printable(object_id)}: {printable(' '.join(notes))}")
    return 0
