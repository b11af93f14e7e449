"""Shows what a run consists of: layers, parameters, arithmetic, memory.

    jaxastro describe --workdir=runs/semiconformer

Counted without running: FLOPs are those of matrix products and convolutions (two per
multiply and add) in the traced program, memory is what XLA's compiler plans for. Before
training: python -m experiments.describe --config=CONFIG.
"""

import argparse
import json
from pathlib import Path

from jaxastro.commands.settings import (
    add_computing_arguments,
    apply_computing_arguments,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("--workdir", required=True, help="folder of a run")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_computing_arguments(parser)


def run(given: argparse.Namespace) -> None:
    """Runs the command."""
    apply_computing_arguments(given)
    from jaxastro.runs.description import as_text, describe
    from jaxastro.runs.spec import read_spec
    from jaxastro.runs.task import read_task

    workdir = Path(given.workdir)
    found = describe(read_spec(workdir), read_task(workdir))
    print(json.dumps(found) if given.json else as_text(found))
