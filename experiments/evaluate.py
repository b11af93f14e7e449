"""Writes what the best state of a run says of every object of the test fold.

    python -m experiments.evaluate --workdir=runs/semiconformer

Beside the model's own predictions it writes those of the baselines, of the first few
epochs alone, and a few objects' frames, so that reports need no survey.
"""

from pathlib import Path

import numpy as np
from absl import flags
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
    survey = assemble.survey_of_config(config)
    predictor, state = load_predictor(workdir, config, mesh_for(config))
    dataset = open_dataset(config, data_dir=data_dir, manual_dir=manual_dir)
    rows = labelled(dataset, "test")
    label = labels_of(dataset, rows, config, scoring=True)
    index = dataset.index

    quiet = not sharding.is_first_process()
    looks = early_looks(index.num_epochs[rows])
    bar = tqdm(total=len(looks) + 3, desc="Evaluating", unit="pass", disable=quiet)
    groups = evaluation_groups(dataset, rows, config, predictor)
    output = predict_groups(predictor, state, groups)
    bar.update()
    early = []
    for count in looks:
        groups = evaluation_groups(dataset, rows, config, predictor, first=count)
        early.append(predict_groups(predictor, state, groups).probability)
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
