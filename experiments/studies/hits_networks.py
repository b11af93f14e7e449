r"""What networks reach on HiTS, beside the forest and the controls on the same folds.

Run:     python -m experiments.studies.hits_networks --workdir=runs/hits --manual_dir=FOLDER

Trains one run per config, task and fold in its own folder under --workdir (a second
start continues there), pools the five test folds, and compares in pairs on the same
objects: the difference in macro F1 with its 95 % interval. The forest learns from the
folds the network learns from, its validation fold left out.
"""

import json
from pathlib import Path

import numpy as np
from absl import app, flags
from tqdm import tqdm

from configs import convention, semiconformer
from data_builders.hits import hits
from experiments.studies.hits_baselines import (
    INPUTS,
    NUM_DRAWS,
    NUM_FOLDS,
    SPLIT_SEED,
    TASKS,
    forest,
)
from experiments.train import train
from jaxastro.evaluation.bootstrap import difference_intervals, score_intervals
from jaxastro.evaluation.pool import Pool, pool
from jaxastro.evaluation.predictions import load

CONFIGS = {"convention": convention, "semiconformer": semiconformer}
BESIDE = ("light curve", "noise of the corners (control)", "epochs and sky (control)")

FLAGS = flags.FLAGS


def pooled(name: str, classes: tuple[str, ...], seed: int, manual_dir: str) -> Pool:
    """Returns what a network of each fold says of its test fold, all five together."""
    folds = []
    for fold in tqdm(range(NUM_FOLDS), desc=f"{name}, {len(classes)} classes"):
        config = CONFIGS[name].get_config("hits")
        config.classes, config.seed = classes, seed
        config.folds.test_fold, config.folds.split_seed = fold, FLAGS.split_seed
        run = f"{name}_{len(classes)}_seed{seed}_split{FLAGS.split_seed}_fold{fold}"
        run = Path(FLAGS.workdir) / run
        run.mkdir(parents=True, exist_ok=True)
        if not (run / "report" / "index.html").exists():
            train(config, run, manual_dir=manual_dir)
        folds.append(load(run / "predictions"))
    return pool(folds)


def measure(name: str, classes: tuple[str, ...], records: dict, seed: int) -> list:
    """Returns a row for the network, then one for each forest, with the difference."""
    found = pooled(name, classes, seed, FLAGS.manual_dir)
    _, object_id, label, group, probability = found
    count, settings = len(classes), {"num_draws": NUM_DRAWS, "seed": seed}
    own = score_intervals(label, probability, group, count, **settings)["macro_f1"]
    rows = [{"what": name, "classes": count, "objects": len(label), "macro_f1": own}]
    chosen = [records[name] for name in object_id]
    for what in BESIDE:
        features = np.array([INPUTS[what](record) for record in chosen])
        other = forest(
            features, label, group, count, ("train",), seed, FLAGS.split_seed
        )
        score = score_intervals(label, other, group, count, **settings)["macro_f1"]
        gain = difference_intervals(label, probability, other, group, count, **settings)
        row = {"what": f"forest: {what}", "classes": count, "objects": len(label)}
        rows.append(row | {"macro_f1": score, "network_minus_it": gain["macro_f1"]})
    return rows


def main(argv: list[str]) -> None:
    """Prints the table, or the same as JSON."""
    del argv
    readings = hits.read(hits.find_hits(FLAGS.manual_dir))
    records = {r.object_id: r.record for r in readings if r.record is not None}
    tasks = [c for c in TASKS.values() if str(len(c)) in FLAGS.tasks]
    rows = [
        row
        for classes in tasks
        for name in FLAGS.configs
        for row in measure(name, classes, records, FLAGS.seed)
    ]
    if FLAGS.json:
        print(json.dumps(rows, indent=1))
        return
    print("| what | classes | objects | macro F1 | network minus it |")
    print("|---|---|---|---|---|")
    for row in rows:
        cells = [row["what"], row["classes"], row["objects"], said(row["macro_f1"])]
        gain = row.get("network_minus_it")
        print("|", " | ".join(map(str, [*cells, said(gain) if gain else ""])), "|")


def said(interval) -> str:
    """Returns an interval as value [low, high]."""
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


if __name__ == "__main__":
    flags.DEFINE_string("workdir", "runs/hits", "Folder of the runs.")
    flags.DEFINE_list("configs", list(CONFIGS), "Which configs to train.")
    flags.DEFINE_list("tasks", ["3", "2"], "3: SN, EB, RRLyrae; 2: EB, RRLyrae.")
    flags.DEFINE_integer("seed", 0, "Of networks, forests and bootstrap.")
    flags.DEFINE_integer("split_seed", SPLIT_SEED, "Of the folds.")
    flags.DEFINE_bool("json", False, "Print JSON instead of a table.")
    app.run(main)
