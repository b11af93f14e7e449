"""Scores written predictions against a table of true labels.

    jaxastro score --workdir=RUN --predictions=night.csv --truth=truth.csv

The truth is a CSV table with a column alert_id or object_id, by which its rows join
those of the predictions, and one of labels: those of the run's survey, or names from
its hierarchy. Every row is scored at each level of the hierarchy that its label
determines; intervals (95 %) come from resampling objects, with all alerts of each. A
class without a row counts 0 in macro F1, and is left out of balanced accuracy. Rows
that cannot be scored are counted and listed on standard error. A CSV holds six digits
of each probability; of two that are equal there, the first wins.
"""

import argparse
import json
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("--workdir", required=True, help="folder of the run")
    parser.add_argument(
        "--predictions", required=True, help="its output: .csv, .parquet or .avro"
    )
    parser.add_argument("--truth", required=True, help="CSV table of true labels")
    parser.add_argument(
        "--column",
        default="",
        help="column of the true labels; default: class, label or kind",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, not tables")


def run(given: argparse.Namespace) -> None:
    """Runs the command."""
    from jaxastro.runs.scoring import as_text, score

    paths = (Path(path) for path in (given.workdir, given.predictions, given.truth))
    found, notes = score(*paths, column=given.column)
    for sentence in notes:
        print(sentence, file=sys.stderr)
    if given.json:
        print(json.dumps({"scores": found, "not_scored": notes}, indent=1))
    else:
        print(as_text(found))
