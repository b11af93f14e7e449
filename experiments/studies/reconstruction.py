r"""What an auto-encoder's code keeps of stamps, beside as many principal components.

Run:     python -m experiments.studies.reconstruction --runs=runs/autoencoder,runs/vae,runs/vade

Of the test fold of each run, in the scale that its network sees:
    error       mean square over the pixels, of what the decoder draws and of what the
                first principal components of the training stamps draw, as many as the
                code has numbers; with 95 % intervals over groups, and their difference
    clusters    those of the network's own mixture, or of one of as many Gaussians as
                classes that is fitted to the codes: accuracy of the best matching of
                clusters to classes, purity, normalised mutual information, adjusted
                Rand index; no label enters the fit
"""

import json
from pathlib import Path

import numpy as np
from absl import app, flags
from sklearn.decomposition import PCA

from experiments.studies.hits_networks import said
from jaxastro.errors import InputError
from jaxastro.evaluation.bootstrap import Interval, mean_interval
from jaxastro.evaluation.clusters import cluster_scores
from jaxastro.runs import assemble
from jaxastro.runs.dataset import evaluation_groups, labelled, labels_of, open_dataset
from jaxastro.runs.early_classification import predict_groups
from jaxastro.runs.latent_space import clusters_of, first_stamps
from jaxastro.runs.predictor import aux_of_groups, load_predictor, mesh_for

FLAGS = flags.FLAGS
ERRORS = ("error", "error_of_components", "difference")
CLUSTERS = ("cluster_accuracy", "purity", "nmi", "ari")


def by_components(train: np.ndarray, test: np.ndarray, count: int) -> np.ndarray:
    """Returns test stamps as the first components of the training stamps draw them."""
    flat = train.reshape(len(train), -1)
    pca = PCA(min(count, *flat.shape), svd_solver="randomized", random_state=0)
    code = pca.fit(flat).transform(test.reshape(len(test), -1))
    return pca.inverse_transform(code).reshape(test.shape)


def measure(run: Path, *, data_dir: str, manual_dir: str) -> dict:
    """Returns what is known of a run's codes.

    Raises:
        ValueError: if its network draws nothing again.
    """
    config = assemble.read_config(run)
    predictor, state = load_predictor(run, config, mesh_for(config))
    dataset = open_dataset(config, data_dir=data_dir, manual_dir=manual_dir)
    rows = labelled(dataset, "test")
    label = labels_of(dataset, rows, config, scoring=True)
    group = dataset.index.group[rows]
    groups = evaluation_groups(dataset, rows, config, predictor)
    code = predict_groups(predictor, state, groups).embedding
    extra = aux_of_groups(predictor, state, groups, ("reconstruction",))
    if "reconstruction" not in extra:
        raise InputError(
            f"{run} holds a {config.method.name}, which draws nothing again. Give a "
            "run of configs/stamp_autoencoder.py, stamp_vae.py or stamp_vade.py."
        )
    test = first_stamps(dataset, rows, config)
    train = first_stamps(dataset, dataset.rows["train"], config)
    plain = by_components(train, test, code.shape[1])
    error, of_plain = (
        np.square(test - again).mean((1, 2, 3))
        for again in (extra["reconstruction"], plain)
    )
    cluster, _ = clusters_of(config, predictor, state, groups, code)
    return {
        "run": run.name,
        "objects": len(rows),
        "numbers": code.shape[1],
        "error": mean_interval(error, group),
        "error_of_components": mean_interval(of_plain, group),
        "difference": mean_interval(error - of_plain, group),
        **cluster_scores(label, cluster),
    }


def main(argv: list[str]) -> None:
    """Prints the table, or the same as JSON."""
    del argv
    where = {"data_dir": FLAGS.data_dir, "manual_dir": FLAGS.manual_dir}
    rows = [measure(Path(run), **where) for run in FLAGS.runs]
    if FLAGS.json:
        print(json.dumps(rows, indent=1))
        return
    print(
        "| run | numbers | 1000 x error | of components | difference | "
        "cluster accuracy | purity | NMI | ARI |"
    )
    print("|---" * 9 + "|")
    for row in rows:
        cells = [row["run"], str(row["numbers"])]
        cells += [said(Interval(*(1000 * x for x in row[key]))) for key in ERRORS]
        cells += [f"{row[key]:.3f}" for key in CLUSTERS]
        print("|", " | ".join(cells), "|")


if __name__ == "__main__":
    flags.DEFINE_list("runs", None, "Runs of auto-encoders.", required=True)
    flags.DEFINE_bool("json", False, "Print JSON instead of a table.")
    app.run(main)
