"""Writes what the best state of a run says of every object of the test fold.

    python -m experiments.evaluate --workdir=runs/semiconformer

Beside the model's own predictions it writes those of the baselines, of the first few
epochs alone, and a few objects' frames, so that reports need no survey.
"""

from functools import partial
from pathlib import Path

import numpy as np
from absl import flags
from ml_collections import ConfigDict
from tqdm import tqdm

from experiments import assemble, command, compilation
from experiments.dataset import (
    Dataset,
    Group,
    evaluation_groups,
    labelled,
    labels_of,
    open_dataset,
    records,
    truth_is_known,
)
from experiments.inference import (
    Output,
    Predictor,
    load_predictor,
    mesh_for,
    predict_batches,
)
from jaxastro.data.record import first_epochs
from jaxastro.evaluation.leakage import (
    majority_baseline,
    nuisance_baseline,
    nuisance_features,
)
from jaxastro.evaluation.predictions import FILE_NAME, Predictions, save
from jaxastro.training import sharding
from jaxastro.types import TrainState

FLAGS = flags.FLAGS
NUM_SHOWN = 6  # objects classified right, and as many wrong, whose frames are kept


def evaluate(workdir: Path, *, data_dir: str = "", manual_dir: str = "") -> Path:
    """Writes predictions of the test fold and returns their file."""
    config = assemble.read_config(workdir)
    predictor, state = load_predictor(workdir, config, mesh_for(config))
    dataset = open_dataset(config, data_dir=data_dir, manual_dir=manual_dir)
    predictions = predictions_of(config, dataset, predictor, state)
    if sharding.is_first_process():
        save(predictions, workdir / "predictions")
    return workdir / "predictions" / FILE_NAME


def predictions_of(
    config: ConfigDict,
    dataset: Dataset,
    predictor: Predictor,
    state: TrainState,
    *,
    brief: bool = False,
) -> Predictions:
    """Returns what a state says of the test fold, and what reports show beside it.

    Args:
        brief: as brief_predictions gives it; `experiments.evaluate` adds the rest.
    """
    rows, index = labelled(dataset, "test"), dataset.index
    looks = early_looks(index.num_epochs[rows])
    quiet = brief or not sharding.is_first_process()
    bar = tqdm(total=len(looks) + 3, desc="Evaluating", unit="pass", disable=quiet)
    groups = evaluation_groups(dataset, rows, config, predictor)
    output = predict_groups(predictor, state, groups)
    bar.update()
    found = brief_predictions(config, dataset, output)
    if brief:
        return found
    early = []
    for count in looks:
        cut = partial(first_epochs, count=count)
        groups = evaluation_groups(
            dataset, rows, config, predictor, most=count, cut=cut
        )
        early.append(predict_groups(predictor, state, groups).probability)
        bar.update()
    if not sharding.is_first_process():
        return found  # what follows is the first's to compute and to write
    nuisance = nuisance_probability(dataset, rows, config)
    bar.update()
    shown = choose_shown(found.label, output.probability, seed=config.seed)
    inputs = shown_inputs(dataset, rows[shown], config)
    bar.update()
    bar.close()
    return found._replace(
        early_epochs=np.array(looks),
        early_probability=np.array(early),
        baseline_probability=found.baseline_probability | {"nuisance": nuisance},
        shown=shown,
        shown_inputs=inputs,
    )


def brief_predictions(
    config: ConfigDict, dataset: Dataset, output: Output
) -> Predictions:
    """Returns predictions of the test fold that hold no more than tables need.

    They lack early looks, frames, and the baseline that reads all training objects.
    """
    rows, train = labelled(dataset, "test"), labelled(dataset, "train")
    index, count = dataset.index, len(config.classes)
    majority = majority_baseline(labels_of(dataset, train, config), len(rows), count)
    name = f"{config.method.name} ({config.model.name})"
    fold = f"fold {config.data.test_fold} of {config.data.num_folds}"
    return Predictions(
        title=f"{name} on {config.survey}, {fold}, seed {config.seed}",
        classes=tuple(config.classes),
        bands=assemble.survey_of_config(config).bands,
        scored_against=(
            "simulated truth" if truth_is_known(dataset) else "survey labels"
        ),
        object_id=index.object_id[rows],
        label=labels_of(dataset, rows, config, scoring=True),
        label_source=index.label_source[rows],
        group=index.group[rows],
        probability=output.probability,
        embedding=output.embedding,
        num_epochs=index.num_epochs[rows],
        early_epochs=np.zeros(0, int),
        early_probability=np.zeros((0, *output.probability.shape)),
        baseline_probability={"majority": majority},
        shown=np.zeros(0, int),
        shown_inputs={},
    )


def predict_groups(
    predictor: Predictor, state: TrainState, groups: list[Group]
) -> Output:
    """Returns what a state says of the objects of some groups, in the rows' order."""
    for group in groups:
        predictor.prepare(group.length)
    batches = (batch.inputs for group in groups for batch in group.batches.since(0))
    places = np.concatenate([group.places for group in groups])
    return predict_batches(predictor, state, batches, places)


def early_looks(num_epochs: np.ndarray) -> list[int]:
    """Returns after how many epochs to look: 3, 6, 12 ... below the longest series."""
    looks = [3]
    while 2 * looks[-1] < num_epochs.max():
        looks.append(2 * looks[-1])
    return looks


def nuisance_probability(dataset: Dataset, rows, config: ConfigDict) -> np.ndarray:
    """Returns what a classifier without images makes of the same objects."""
    train, survey = labelled(dataset, "train"), assemble.survey_of_config(config)
    features = [
        np.array([nuisance_features(r, survey) for r in records(dataset, some, config)])
        for some in (train, rows)
    ]
    label = labels_of(dataset, train, config)
    return nuisance_baseline(
        *(features[0], label, features[1]),
        num_classes=len(config.classes),
        seed=config.seed,
    )


def choose_shown(label: np.ndarray, probability: np.ndarray, *, seed: int):
    """Returns the row numbers of some objects classified right and some wrong."""
    right = probability.argmax(axis=1) == label
    generator = np.random.default_rng(seed)
    chosen = [
        generator.permutation(np.flatnonzero(rows))[:NUM_SHOWN]
        for rows in (right, ~right)
    ]
    return np.concatenate(chosen)


def shown_inputs(dataset: Dataset, rows: np.ndarray, config) -> dict:
    """Returns the inputs of some rows by field, as the model sees them."""
    make_example = assemble.example_of_config(config, max_epochs=config.data.max_epochs)
    examples = [make_example(dataset.stored[row]) for row in rows]
    if not examples:
        return {}
    columns = map(np.stack, zip(*examples, strict=True))
    return dict(zip(examples[0]._fields, columns, strict=True))


def main() -> None:
    """Runs the command."""
    compilation.keep_programs()
    path = evaluate(
        Path(FLAGS.workdir), data_dir=FLAGS.data_dir, manual_dir=FLAGS.manual_dir
    )
    print(path)


if __name__ == "__main__":
    flags.DEFINE_string("workdir", None, "Folder of a run that has been trained.")
    flags.declare_key_flag("data_dir")  # shown by --help
    flags.declare_key_flag("manual_dir")
    flags.declare_key_flag("compilation_cache")
    command.run(main, needs=("workdir",))
