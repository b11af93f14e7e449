"""Predicts the test fold of a run with its selected state, and stores the predictions.

    jaxastro evaluate --workdir=runs/semiconformer

With the model's predictions it stores those of the baselines, those from the first
epochs and the first days of each object, and a few objects' inputs, so that reports
need no survey.
"""

import argparse
from pathlib import Path

from jaxastro.commands.settings import (
    add_computing_arguments,
    add_data_arguments,
    apply_computing_arguments,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("--workdir", required=True, help="folder of a trained run")
    add_data_arguments(parser)
    add_computing_arguments(parser)


def run(given: argparse.Namespace) -> None:
    """Runs the command."""
    apply_computing_arguments(given)
    from jaxastro.runs.evaluation import evaluate

    path = evaluate(
        Path(given.workdir), data_dir=given.data_dir, manual_dir=given.manual_dir
    )
    print(path or "The run trained on all objects: there is none to predict.")
