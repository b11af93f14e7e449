r"""How far a network gets on real HiTS that learned on simulated HiTS.

Run:     python -m experiments.studies.sim_to_real --workdir=runs/sim_to_real --manual_dir=FOLDER

For each seed ConvEntion learns SN, EB and RRLyrae from hits_sim/transfer alone and is
tried on every real object; then, from there, it learns from 10 real objects of each
class, and from all, of the training folds, and is tried on the fold it has not seen:
folds by field, the last step's state, so that no real object helps to choose.
Finished runs are not trained again. The anchor: Carrasco-Davis et al. 2019, PASP 131,
108006: average recall 85 % from simulations alone, 94 % with 10 real objects a class.
"""

import json
from pathlib import Path

import numpy as np
from absl import app, flags
from tqdm import tqdm

from configs import convention
from data_builders.hits import hits, hits_sim
from experiments.studies.hits_baselines import (
    INPUTS,
    NUM_DRAWS,
    NUM_FOLDS,
    SPLIT_SEED,
    forest,
)
from experiments.studies.hits_networks import said
from experiments.train import train
from jaxastro.baselines.classifiers import fit_predict
from jaxastro.data.split import split_of
from jaxastro.evaluation.bootstrap import difference_intervals, score_intervals
from jaxastro.evaluation.predictions import load
from jaxastro.runs import assemble
from jaxastro.runs.dataset import few_of_each
from jaxastro.runs.predictor import load_predictor, mesh_for, predict_examples

CLASSES = ("SN", "EB", "RRLyrae")
CONTROL = "noise of the corners (control)"
FEW = 10  # real objects of each class, as the seeds have it

FLAGS = flags.FLAGS


def simulated_run(seed: int) -> Path:
    """Trains on simulations alone, if that was not done; returns the run's folder."""
    run = Path(FLAGS.workdir) / f"simulated_seed{seed}"
    config = convention.get_config("hits")
    config.survey, config.classes, config.seed = "hits_sim/transfer", CLASSES, seed
    config.num_steps, config.evaluate_every = FLAGS.steps, FLAGS.steps // 10
    config.optimizer.warmup_steps = 60
    return finished(run, config)


def tuned_run(source: Path, per_class: int, fold: int, seed: int) -> Path:
    """Goes on from a run with real objects of the training folds."""
    name = f"{source.name}_real{per_class or 'all'}_split{FLAGS.split_seed}_fold{fold}"
    config = convention.get_config("hits")
    config.classes, config.seed, config.init_from = CLASSES, seed, str(source)
    config.selection.per_class = per_class
    config.folds.test_fold, config.folds.split_seed = fold, FLAGS.split_seed
    config.optimizer.learning_rate = 5e-4
    # One look, at the end: validation objects are real, and would choose the state.
    config.num_steps = config.evaluate_every = 100 if per_class else 300
    return finished(Path(FLAGS.workdir) / name, config)


def finished(run: Path, config) -> Path:
    """Trains a run unless it has its report already."""
    run.mkdir(parents=True, exist_ok=True)
    if not (run / "report" / "index.html").exists():
        train(config, run, manual_dir=FLAGS.manual_dir)
    return run


def predict(run: Path, records: list) -> np.ndarray:
    """Returns [o c], what a run says of records."""
    config = assemble.read_config(run)
    make = assemble.example_of_config(
        config, max_epochs=config.representation.max_epochs
    )
    predictor, state = load_predictor(run, config, mesh_for(config))
    return predict_examples(predictor, state, [make(r) for r in records]).probability


def pooled(source: Path, per_class: int, names: list[str], seed: int) -> np.ndarray:
    """Returns [o c] of the five test folds together, in the order of names."""
    found = {}
    for fold in range(NUM_FOLDS):
        run = tuned_run(source, per_class, fold, seed)
        predictions = load(run / "predictions")
        found |= dict(zip(predictions.object_id, predictions.probability, strict=True))
    return np.array([found[name] for name in names])


def forests(records: list, label, group, seed: int) -> dict[str, np.ndarray]:
    """Returns what forests make of the same objects and the same training sets."""
    manual_dir = Path(FLAGS.manual_dir) if FLAGS.manual_dir else None
    logs = hits_sim.read_field_logs(manual_dir)
    preset = hits_sim.PRESETS["transfer"]
    numbers = tqdm(range(3000), desc="Simulating for the forest", unit="object")
    simulated = [
        hits_sim.simulate_object(n, logs, preset=preset, seed=0) for n in numbers
    ]
    known = np.array([CLASSES.index(record.label) for record in simulated])
    rows = {}
    for what in ("light curve", "light curve, shape only", CONTROL):
        features = np.array([INPUTS[what](record) for record in records])
        learned = np.array([INPUTS[what](record) for record in simulated])
        count = len(CLASSES)
        rows[f"forest, {what}: simulations alone"] = fit_predict(
            learned, known, features, num_classes=count, seed=seed
        )
        rows[f"forest, {what}: {FEW} real objects a class"] = forest_of_few(
            features, label, group, seed
        )
        rows[f"forest, {what}: real folds"] = forest(
            features, label, group, count, ("train",), seed, FLAGS.split_seed
        )
    return rows


def forest_of_few(features, label, group, seed: int) -> np.ndarray:
    """Returns [o c] of forests that learn from FEW objects a class of other fields."""
    probability = np.zeros((len(label), len(CLASSES)))
    names = np.array(CLASSES)[label]
    for fold in range(NUM_FOLDS):
        split = split_of(
            group, test_fold=fold, num_folds=NUM_FOLDS, seed=FLAGS.split_seed
        )
        known = few_of_each(split["train"], names, count=FEW, seed=seed)
        probability[split["test"]] = fit_predict(
            features[known],
            label[known],
            features[split["test"]],
            num_classes=len(CLASSES),
            seed=seed,
        )
    return probability


def measure() -> list[dict]:
    """Returns a row per way of learning: three classes, and EB against RRLyrae."""
    readings = hits.read(hits.find_hits(FLAGS.manual_dir))
    records = [r.record for r in readings if r.record is not None]
    records = [record for record in records if record.label in CLASSES]
    label = np.array([CLASSES.index(record.label) for record in records])
    group = np.array([record.group for record in records])
    names = [record.object_id for record in records]
    found = forests(records, label, group, seed=0)
    for seed in map(int, FLAGS.seeds):
        source = simulated_run(seed)
        found[f"ConvEntion, simulations alone, seed {seed}"] = predict(source, records)
        for per_class, what in (
            (FEW, f"+ {FEW} real objects a class"),
            (0, "+ real folds"),
        ):
            found[f"ConvEntion, {what}, seed {seed}"] = pooled(
                source, per_class, names, seed
            )
    ways = ("simulations alone", f"+ {FEW} real objects a class", "+ real folds")
    for way in ways:  # the seeds together, as one voting network
        members = [found[f"ConvEntion, {way}, seed {seed}"] for seed in FLAGS.seeds]
        found[f"ConvEntion, {way}, {len(members)} seeds voting"] = np.mean(members, 0)
    best = found["forest, light curve: real folds"]
    return [row_of(what, p, label, group, best) for what, p in found.items()]


def row_of(what: str, probability, label, group, other) -> dict:
    """Returns the scores of one way; intervals resample fields."""
    settings = {"num_draws": NUM_DRAWS, "seed": 0}
    scores = score_intervals(label, probability, group, len(CLASSES), **settings)
    gain = difference_intervals(
        label, probability, other, group, len(CLASSES), **settings
    )
    stars = label > 0
    two = probability[stars, 1:]
    two = two / np.maximum(two.sum(axis=1, keepdims=True), 1e-12)
    pair = score_intervals(label[stars] - 1, two, group[stars], 2, **settings)
    return {
        "what": what,
        "average_recall": scores["balanced_accuracy"],
        "macro_f1": scores["macro_f1"],
        "macro_f1_minus_forest": gain["macro_f1"],
        "EB_RRLyrae_macro_f1": pair["macro_f1"],
    }


def main(argv: list[str]) -> None:
    """Prints the table, or the same as JSON."""
    del argv
    rows = measure()
    if FLAGS.json:
        print(json.dumps(rows, indent=1))
        return
    columns = [name for name in rows[0] if name != "what"]
    print("| what |", " | ".join(columns), "|")
    print("|---" * (1 + len(columns)) + "|")
    for row in rows:
        print(
            "|", row["what"], "|", " | ".join(said(row[name]) for name in columns), "|"
        )


if __name__ == "__main__":
    flags.DEFINE_string("workdir", "runs/sim_to_real", "Folder of the runs.")
    flags.DEFINE_list("seeds", ["0", "1", "2"], "Of the networks.")
    flags.DEFINE_integer("steps", 1500, "Of learning from simulations.")
    flags.DEFINE_integer("split_seed", SPLIT_SEED, "Of the folds.")
    flags.DEFINE_bool("json", False, "Print JSON instead of a table.")
    app.run(main)
