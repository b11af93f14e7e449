"""What the best state of a run says when epochs of the tested objects go missing."""

from functools import partial
from pathlib import Path

import numpy as np

from jaxastro.runs import assemble
from jaxastro.runs.dataset import evaluation_groups, labelled, open_dataset
from jaxastro.runs.predictor import load_predictor, mesh_for
from jaxastro.runs.early_classification import predict_groups
from jaxastro.data.record import without_random_epochs

FILE_NAME = "missing.npz"  # beside predictions.npz, whose objects it has


def predict_missing(workdir: Path, shares: tuple[float, ...], **where: str) -> None:
    """Writes the probabilities that are left without some shares of the epochs."""
    config = assemble.read_config(workdir)
    predictor, state = load_predictor(workdir, config, mesh_for(config))
    dataset = open_dataset(config, **where)
    rows, found = labelled(dataset, "test"), []
    for share in shares:
        cut = partial(without_random_epochs, share=share)
        groups = evaluation_groups(dataset, rows, config, predictor, cut=cut)
        found.append(predict_groups(predictor, state, groups).probability)
    path = workdir / "predictions" / FILE_NAME
    partial_file = path.with_name(f"partial_{FILE_NAME}")
    np.savez_compressed(partial_file, share=shares, probability=np.float32(found))
    partial_file.replace(path)  # whole or not at all


def read_missing(workdir: Path) -> dict[float, np.ndarray]:
    """Returns share -> probability [o c]; {} where nobody asked."""
    path = workdir / "predictions" / FILE_NAME
    if not path.is_file():
        return {}
    with np.load(path) as file:
        return dict(zip(file["share"].tolist(), file["probability"], strict=True))
