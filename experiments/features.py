r"""Which features a classification needs, and how much each adds.

    python -m experiments.features --config=configs/cnn_dmdt.py:laptop \
        --manual_dir=FOLDER --workdir=runs/features --sets=shape,catalogue

In each test fold, on its training objects alone: of features whose ranks correlate with
|r| >= 0.9 one is kept, a forest ranks those, and sequential forward selection adds one
after the other. The test fold is then classified by a forest and by a small network,
with one feature, with two, and so on to all. Folds that are done are skipped. At the
end WORKDIR holds
    features.json      all of it, fold by fold
    features.csv       a row for each feature: its importance and its place in the order
    feature_correlation.png, feature_importance.png, accuracy_by_features.png
"""

from pathlib import Path

from absl import flags

from experiments import command_line
from jaxastro.runs.feature_study import study, write
from jaxastro.runs.run_lock import run_lock

FLAGS = flags.FLAGS


def main() -> None:
    """Runs the command."""
    spec = command_line.spec_of(command_line.resolve_config())
    workdir = Path(FLAGS.workdir)
    with run_lock(workdir):
        found = study(
            spec,
            workdir,
            sets=FLAGS.sets,
            folds=list(range(spec.folds.num_folds)),
            data_dir=FLAGS.data_dir,
            manual_dir=FLAGS.manual_dir,
        )
        for path in write(found, workdir):
            print(path)


if __name__ == "__main__":
    command_line.define_flags(
        "An experiment, such as configs/cnn_dmdt.py:laptop.",
        "Folder of the study; made if it does not exist.",
    )
    flags.DEFINE_list(
        "sets",
        [],
        "Sets of features, as shape,catalogue. Default: all of the survey's.",
    )
    command_line.run(main, needs=("config", "workdir"))
