r"""Whether networks that are drawn know what they do not know.

Run:     python -m experiments.studies.bayesian_uncertainty --workdir=runs/bayes
         python -m experiments.studies.bayesian_uncertainty --runs=runs/one,runs/another

Trains the three forms of SuperNNova on light curves of the simulated survey, each once
and each its own config; a second start continues there. Or reads runs that are trained,
of any model. The best state of each is asked of the objects of its test fold, of all of
their epochs and of the first quarter and half of them. The tables say
    calibration error  with its 95 % interval over groups of objects, and what 19 of 20
                       perfectly calibrated models of so many objects stay below
    reliability        how sure, and how often right, in bins of equal number
    spread             of the probability of the class that is named, over the networks
"""

import json
from pathlib import Path

import numpy as np
from absl import app, flags

from configs import supernnova, supernnova_bayes
from experiments.studies.hits_networks import said
from experiments.train import train
from jaxastro.evaluation import bootstrap, calibration
from jaxastro.runs import assemble
from jaxastro.runs.dataset import (
    evaluation_groups,
    labelled,
    labels_of,
    open_dataset,
)
from jaxastro.runs.early_classification import look, predict_groups
from jaxastro.runs.predictor import load_predictor, mesh_for

FORMS = {"plain": supernnova, "variational": supernnova, "bayes": supernnova_bayes}
SHARES = {"a quarter": 0.25, "half": 0.5, "all": 1.0}  # of the epochs that are seen

FLAGS = flags.FLAGS


def trained(form: str) -> Path:
    """Returns the run of a form, trained if it was not."""
    run = Path(FLAGS.workdir) / form
    if not (run / "report" / "index.html").exists():
        config = FORMS[form].get_config("laptop")
        config.model.args.form, config.seed = form, FLAGS.seed
        run.mkdir(parents=True, exist_ok=True)
        train(config, run, data_dir=FLAGS.data_dir)
    return run


def measure(run: Path, *, data_dir: str, manual_dir: str) -> dict:
    """Returns what is known of a run's confidence."""
    config = assemble.read_config(run)
    predictor, state = load_predictor(run, config, mesh_for(config))
    dataset = open_dataset(config, data_dir=data_dir, manual_dir=manual_dir)
    rows = labelled(dataset, "test")
    label = labels_of(dataset, rows, config, scoring=True)
    group, total = dataset.index.group[rows], dataset.index.num_epochs[rows]
    groups = evaluation_groups(dataset, rows, config, predictor)
    whole = predict_groups(predictor, state, groups)
    counts = [np.maximum(np.ceil(share * total), 1) for share in SHARES.values()]
    seen = look(
        *(dataset, config, predictor, state),
        rows=rows,
        whole=whole,
        counts=[np.minimum(count, total).astype(int) for count in counts],
    )
    p, bins = whole.probability, calibration.reliability(label, whole.probability)
    scores = bootstrap.score_intervals(label, p, group, p.shape[1])
    row = {"run": run.name, "objects": len(rows), "macro_f1": scores["macro_f1"]}
    row["accuracy"], row["sure"] = scores["accuracy"], float(p.max(1).mean())
    row["error"] = calibration.calibration_error_interval(label, p, group)
    row["by_chance"] = calibration.chance_calibration_error(p)
    row["is_calibrated"] = row["error"].value <= row["by_chance"]
    row["reliability"] = [
        [round(float(number), 3) for number in one]
        for one in zip(bins.confidence, bins.accuracy, bins.low, bins.high, strict=True)
    ]
    row["spread"] = {
        name: bootstrap.mean_interval(
            calibration.spread_of_predicted_class(one.probability, one.spread), group
        )
        for name, one in zip(SHARES, seen, strict=True)
        if one.spread.size
    }
    return row


def main(argv: list[str]) -> None:
    """Prints the tables, or the same as JSON."""
    del argv
    runs = [Path(run) for run in FLAGS.runs] or [trained(form) for form in FORMS]
    where = {"data_dir": FLAGS.data_dir, "manual_dir": FLAGS.manual_dir}
    rows = [measure(run, **where) for run in runs]
    if FLAGS.json:
        print(json.dumps(rows, indent=1))
        return
    print("| run | macro F1 | sure | right | calibration error | by chance below | |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        cells = [row["run"], said(row["macro_f1"]), f"{row['sure']:.3f}"]
        cells += [said(row[name]) for name in ("accuracy", "error")]
        cells += [f"{row['by_chance']:.3f}", "calibrated" * row["is_calibrated"]]
        print("|", " | ".join(cells), "|")
    print(f"\n| run, spread by {' | '.join(SHARES)} |\n|{'---|' * (len(SHARES) + 1)}")
    for row in rows:
        if row["spread"]:
            cells = [row["run"], *map(said, row["spread"].values())]
            print("|", " | ".join(cells), "|")
    print("\n| run | how sure: how often right, bin by bin |\n|---|---|")
    for row in rows:
        bins = "; ".join(
            f"{sure:.2f}: {right:.2f}" for sure, right, *_ in row["reliability"]
        )
        print(f"| {row['run']} | {bins} |")


if __name__ == "__main__":
    flags.DEFINE_string("workdir", "runs/bayes", "Folder of the runs that are trained.")
    flags.DEFINE_list("runs", [], "Runs that are trained, instead.")
    flags.DEFINE_integer("seed", 0, "Of those that are trained here.")
    flags.DEFINE_bool("json", False, "Print JSON instead of tables.")
    app.run(main)
