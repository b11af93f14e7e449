r"""Does the code of an auto-encoder hold more of a stamp than principal components?

    python -m experiments.studies.reconstruction \
        --runs=runs/autoencoder,runs/vae,runs/vade

Measured on the test fold of each run, in the normalisation of its network:
    error       mean squared error of the reconstructed pixels: of the decoder, and of
                the first principal components of the training stamps, as many as the
                code has numbers; with 95 % intervals over groups, and their difference
    clusters    those of the network's own mixture or, without one, of a Gaussian
                mixture that is fitted to the codes, with as many components as classes:
                accuracy of the best matching of clusters to classes, purity, normalised
                mutual information, adjusted Rand index. The fit uses no label.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA

from experiments.studies import command
from jaxastro.commands.settings import add_data_arguments
from jaxastro.errors import InputError
from jaxastro.evaluation.bootstrap import Interval, mean_interval
from jaxastro.evaluation.clusters import cluster_scores
from jaxastro.runs.evaluation import open_run
from jaxastro.runs.input_pipeline import auxiliary_outputs, predict_rows
from jaxastro.runs.latent_space import clusters_of, first_stamps

ERRORS = ("error", "error_of_components", "difference")
CLUSTERS = ("cluster_accuracy", "purity", "nmi", "ari")


def reconstruct_by_components(
    train: np.ndarray, test: np.ndarray, count: int
) -> np.ndarray:
    """Returns test stamps from the first principal components of training stamps."""
    flat = train.reshape(len(train), -1)
    pca = PCA(min(count, *flat.shape), svd_solver="randomized", random_state=0)
    code = pca.fit(flat).transform(test.reshape(len(test), -1))
    return pca.inverse_transform(code).reshape(test.shape)


def measure(run: Path, **where: str) -> dict:
    """Returns the errors and cluster scores of a run's codes.

    Args:
        where: data_dir and manual_dir.
    Raises:
        InputError: if its method does not reconstruct stamps.
    """
    dataset, predictor, state = open_run(run, **where)
    rows = dataset.labelled("test")
    label = dataset.labels(rows, scoring=True)
    group = dataset.index.group[rows]
    code = predict_rows(predictor, state, dataset, rows).embedding
    extra = auxiliary_outputs(predictor, state, dataset, rows, ("reconstruction",))
    if "reconstruction" not in extra:
        raise InputError(
            f"{run} was trained by {dataset.spec.method.name}, which reconstructs no "
            "stamp. Give a run of configs/stamp_autoencoder.py, stamp_vae.py or "
            "stamp_vade.py."
        )
    test = first_stamps(dataset, predictor, rows)
    train = first_stamps(dataset, predictor, dataset.rows["train"])
    by_components = reconstruct_by_components(train, test, code.shape[1])
    error, error_of_components = (
        np.square(test - other).mean((1, 2, 3))
        for other in (extra["reconstruction"], by_components)
    )
    cluster, _ = clusters_of(dataset, predictor, state, rows, code)
    return {
        "run": run.name,
        "objects": len(rows),
        "code_size": code.shape[1],
        "error": mean_interval(error, group),
        "error_of_components": mean_interval(error_of_components, group),
        "difference": mean_interval(error - error_of_components, group),
        **cluster_scores(label, cluster),
    }


def main(given) -> None:
    """Prints the table, or the same as JSON."""
    where = {"data_dir": given.data_dir, "manual_dir": given.manual_dir}
    rows = [measure(run, **where) for run in given.runs]
    if given.json:
        print(json.dumps(rows, indent=1))
        return

    def in_thousandths(error: Interval) -> str:
        return command.format_interval(Interval(*(1000 * x for x in error)))

    command.print_table(
        [
            "run",
            "numbers in the code",
            "1000 x error",
            "1000 x error of components",
            "1000 x difference",
            "cluster accuracy",
            "purity",
            "NMI",
            "ARI",
        ],
        [
            [
                row["run"],
                str(row["code_size"]),
                *(in_thousandths(row[name]) for name in ERRORS),
                *(f"{row[name]:.3f}" for name in CLUSTERS),
            ]
            for row in rows
        ],
    )


if __name__ == "__main__":
    parser = command.make_parser(__doc__)
    runs = command.list_of(Path)
    parser.add_argument(
        "--runs", type=runs, required=True, help="of auto-encoders, by commas"
    )
    add_data_arguments(parser)
    command.run(main, parser)
