r"""Are the probabilities of networks that sample their weights calibrated?

    python -m experiments.studies.bayesian_uncertainty --workdir=runs/bayes
    python -m experiments.studies.bayesian_uncertainty --runs=runs/one,runs/another

Trains the three forms of SuperNNova on light curves of the simulated survey (a second
start continues there), or takes trained runs of any model. The selected state of each
predicts the objects of its test fold, from all of their epochs and from the first
quarter and half of them. The tables show
    calibration error  with its 95 % interval, groups of objects resampled, and the
                       value that 95 % of perfectly calibrated models stay below
    spread             standard deviation of the predicted class's probability over the
                       sampled networks, by share of the epochs
    reliability        mean confidence and accuracy, in bins of equal numbers
"""

import json
from pathlib import Path

import numpy as np

from configs import supernnova, supernnova_bayes
from experiments.studies import command
from experiments.studies.train_once import train_once
from jaxastro.commands.settings import add_data_arguments
from jaxastro.evaluation import bootstrap, calibration
from jaxastro.runs.early_classification import predict_early
from jaxastro.runs.evaluation import open_run
from jaxastro.runs.input_pipeline import predict_rows
from jaxastro.runs.spec import RunSpec

FORMS = {"plain": supernnova, "variational": supernnova, "bayes": supernnova_bayes}
SHARES = {"first quarter": 0.25, "first half": 0.5, "all epochs": 1.0}


def spec_of(form: str, seed: int) -> RunSpec:
    """Returns the spec of one form of SuperNNova."""
    config = FORMS[form].get_config("laptop")
    config.model.args.form, config.seed = form, seed
    return RunSpec.from_dict(config.to_dict())


def measure(run: Path, **where: str) -> dict:
    """Returns scores, calibration and spread of a run on its test fold.

    Args:
        where: data_dir and manual_dir.
    """
    dataset, predictor, state = open_run(run, **where)
    rows = dataset.labelled("test")
    label = dataset.labels(rows, scoring=True)
    group, num_epochs = dataset.index.group[rows], dataset.index.num_epochs[rows]
    whole = predict_rows(predictor, state, dataset, rows)
    counts = [
        np.clip(np.ceil(share * num_epochs), 1, num_epochs).astype(int)
        for share in SHARES.values()
    ]
    outputs = predict_early(
        dataset, predictor, state, rows=rows, whole=whole, counts=counts
    )
    probability = whole.probability
    scores = bootstrap.score_intervals(label, probability, group, probability.shape[1])
    error = calibration.calibration_error_interval(label, probability, group)
    chance_error = calibration.chance_calibration_error(probability)
    bins = calibration.reliability(label, probability)
    return {
        "run": run.name,
        "objects": len(rows),
        "macro_f1": scores["macro_f1"],
        "accuracy": scores["accuracy"],
        "mean_confidence": float(probability.max(1).mean()),
        "calibration_error": error,
        "chance_calibration_error": chance_error,
        "is_calibrated": error.value <= chance_error,
        "reliability": [
            [round(float(number), 3) for number in one]
            for one in zip(
                bins.confidence, bins.accuracy, bins.low, bins.high, strict=True
            )
        ],
        "spread": {
            name: bootstrap.mean_interval(
                calibration.spread_of_predicted_class(
                    output.probability, output.spread
                ),
                group,
            )
            for name, output in zip(SHARES, outputs, strict=True)
            if output.spread.size
        },
    }


def print_tables(rows: list[dict]) -> None:
    """Prints calibration, spread and reliability."""
    names = ("macro_f1", "accuracy", "calibration_error")
    cells = {
        row["run"]: [command.format_interval(row[n]) for n in names] for row in rows
    }
    command.print_table(
        [
            "run",
            "macro F1",
            "accuracy",
            "mean confidence",
            "calibration error",
            "95 % of calibrated models are below",
            "calibrated",
        ],
        [
            [
                row["run"],
                *cells[row["run"]][:2],
                f"{row['mean_confidence']:.3f}",
                cells[row["run"]][2],
                f"{row['chance_calibration_error']:.3f}",
                "yes" if row["is_calibrated"] else "no",
            ]
            for row in rows
        ],
    )
    print()
    command.print_table(
        ["run", *(f"spread, {name}" for name in SHARES)],
        [
            [row["run"], *map(command.format_interval, row["spread"].values())]
            for row in rows
            if row["spread"]
        ],
    )
    print()
    command.print_table(
        ["run", "mean confidence: accuracy, in each bin"],
        [
            [
                row["run"],
                "; ".join(f"{a:.2f}: {b:.2f}" for a, b, *_ in row["reliability"]),
            ]
            for row in rows
        ],
    )


def main(given) -> None:
    """Prints the tables, or the same as JSON."""
    where = {"data_dir": given.data_dir, "manual_dir": given.manual_dir}
    runs = given.runs or [
        train_once(spec_of(form, given.seed), given.workdir / form, **where)
        for form in FORMS
    ]
    rows = [measure(run, **where) for run in runs]
    if given.json:
        print(json.dumps(rows, indent=1))
    else:
        print_tables(rows)


if __name__ == "__main__":
    parser = command.make_parser(__doc__)
    parser.add_argument(
        "--workdir", type=Path, default=Path("runs/bayes"), help="folder of the runs"
    )
    parser.add_argument(
        "--runs", type=command.list_of(Path), default=[], help="trained runs, instead"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the runs")
    add_data_arguments(parser)
    command.run(main, parser)
