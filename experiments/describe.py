"""Shows what a config builds: layers, parameters, arithmetic, memory.

    python -m experiments.describe --config=configs/semiconformer.py:paper

Counted without running: FLOPs are those of matrix products and convolutions (two per
multiply and add) in the traced program, memory is what XLA's compiler plans for. Of a
survey that brings its own classes or bands the data set must be built.
"""

import json
import sys

from absl import flags

from experiments import command_line
from jaxastro.runs.description import as_text, describe
from jaxastro.runs.task import make_task
from jaxastro.surveys import survey_of

FLAGS = flags.FLAGS


def main() -> None:
    """Runs the command."""
    # With --json a program reads standard output: other words go elsewhere.
    config = command_line.resolve_config(sys.stderr if FLAGS.json else sys.stdout)
    spec = command_line.spec_of(config)
    task = make_task(spec, survey_of(spec.survey), spec.classes, statistics={})
    found = describe(spec, task)
    print(json.dumps(found) if FLAGS.json else as_text(found))


if __name__ == "__main__":
    command_line.define_flags(
        "An experiment, such as configs/semiconformer.py:laptop.", "Not used."
    )
    flags.DEFINE_bool("json", False, "Print one JSON object instead of a table.")
    command_line.run(main, needs=("config",))
