"""Writes what the best state of a run says of every object of the test fold.

    python -m experiments.evaluate --workdir=runs/semiconformer

Beside the model's own predictions it writes those of the baselines, of the first few
epochs alone, of the first days after an object was detected, and a few objects' frames,
so that reports need no survey.
"""

from pathlib import Path

import numpy as np
from absl import flags
from ml_collections import ConfigDict
from tqdm import tqdm

from jaxastro.commands import command_line
from jaxastro.data.hierarchy import nodes_of
from jaxastro.data.record import RECORD_TYPES
from jaxastro.evaluation.predictions import (
    FILE_NAME,
    ObjectNumbers,
    Predictions,
    no_early_evaluations,
    save,
)
from jaxastro.leakage.nuisance_baseline import (
    majority_baseline,
    nuisance_baseline,
    nuisance_features,
)
from jaxastro.runs import assemble, compilation_cache
from jaxastro.runs.dataset import (
    Dataset,
    evaluation_groups,
    labelled,
    labels_of,
    open_dataset,
    records,
    truth_is_known,
)
from jaxastro.runs.early_classification import (
    day_looks,
    epoch_looks,
    look,
    predict_groups,
)
from jaxastro.runs.latent_space import latent_fields, numbers_by_object
from jaxastro.runs.predictor import (
    Output,
    Predictor,
    aux_of_groups,
    load_predictor,
    mesh_for,
)
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
    rows = labelled(dataset, "test")
    of_state = dataset, config, predictor, state
    quiet = brief or not sharding.is_first_process()
    bar = tqdm(total=4, desc="Evaluating", unit="part", disable=quiet)
    groups = evaluation_groups(dataset, rows, config, predictor)
    whole = predict_groups(predictor, state, groups)
    bar.update()
    found = brief_predictions(config, dataset, whole)
    if brief:
        return found
    kind = RECORD_TYPES[assemble.survey_of_config(config).kind]
    # A picture cannot be seen as it was early, nor can one epoch.
    has_past = kind.OF_EPOCHS and config.representation.max_epochs > 1
    early = early_fields(*of_state, rows, whole) if has_past else {}
    shown = choose_shown(found.label, whole.probability, seed=config.seed)
    drawn = drawn_again(*of_state, rows[shown])
    latent, latent_space = ObjectNumbers(), None
    if config.method.name == "autoencoder":
        latent, latent_space = latent_fields(*of_state, rows, whole, shown)
    bar.update()
    if not sharding.is_first_process():
        return found  # what follows is the first's to compute and to write
    nuisance = nuisance_probability(dataset, rows, config)
    bar.update()
    inputs = shown_inputs(dataset, rows[shown], config) | drawn
    numbers = numbers_by_object(dataset, rows, config)
    bar.update()
    bar.close()
    return found._replace(
        baseline_probability=found.baseline_probability | {"nuisance": nuisance},
        shown=shown,
        shown_inputs=inputs,
        by_object=numbers._replace(
            anomaly_score=latent.anomaly_score, cluster=latent.cluster
        ),
        latent_space=latent_space,
        **early,
    )


def early_fields(
    dataset: Dataset,
    config: ConfigDict,
    predictor: Predictor,
    state: TrainState,
    rows: np.ndarray,
    whole: Output,
) -> dict[str, np.ndarray]:
    """Returns what a state says of objects early on, by field of Predictions."""
    of_state, index = (dataset, config, predictor, state), dataset.index
    is_alerts = assemble.survey_of_config(config).kind == "alerts"
    epochs = epoch_looks(index.num_epochs[rows], each=is_alerts)
    counts = np.minimum(epochs[:, None], index.num_epochs[rows])
    early = look(*of_state, rows=rows, whole=whole, counts=counts)
    after = day_looks(dataset, rows, config)
    of_detected = Output(*(column[after.detected] for column in whole))
    later = look(
        *of_state, rows=rows[after.detected], whole=of_detected, counts=after.counts
    )
    return {
        "early_epochs": epochs,
        "early_probability": np.array([said.probability for said in early]),
        "early_spread": np.array([said.spread for said in early]),
        "detected": after.detected,
        "early_days": after.days,
        "early_days_probability": np.array([said.probability for said in later]),
    }


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
    fold = f"fold {config.folds.test_fold} of {config.folds.num_folds}"
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
        spread=output.spread,
        embedding=output.embedding,
        num_epochs=index.num_epochs[rows],
        **no_early_evaluations(output.probability, output.spread),
        baseline_probability={"majority": majority},
        shown=np.zeros(0, int),
        shown_inputs={},
        by_object=ObjectNumbers(),
        latent_space=None,
        hierarchy=nodes_of(tuple(config.classes), config.hierarchy),
    )


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
    make_example = assemble.example_of_config(
        config, max_epochs=config.representation.max_epochs
    )
    examples = [make_example(dataset.stored[row]) for row in rows]
    if not examples:
        return {}
    columns = map(np.stack, zip(*examples, strict=True))
    return dict(zip(examples[0]._fields, columns, strict=True))


def drawn_again(
    dataset: Dataset,
    config: ConfigDict,
    predictor: Predictor,
    state: TrainState,
    rows: np.ndarray,
) -> dict:
    """Returns the "reconstruction" of some rows' inputs, of a model that makes one."""
    groups = evaluation_groups(dataset, rows, config, predictor)
    if not groups:
        return {}
    return aux_of_groups(predictor, state, groups, ("reconstruction",))


def main() -> None:
    """Runs the command."""
    compilation_cache.keep_programs()
    path = evaluate(
        Path(FLAGS.workdir), data_dir=FLAGS.data_dir, manual_dir=FLAGS.manual_dir
    )
    print(path)


if __name__ == "__main__":
    flags.DEFINE_string("workdir", None, "Folder of a run that has been trained.")
    flags.declare_key_flag("data_dir")  # shown by --help
    flags.declare_key_flag("manual_dir")
    flags.declare_key_flag("compilation_cache")
    command_line.run(main, needs=("workdir",))
