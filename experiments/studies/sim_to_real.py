r"""How well does a network that was trained on simulated HiTS classify real HiTS?

    python -m experiments.studies.sim_to_real --workdir=runs/sim_to_real \
        --manual_dir=FOLDER

For each seed ConvEntion is trained on SN, EB and RRLyrae of hits_sim/transfer and
predicts every real object. Then it is fine-tuned on the training folds of real objects,
with 10 objects of each class and with all, and predicts the test fold. Folds are by
field; the last state is kept, so that no real object selects it. Runs that are finished
are not trained again.

For comparison: Carrasco-Davis et al. 2019, PASP 131, 108006: average recall 85 % from
simulations, 94 % with 10 real objects of each class.
"""

import json
from pathlib import Path

import numpy as np
from tqdm import tqdm

import jaxastro
from configs import convention
from data_builders.hits import hits_sim
from experiments.studies import command
from experiments.studies.hits_forests import (
    CORNERS,
    NUM_DRAWS,
    NUM_FOLDS,
    SPLIT_SEED,
    features_of,
    predict_folds,
    read_records,
)
from experiments.studies.train_once import train_once
from jaxastro.baselines.classifiers import fit_predict
from jaxastro.data.series import SeriesRecord
from jaxastro.evaluation.bootstrap import difference_intervals, score_intervals
from jaxastro.evaluation.predictions import load
from jaxastro.runs.dataset import limit_per_class
from jaxastro.runs.spec import RunSpec

CLASSES = ("SN", "EB", "RRLyrae")
FEW = 10  # real objects of each class
NUM_SIMULATED = 3000  # that the forests are trained on
TRAINED_ON = {  # how a network's row is named -> real objects of each class; 0: all
    f"simulations and {FEW} real objects of each class": FEW,
    "simulations and the real training folds": 0,
}


def simulation_spec(seed: int, steps: int) -> RunSpec:
    """Returns the spec of a run on simulations."""
    spec = RunSpec.from_dict(convention.get_config("hits").to_dict())
    return spec.replace(
        {
            "survey": "hits_sim/transfer",
            "classes": CLASSES,
            "seed": seed,
            "num_steps": steps,
            "evaluate_every": steps // 10,
            "optimizer.warmup_steps": 60,
        }
    )


def fine_tuning_spec(
    source: Path, *, per_class: int, fold: int, seed: int, split_seed: int
) -> RunSpec:
    """Returns the spec of a run that continues on real objects."""
    steps = 100 if per_class else 300
    spec = RunSpec.from_dict(convention.get_config("hits").to_dict())
    return spec.replace(
        {
            "classes": CLASSES,
            "seed": seed,
            "init_from": str(source),
            "selection.per_class": per_class,
            "folds.test_fold": fold,
            "folds.split_seed": split_seed,
            "optimizer.learning_rate": 5e-4,
            "num_steps": steps,
            # Only at the end: real validation objects would select the state.
            "evaluate_every": steps,
        }
    )


def fine_tuned_predictions(
    source: Path, names: list[str], *, per_class: int, seed: int, given
) -> np.ndarray:
    """Returns probabilities [o c] of the five test folds, in the order of the names."""
    found = {}
    for fold in range(NUM_FOLDS):
        spec = fine_tuning_spec(
            source,
            per_class=per_class,
            fold=fold,
            seed=seed,
            split_seed=given.split_seed,
        )
        name = (
            f"{source.name}_real{per_class or 'all'}_split{given.split_seed}_fold{fold}"
        )
        run = train_once(spec, given.workdir / name, manual_dir=given.manual_dir)
        predictions = load(run / "predictions")
        found |= dict(zip(predictions.object_id, predictions.probability, strict=True))
    return np.array([found[name] for name in names])


def forest_predictions(
    records: list[SeriesRecord], label, group, given, *, seed: int = 0
) -> dict[str, np.ndarray]:
    """Returns probabilities [o c] of forests with the same objects to train on."""
    logs = hits_sim.read_field_logs(given.manual_dir)
    preset = hits_sim.PRESETS["transfer"]
    numbers = tqdm(range(NUM_SIMULATED), desc="Simulating for forests", unit="object")
    simulated = [
        hits_sim.simulate_object(n, logs, preset=preset, seed=0) for n in numbers
    ]
    simulated_label = np.array([CLASSES.index(record.label) for record in simulated])

    def few(rows: np.ndarray) -> np.ndarray:
        return limit_per_class(rows, label, count=FEW, seed=seed)

    found, count = {}, len(CLASSES)
    for name in ("light curve", "light curve, shape only", CORNERS):
        features = features_of(records, name)
        found[f"forest, {name}: simulations"] = fit_predict(
            features_of(simulated, name),
            simulated_label,
            features,
            num_classes=count,
            seed=seed,
        )
        for words, select in (
            (f"{FEW} real objects of each class", few),
            ("the real training folds", lambda rows: rows),
        ):
            found[f"forest, {name}: {words}"] = predict_folds(
                features,
                label,
                group,
                count,
                seed=seed,
                split_seed=given.split_seed,
                select=select,
            )
    return found


def network_predictions(records: list[SeriesRecord], given) -> dict[str, np.ndarray]:
    """Returns probabilities [o c] of every seed's networks, and of all seeds' means."""
    names = [record.object_id for record in records]
    found: dict[str, np.ndarray] = {}
    for seed in given.seeds:
        source = train_once(
            simulation_spec(seed, given.steps),
            given.workdir / f"simulated_seed{seed}",
            manual_dir=given.manual_dir,
        )
        found[f"ConvEntion, simulations, seed {seed}"] = (
            jaxastro.load(source).predict(records).probability
        )
        for words, per_class in TRAINED_ON.items():
            found[f"ConvEntion, {words}, seed {seed}"] = fine_tuned_predictions(
                source, names, per_class=per_class, seed=seed, given=given
            )
    for words in ("simulations", *TRAINED_ON):
        members = [found[f"ConvEntion, {words}, seed {seed}"] for seed in given.seeds]
        found[f"ConvEntion, {words}, ensemble of {len(members)} seeds"] = np.mean(
            members, 0
        )
    return found


def measure(given) -> list[dict]:
    """Returns a row for each classifier: three classes, and EB against RRLyrae."""
    records = [r for r in read_records(given.manual_dir) if r.label in CLASSES]
    label = np.array([CLASSES.index(record.label) for record in records])
    group = np.array([record.group for record in records])
    found = forest_predictions(records, label, group, given)
    found |= network_predictions(records, given)
    reference = found["forest, light curve: the real training folds"]
    return [
        {"classifier": name} | scores_of(probability, label, group, reference)
        for name, probability in found.items()
    ]


def scores_of(probability, label, group, reference) -> dict:
    """Returns scores with 95 % intervals from resampling fields."""
    settings = {"num_draws": NUM_DRAWS, "seed": 0}
    count = len(CLASSES)
    scores = score_intervals(label, probability, group, count, **settings)
    gain = difference_intervals(label, probability, reference, group, count, **settings)
    stars = label > 0
    two = probability[stars, 1:]
    two = two / np.maximum(two.sum(axis=1, keepdims=True), 1e-12)
    pair = score_intervals(label[stars] - 1, two, group[stars], 2, **settings)
    return {
        "average_recall": scores["balanced_accuracy"],
        "macro_f1": scores["macro_f1"],
        "macro_f1_minus_forest": gain["macro_f1"],
        "EB_RRLyrae_macro_f1": pair["macro_f1"],
    }


def main(given) -> None:
    """Prints the table, or the same as JSON."""
    rows = measure(given)
    if given.json:
        print(json.dumps(rows, indent=1))
        return
    command.print_table(
        [
            "classifier: trained on",
            "average recall",
            "macro F1",
            "macro F1 minus forest on light curves of the real training folds",
            "macro F1, EB against RRLyrae",
        ],
        [
            [name, *map(command.format_interval, scores)]
            for name, *scores in (row.values() for row in rows)
        ],
    )


if __name__ == "__main__":
    parser = command.make_parser(__doc__)
    add = parser.add_argument
    workdir = Path("runs/sim_to_real")
    add("--workdir", type=Path, default=workdir, help="folder of the runs")
    add("--manual_dir", default="", help="folder of the raw HiTS file")
    seeds = command.list_of(int)
    add("--seeds", type=seeds, default=[0, 1, 2], help="of the networks")
    add("--steps", type=int, default=1500, help="of training on simulations")
    add("--split_seed", type=int, default=SPLIT_SEED, help="of the folds")
    command.run(main, parser)
