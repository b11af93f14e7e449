"""Classifies new raw objects with the selected state of a run.

    jaxastro predict --workdir=runs/hits --input=new.npz --output=new.csv
    jaxastro predict --workdir=runs/stamps --input=night.tar.gz \\
        --output=night.parquet --each_alert
    jaxastro predict --workdir=runs/fold_0,runs/fold_1 --input=new.npz --output=new.csv

The input has the format in which the run's survey publishes its data. The output is
CSV, Parquet or Avro, by its name, with a row for each object: the predicted class, and
p_CLASS, its probability. Of several runs the probabilities are averaged; spread_CLASS
is then their standard deviation over the runs, and of a model that samples networks,
over those. Where the run has a hierarchy, levels above the classes have probabilities
too, the sums of theirs, and predicted_level1 is the most probable name at the coarsest.

Objects that cannot be read are named, each with the reason, in OUTPUT.set_aside.json.
Rows are written as they come, to OUTPUT.partial until the last one is there.

With --each_alert there is a row for each alert of a night by itself, from a file, a
folder, a tar or, with --input=-, standard input; memory holds a few batches.
"""

import argparse
from pathlib import Path

from jaxastro.commands.settings import (
    add_computing_arguments,
    apply_computing_arguments,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument(
        "--workdir", required=True, help="folder of a trained run; several by commas"
    )
    parser.add_argument("--input", required=True, help="raw file or folder of objects")
    parser.add_argument(
        "--output", required=True, help="file to write: .csv, .parquet or .avro"
    )
    parser.add_argument(
        "--each_alert", action="store_true", help="a row for each alert, in their order"
    )
    add_computing_arguments(parser)


def run(given: argparse.Namespace) -> None:
    """Runs the command."""
    apply_computing_arguments(given)
    from jaxastro.runs.prediction_table import check_output
    from jaxastro.runs.run import load

    output = Path(given.output)
    check_output(output)
    report = output.with_name(output.name + ".set_aside.json")
    count = load(*given.workdir.split(",")).predict_to_file(
        given.input, output, each_alert=given.each_alert, report=report, progress=True
    )
    unit = "alert" if given.each_alert else "object"
    print(f"{count} {unit}s classified: {output}")
    print(f"Objects set aside, and repairs: {report}")
