r"""Do networks on images classify HiTS better than a random forest on light curves?

    python -m experiments.studies.hits_networks --workdir=runs/hits --manual_dir=FOLDER

Trains one run for each config, task and fold in its own folder below --workdir (a
second start continues there), pools the five test folds, and compares with forests on
light curves and on two controls: the difference in macro F1 on the same objects, with
its 95 % interval. The forests are trained on the folds that the network is trained on,
without its validation fold.
"""

import json
from pathlib import Path

from tqdm import tqdm

from configs import convention, semiconformer
from experiments.studies import command
from experiments.studies.hits_forests import (
    CORNERS,
    NUM_DRAWS,
    NUM_FOLDS,
    SPLIT_SEED,
    TASKS,
    features_of,
    predict_folds,
    read_records,
)
from experiments.studies.train_once import train_once
from jaxastro.evaluation.bootstrap import difference_intervals, score_intervals
from jaxastro.evaluation.pool import Pool, pool
from jaxastro.evaluation.predictions import load
from jaxastro.runs.spec import RunSpec

CONFIGS = {"convention": convention, "semiconformer": semiconformer}
FORESTS = ("light curve", CORNERS, "epochs and sky (control)")


def spec_of(
    name: str, classes: tuple[str, ...], *, fold: int, seed: int, split_seed: int
) -> RunSpec:
    """Returns the spec of one network's run on one fold."""
    spec = RunSpec.from_dict(CONFIGS[name].get_config("hits").to_dict())
    return spec.replace(
        {
            "classes": classes,
            "seed": seed,
            "folds.test_fold": fold,
            "folds.split_seed": split_seed,
        }
    )


def pooled_predictions(name: str, classes: tuple[str, ...], given) -> Pool:
    """Returns the predictions of a network for the five test folds together."""
    folds = []
    for fold in tqdm(range(NUM_FOLDS), desc=f"{name}, {len(classes)} classes"):
        seeds = {"seed": given.seed, "split_seed": given.split_seed}
        spec = spec_of(name, classes, fold=fold, **seeds)
        words = (
            f"{name}_{len(classes)}_seed{given.seed}_split{given.split_seed}_fold{fold}"
        )
        run = train_once(spec, given.workdir / words, manual_dir=given.manual_dir)
        folds.append(load(run / "predictions"))
    return pool(folds)


def measure(name: str, classes: tuple[str, ...], records: dict, given) -> list[dict]:
    """Returns a row for the network, then one for each forest, with the difference."""
    _, object_id, label, group, probability = pooled_predictions(name, classes, given)
    count, settings = len(classes), {"num_draws": NUM_DRAWS, "seed": given.seed}
    case = {"classes": count, "objects": len(label)}
    score = score_intervals(label, probability, group, count, **settings)["macro_f1"]
    rows = [{"classifier": name, **case, "macro_f1": score}]
    chosen = [records[name] for name in object_id]
    for input_name in FORESTS:
        other = predict_folds(
            features_of(chosen, input_name),
            label,
            group,
            count,
            seed=given.seed,
            split_seed=given.split_seed,
        )
        score = score_intervals(label, other, group, count, **settings)["macro_f1"]
        gain = difference_intervals(label, probability, other, group, count, **settings)
        row = {"classifier": f"forest: {input_name}", **case, "macro_f1": score}
        rows.append(row | {"network_minus_forest": gain["macro_f1"]})
    return rows


def main(given) -> None:
    """Prints the table, or the same as JSON."""
    records = {record.object_id: record for record in read_records(given.manual_dir)}
    rows = [
        row
        for classes in TASKS.values()
        if len(classes) in given.tasks
        for name in given.configs
        for row in measure(name, classes, records, given)
    ]
    if given.json:
        print(json.dumps(rows, indent=1))
        return
    command.print_table(
        ["classifier", "classes", "objects", "macro F1", "network minus forest"],
        [
            [
                row["classifier"],
                str(row["classes"]),
                str(row["objects"]),
                command.format_interval(row["macro_f1"]),
                command.format_interval(row["network_minus_forest"])
                if "network_minus_forest" in row
                else "",
            ]
            for row in rows
        ],
    )


if __name__ == "__main__":
    parser = command.make_parser(__doc__)
    add = parser.add_argument
    add("--workdir", type=Path, default=Path("runs/hits"), help="folder of the runs")
    add("--manual_dir", default="", help="folder of the raw HiTS file")
    add(
        "--configs",
        type=command.list_of(str),
        default=list(CONFIGS),
        help="networks, separated by commas",
    )
    add(
        "--tasks",
        type=command.list_of(int),
        default=[3, 2],
        help="numbers of classes; 3: SN, EB, RRLyrae; 2: EB, RRLyrae",
    )
    add("--seed", type=int, default=0, help="of networks, forests and bootstrap")
    add("--split_seed", type=int, default=SPLIT_SEED, help="of the folds")
    command.run(main, parser)
