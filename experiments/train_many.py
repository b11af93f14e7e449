r"""Trains every fold and seed of an experiment in one program, and pools the folds.

    python -m experiments.train_many --config=configs/convention.py:laptop \
        --workdir=runs/many --folds=0,1,2,3,4 --seeds=0,1,2

Each run lies in WORKDIR/fold_0/seed_0 and differs from the same run trained by itself
by rounding only: every other command works on it. In config.init_from {fold} and {seed}
are the run's own numbers. The same command again continues those that were stopped and
skips those that are done. At the end
    pooled.json, pooled.md    the scores over all folds: each object is scored by the
                              models that never saw it, with 95 % intervals

Runs are spread over the devices there are. --execution says what a device does with
more runs than one:
    sequential    one after the other, step by step: fastest on a CPU, whose cores then
                  share each step (python -m benchmarks.many_models)
    vmapped       one program for all: for an accelerator that small models leave idle
"""

import json
from pathlib import Path

from absl import flags

from experiments import command_line
from jaxastro.atomic_write import atomic_write
from jaxastro.runs.pooled_scores import as_markdown, pooled_rows
from jaxastro.runs.training_loop import train_many
from jaxastro.training import many_models, sharding

FLAGS = flags.FLAGS


def use_cores() -> None:
    """Makes a CPU count as several devices, if that is requested."""
    runs = len(command_line.numbers_of("folds")) * len(command_line.numbers_of("seeds"))
    sharding.use_cores_as_devices(min(FLAGS.cpu_devices, runs))


def main() -> None:
    """Runs the command."""
    folds, seeds = command_line.numbers_of("folds"), command_line.numbers_of("seeds")
    spec = command_line.spec_of(command_line.resolve_config())
    workdir = Path(FLAGS.workdir)
    table = train_many(
        spec,
        workdir,
        folds=folds,
        seeds=seeds,
        execution=FLAGS.execution,
        data_dir=FLAGS.data_dir,
        manual_dir=FLAGS.manual_dir,
    )
    rows = pooled_rows(table)
    with atomic_write(workdir / "pooled.json") as file:
        file.write(json.dumps(rows, indent=1))
    with atomic_write(workdir / "pooled.md") as file:
        file.write(as_markdown(rows))
    print(f"{len(folds)} of {spec.folds.num_folds} test folds pooled:\n")
    print(as_markdown(rows))


if __name__ == "__main__":
    command_line.define_flags(
        "An experiment, such as configs/convention.py:laptop.",
        "Folder of all runs; made if it does not exist.",
    )
    flags.DEFINE_list("folds", ["0", "1", "2", "3", "4"], "Test folds, one run each.")
    flags.DEFINE_list(
        "seeds", ["0", "1", "2"], "Seeds, each with a run for every fold."
    )
    flags.DEFINE_enum(
        "execution",
        "sequential",
        many_models.EXECUTIONS,
        "What a device does with several runs; see above.",
    )
    flags.DEFINE_integer(
        "cpu_devices",
        1,
        "Devices that a CPU counts as, each with its runs. More than one is faster for "
        "models too small to occupy all cores.",
        lower_bound=1,
    )
    command_line.run(main, needs=("config", "workdir"), before_devices=use_cores)
