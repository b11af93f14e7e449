r"""Trains, evaluates and reports: the main job.

    python -m experiments.train --config=configs/semiconformer.py --workdir=runs/one

The config's presets follow a colon (:laptop, :paper, :hits, :smoke) and any of its
keys can be set (--config.seed=1). The same command again continues a run that was
stopped, from its last checkpoint, to the same bits. At the end the folder holds
    config.json, task.json    settings; survey, classes and statistics of the inputs
    checkpoints/              the latest and the selected state
    scalars.jsonl             losses and validation scores by step; tensorboard/ as well
    predictions/              of every object of the test fold
    report/index.html         the page to read

--config.folds.held_out=validation trains on all objects but the validation fold, and
=nothing on all of them, for a model that goes into use.

On several hosts the same command runs once on each, with --distributed
(docs/clusters.md). SIGTERM and SIGINT finish the step, save, and end the run.
"""

import os
import sys
from pathlib import Path

from absl import flags

from experiments import command_line
from jaxastro.runs.training_loop import train
from jaxastro.training import sharding

FLAGS = flags.FLAGS


def join_hosts() -> None:
    """Makes this process one of several, if it is to be."""
    if FLAGS.distributed or FLAGS.coordinator:
        sharding.join_hosts(FLAGS.coordinator, FLAGS.num_processes, FLAGS.process_id)


def main() -> None:
    """Runs the command."""
    with Path(os.devnull).open("w") as nowhere:
        log_file = sys.stdout if sharding.is_first_process() else nowhere
        config = command_line.resolve_config(log_file)
    train(
        command_line.spec_of(config),
        FLAGS.workdir,
        data_dir=FLAGS.data_dir,
        manual_dir=FLAGS.manual_dir,
    )


if __name__ == "__main__":
    command_line.define_flags(
        "An experiment, such as configs/semiconformer.py:laptop.",
        "Folder of the run; made if it does not exist.",
    )
    flags.DEFINE_bool(
        "distributed",
        False,
        "This is one process of several, as JAX learns from SLURM, Kubernetes, Open "
        "MPI or a TPU pod.",
    )
    flags.DEFINE_string(
        "coordinator",
        "",
        "host:port of process 0, where JAX cannot find it; implies --distributed.",
    )
    flags.DEFINE_integer("num_processes", 1, "With --coordinator: how many there are.")
    flags.DEFINE_integer("process_id", 0, "With --coordinator: which one this is.")
    command_line.run(main, needs=("config", "workdir"), before_devices=join_hosts)
