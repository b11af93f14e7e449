"""Writes the report of a run: a page, its pictures and metrics.json.

    jaxastro report --workdir=runs/semiconformer

Reads   WORKDIR/predictions/predictions.npz   written by `jaxastro evaluate`
        WORKDIR/config.json                   shown at the end of the page
Writes  WORKDIR/report/index.html             one file; open it, mail it, print it
        WORKDIR/report/metrics.json           the scores, for programs
        WORKDIR/report/*.png, *.csv           every picture and table by itself

No survey, model or accelerator is needed: it runs wherever that folder is.
"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("--workdir", required=True, help="folder of an evaluated run")


def run(given: argparse.Namespace) -> None:
    """Runs the command."""
    from jaxastro.runs.reporting import write_report

    write_report(given.workdir)
