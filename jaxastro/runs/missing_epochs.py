"""Predictions of the tested objects when a share of their epochs is removed."""

from functools import partial
from pathlib import Path

import numpy as np

from jaxastro.atomic_write import atomic_write
from jaxastro.data.record import without_random_epochs
from jaxastro.runs.evaluation import open_run
from jaxastro.runs.input_pipeline import predict_rows

FILE_NAME = "missing.npz"  # next to predictions.npz, of the same objects


def predict_missing(workdir: Path, shares: tuple[float, ...], **where: str) -> None:
    """Writes the probabilities that remain without some shares of the epochs."""
    dataset, predictor, state = open_run(workdir, **where)
    rows, found = dataset.labelled("test"), []
    for share in shares:
        cut = partial(without_random_epochs, share=share)
        output = predict_rows(predictor, state, dataset, rows, cut=cut)
        found.append(output.probability)
    with atomic_write(workdir / "predictions" / FILE_NAME, "wb") as file:
        np.savez_compressed(file, share=shares, probability=np.float32(found))


def read_missing(workdir: Path) -> dict[float, np.ndarray]:
    """Returns share -> probability [o c]; {} if it was not computed."""
    path = workdir / "predictions" / FILE_NAME
    if not path.is_file():
        return {}
    with np.load(path) as file:
        return dict(zip(file["share"].tolist(), file["probability"], strict=True))
