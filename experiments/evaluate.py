"""Writes what the best state of a run says of every object of the test fold.

    python -m experiments.evaluate --workdir=runs/semiconformer

Beside the model's own predictions it writes those of the baselines, of the first few
epochs alone, and a few objects' frames, so that reports need no survey.
"""

import functools
import math
import sys
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from absl import flags
from tqdm import tqdm

from experiments import assemble, command
from experiments.dataset import (
    Dataset,
    evaluation_batches,
    labelled,
    labels_of,
    open_dataset,
    records,
    truth_is_known,
)
from jaxastro.data.loader import Batches
from jaxastro.data.record import first_epochs
from jaxastro.evaluation.leakage import (
    majority_baseline,
    nuisance_baseline,
    nuisance_features,
)
from jaxastro.evaluation.predictions import FILE_NAME, Predictions, save
from jaxastro.training import sharding
from jaxastro.training.checkpoint import Checkpoints
from jaxastro.types import Method, TrainState

FLAGS = flags.FLAGS
NUM_SHOWN = 6  # objects classified right, and as many wrong, whose frames are kept


class Output(NamedTuple):
    """What a model said of some rows, in their order."""

    probability: np.ndarray  # o c
    embedding: np.ndarray  # o d


def predict_rows(predict_fn, batches: Batches, count: int, mesh) -> Output:
    """Returns probability and embedding of the first `count` objects of the batches.

    Every process predicts its share, and holds all of it in the end.
    """
    probability, embedding = [], []
    for batch in batches.since(0):
        inputs = sharding.put_batch(batch.inputs, mesh)
        output = jax.device_get(predict_fn(inputs))
        probability.append(softmax(output.logits))
        embedding.append(output.embedding)
    return Output(
        np.concatenate(probability)[:count], np.concatenate(embedding)[:count]
    )


def softmax(logits: np.ndarray) -> np.ndarray:
    """Returns probabilities [o c] in float64, so that rows sum to one."""
    # Those of a model that diverged are NaN, without a warning for each.
    with np.errstate(invalid="ignore"):
        odds = np.exp(np.float64(logits) - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def mesh_for(config):
    """Returns the mesh of a run, as far as the devices there are allow."""
    return sharding.make_mesh(math.gcd(config.mesh.fsdp, jax.device_count()))


def load_predictor(workdir: Path, config, mesh):
    """Returns inputs -> ModelOutput of the best state of a run."""
    method = assemble.method_of_config(config, mesh)
    abstract = abstract_state(method, config, mesh)
    state = restore_best(workdir, config, mesh)
    return functools.partial(compile_predict(method, abstract, mesh), state)


def abstract_state(method: Method, config, mesh) -> TrainState:
    """Returns shapes and places of a config's state, without one number."""
    key, blank = jax.random.key(config.seed), assemble.blank_inputs(config)
    return sharding.abstract_state(method.init, mesh, key, blank)


def restore_best(workdir: Path, config, mesh) -> TrainState:
    """Returns the best state of a run."""
    if not (workdir / "checkpoints").is_dir():
        raise FileNotFoundError(
            f"No {workdir / 'checkpoints'}. Train the run with python -m "
            f"experiments.train --workdir={workdir}."
        )
    checkpoints = Checkpoints(workdir / "checkpoints", metric=config.best_metric)
    for sentence in checkpoints.damaged:
        print(sentence, file=sys.stderr)
    step = checkpoints.best_step()
    if step is None:
        raise FileNotFoundError(
            f"{workdir} holds no complete checkpoint with a score. Train it with "
            f"python -m experiments.train --workdir={workdir}."
        )
    method = assemble.method_of_config(config, mesh)
    return checkpoints.restore(step, abstract_state(method, config, mesh))


def compile_predict(method: Method, abstract: TrainState, mesh):
    """Returns (state, inputs) -> ModelOutput, which every process can read whole."""
    return jax.jit(
        method.predict,
        in_shardings=(sharding.places(abstract), sharding.over_data(mesh)),
        out_shardings=sharding.everywhere(mesh),
    )


def evaluate(workdir: Path, *, data_dir: str = "", manual_dir: str = "") -> Path:
    """Writes predictions of the test fold and returns their file."""
    config = assemble.read_config(workdir)
    survey = assemble.survey_of_config(config)
    mesh = mesh_for(config)
    predict_fn = load_predictor(workdir, config, mesh)
    dataset = open_dataset(config, data_dir=data_dir, manual_dir=manual_dir)
    rows = labelled(dataset, "test")
    label = labels_of(dataset, rows, config, scoring=True)
    index = dataset.index

    quiet = not sharding.is_first_process()
    looks = early_looks(index.num_epochs[rows])
    bar = tqdm(total=len(looks) + 3, desc="Evaluating", unit="pass", disable=quiet)
    batches = evaluation_batches(dataset, rows, config, mesh)
    output = predict_rows(predict_fn, batches, len(rows), mesh)
    bar.update()
    early = []
    for count in looks:
        shorten = functools.partial(first_epochs, count=count)
        batches = evaluation_batches(dataset, rows, config, mesh, shorten=shorten)
        early.append(predict_rows(predict_fn, batches, len(rows), mesh).probability)
        bar.update()
    if not sharding.is_first_process():
        return workdir / "predictions" / FILE_NAME
    baselines = baseline_probabilities(dataset, rows, config, survey)
    bar.update()
    shown = choose_shown(label, output.probability, seed=config.seed)
    frames = shown_frames(dataset, rows[shown], config)
    bar.update()
    bar.close()

    name = f"{config.method.name} ({config.model.name})"
    fold = f"fold {config.data.test_fold} of {config.data.num_folds}"
    predictions = Predictions(
        title=f"{name} on {config.survey}, {fold}, seed {config.seed}",
        classes=tuple(config.classes),
        bands=survey.bands,
        scored_against=(
            "simulated truth" if truth_is_known(dataset) else "survey labels"
        ),
        object_id=index.object_id[rows],
        label=label,
        label_source=index.label_source[rows],
        group=index.group[rows],
        probability=output.probability,
        embedding=output.embedding,
        num_epochs=index.num_epochs[rows],
        early_epochs=np.array(looks),
        early_probability=np.array(early),
        baseline_probability=baselines,
        shown=shown,
        **frames,
    )
    return save(predictions, workdir / "predictions")


def early_looks(num_epochs: np.ndarray) -> list[int]:
    """Returns after how many epochs to look: 3, 6, 12 ... below the longest series."""
    looks = [3]
    while 2 * looks[-1] < num_epochs.max():
        looks.append(2 * looks[-1])
    return looks


def baseline_probabilities(dataset: Dataset, rows, config, survey) -> dict:
    """Returns what a classifier without images makes of the same objects."""
    train = labelled(dataset, "train")
    label = labels_of(dataset, train, config)
    features = [
        np.array([nuisance_features(record, survey) for record in records(dataset, r)])
        for r in (train, rows)
    ]
    count = len(config.classes)
    return {
        "majority": majority_baseline(label, len(rows), count),
        "nuisance": nuisance_baseline(
            features[0], label, features[1], num_classes=count, seed=config.seed
        ),
    }


def choose_shown(label: np.ndarray, probability: np.ndarray, *, seed: int):
    """Returns the row numbers of some objects classified right and some wrong."""
    right = probability.argmax(axis=1) == label
    generator = np.random.default_rng(seed)
    chosen = [
        generator.permutation(np.flatnonzero(rows))[:NUM_SHOWN]
        for rows in (right, ~right)
    ]
    return np.concatenate(chosen)


def shown_frames(dataset: Dataset, rows: np.ndarray, config) -> dict:
    """Returns the series of some rows, as the model saw them."""
    make_series = assemble.series_of_config(config, max_epochs=config.data.max_epochs)
    series = [make_series(record) for record in records(dataset, rows)]
    image, time, band, mask = (np.stack(column) for column in zip(*series, strict=True))
    return {
        "shown_image": image,
        "shown_time": time,
        "shown_band": band,
        "shown_mask": mask,
    }


def main() -> None:
    """Runs the command."""
    path = evaluate(
        Path(FLAGS.workdir), data_dir=FLAGS.data_dir, manual_dir=FLAGS.manual_dir
    )
    print(path)


if __name__ == "__main__":
    flags.DEFINE_string("workdir", None, "Folder of a run that has been trained.")
    flags.declare_key_flag("data_dir")  # shown by --help
    flags.declare_key_flag("manual_dir")
    command.run(main, needs=("workdir",))
