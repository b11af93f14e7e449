"""Predictions of the test fold by a run's selected state, and what reports show."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from jaxastro.baselines.classifiers import fit_predict
from jaxastro.baselines.features import features_of, strongest_sets
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
from jaxastro.runs.dataset import Dataset, open_dataset
from jaxastro.runs.early_classification import (
    epoch_counts,
    epochs_after_days,
    predict_early,
)
from jaxastro.runs.input_pipeline import auxiliary_outputs, predict_rows
from jaxastro.runs.latent_space import latent_fields, numbers_by_object
from jaxastro.runs.model_building import mesh_for, reads_catalogue
from jaxastro.runs.predictor import Output, Predictor, load_predictor
from jaxastro.runs.spec import RunSpec, read_spec
from jaxastro.runs.task import read_task
from jaxastro.training import sharding
from jaxastro.types import Task, TrainState

NUM_SHOWN = 6  # objects classified right, and as many wrong, whose inputs are stored
MOST_TRAINING = 5000  # objects that the boosting baseline learns from


def open_run(
    workdir: Path, *, data_dir: str = "", manual_dir: str = ""
) -> tuple[Dataset, Predictor, TrainState]:
    """Returns the data set of a run, its predictor and its selected state."""
    spec, task = read_spec(workdir), read_task(workdir)
    predictor, state = load_predictor(workdir, spec, task, mesh_for(spec))
    dataset = open_dataset(
        spec,
        data_dir=data_dir,
        manual_dir=manual_dir,
        reads_catalogue=reads_catalogue(spec),
    )
    return dataset, predictor, state


def evaluate(workdir: Path, *, data_dir: str = "", manual_dir: str = "") -> Path | None:
    """Writes predictions of the test fold into the run folder and returns their file.

    Of a run without a test fold they are those of the validation fold; of one that
    trained on all objects there are none, and None is returned.

    Raises:
        MissingFileError: if the folder holds no trained run.
    """
    dataset, predictor, state = open_run(
        workdir, data_dir=data_dir, manual_dir=manual_dir
    )
    if scored_split(dataset.spec) is None:
        return None
    predictions = make_predictions(dataset, predictor, state)
    if sharding.is_first_process():
        save(predictions, workdir / "predictions")
    return workdir / "predictions" / FILE_NAME


def scored_split(spec: RunSpec) -> str | None:
    """Returns the split whose scores a report shows; None if no object is held out."""
    return {
        "validation_and_test": "test",
        "validation": "validation",
        "nothing": None,
    }[spec.folds.held_out]


def make_predictions(
    dataset: Dataset, predictor: Predictor, state: TrainState, *, brief: bool = False
) -> Predictions:
    """Returns a state's predictions of the scored split, and what reports show.

    Args:
        brief: as brief_predictions returns; `evaluate` adds the rest later.
    """
    spec, task = predictor.spec, predictor.task
    rows = dataset.labelled(scored_split(spec))
    quiet = brief or not sharding.is_first_process()
    bar = tqdm(total=5, desc="Evaluating", unit="part", disable=quiet)
    whole = predict_rows(predictor, state, dataset, rows)
    bar.update()
    found = brief_predictions(dataset, task, whole)
    if brief:
        return found
    # A cutout has no epochs to leave out, and one epoch has none before it.
    record_type = RECORD_TYPES[task.survey.kind]
    has_past = record_type.OF_EPOCHS and spec.representation.max_epochs > 1
    early = early_fields(dataset, predictor, state, rows, whole) if has_past else {}
    shown = choose_shown(found.label, whole.probability, seed=spec.seed)
    reconstruction = auxiliary_outputs(
        predictor, state, dataset, rows[shown], ("reconstruction",)
    )
    latent, latent_space = ObjectNumbers(), None
    if whole.negative_elbo.size:
        latent, latent_space = latent_fields(
            dataset, predictor, state, rows, whole, shown
        )
    bar.update()
    if not sharding.is_first_process():
        return found  # what follows is the first's to compute and to write
    baselines = {"nuisance": nuisance_probability(dataset, task, rows)}
    bar.update()
    baselines |= boosting_probability(dataset, task, rows)
    bar.update()
    inputs = shown_inputs(dataset, predictor, rows[shown]) | reconstruction
    numbers = numbers_by_object(dataset, rows)
    bar.update()
    bar.close()
    return found._replace(
        baseline_probability=found.baseline_probability | baselines,
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
    predictor: Predictor,
    state: TrainState,
    rows: np.ndarray,
    whole: Output,
) -> dict[str, np.ndarray]:
    """Returns the fields of Predictions on early classification."""
    survey, num_epochs = predictor.task.survey, dataset.index.num_epochs[rows]
    epochs = epoch_counts(num_epochs, every_epoch=survey.kind == "alerts")
    counts = np.minimum(epochs[:, None], num_epochs)
    early = predict_early(
        dataset, predictor, state, rows=rows, whole=whole, counts=counts
    )
    after = epochs_after_days(dataset, rows, survey)
    of_detected = Output(*(column[after.detected] for column in whole))
    later = predict_early(
        dataset,
        predictor,
        state,
        rows=rows[after.detected],
        whole=of_detected,
        counts=after.counts,
    )
    return {
        "early_epochs": epochs,
        "early_probability": np.array([output.probability for output in early]),
        "early_spread": np.array([output.spread for output in early]),
        "detected": after.detected,
        "early_days": after.days,
        "early_days_probability": np.array([output.probability for output in later]),
    }


def brief_predictions(dataset: Dataset, task: Task, output: Output) -> Predictions:
    """Returns predictions of the scored split that hold no more than tables need.

    They lack early classification, stored inputs, and the nuisance baseline, which
    reads all training objects.
    """
    spec, index = dataset.spec, dataset.index
    split = scored_split(spec)
    rows, train = dataset.labelled(split), dataset.labelled("train")
    majority = majority_baseline(dataset.labels(train), len(rows), len(task.classes))
    truth = "simulated truth" if dataset.truth_is_known() else "survey labels"
    fold = f"fold {spec.folds.test_fold} of {spec.folds.num_folds}"
    if split == "validation":
        fold = "no test fold"
        truth += " of the validation objects, which selected the state"
    name = f"{spec.method.name} ({spec.model.name})"
    return Predictions(
        title=f"{name} on {spec.survey}, {fold}, seed {spec.seed}",
        classes=task.classes,
        bands=task.survey.bands,
        scored_against=truth,
        object_id=index.object_id[rows],
        label=dataset.labels(rows, scoring=True),
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
        hierarchy=nodes_of(task.classes, task.hierarchy),
    )


def nuisance_probability(dataset: Dataset, task: Task, rows: np.ndarray) -> np.ndarray:
    """Returns the probabilities [o c] of a classifier that uses no image."""
    train = dataset.labelled("train")
    features = [
        np.array([nuisance_features(r, task.survey) for r in dataset.records(some)])
        for some in (train, rows)
    ]
    return nuisance_baseline(
        features[0],
        dataset.labels(train),
        features[1],
        num_classes=len(task.classes),
        seed=dataset.spec.seed,
    )


def boosting_probability(
    dataset: Dataset, task: Task, rows: np.ndarray
) -> dict[str, np.ndarray]:
    """Returns {"boosting": [o c]}, of gradient boosting on features of each object.

    It is the strongest simple baseline: it sees the same objects and labels as the
    network, of the light curves what astronomers would measure. Empty for records
    without features. Of more than MOST_TRAINING training objects it learns from random
    ones.
    """
    sets = strongest_sets(task.survey)
    if not sets:
        return {}
    train = dataset.labelled("train")
    if len(train) > MOST_TRAINING:
        generator = np.random.default_rng(dataset.spec.seed)
        train = np.sort(generator.permutation(train)[:MOST_TRAINING])
    every = np.concatenate([train, rows])
    bar = tqdm(
        dataset.records(every),
        total=len(every),
        desc="Features of the boosting baseline",
        unit="object",
        leave=False,
    )
    features = np.stack([features_of(record, task.survey, sets) for record in bar])
    probability = fit_predict(
        features[: len(train)],
        dataset.labels(train),
        features[len(train) :],
        num_classes=len(task.classes),
        seed=dataset.spec.seed,
        kind="boosting",
    )
    return {"boosting": probability}


def choose_shown(
    label: np.ndarray, probability: np.ndarray, *, seed: int
) -> np.ndarray:
    """Returns the row numbers of some objects classified right and some wrong."""
    right = probability.argmax(axis=1) == label
    generator = np.random.default_rng(seed)
    chosen = [
        generator.permutation(np.flatnonzero(rows))[:NUM_SHOWN]
        for rows in (right, ~right)
    ]
    return np.concatenate(chosen)


def shown_inputs(
    dataset: Dataset, predictor: Predictor, rows: np.ndarray
) -> dict[str, np.ndarray]:
    """Returns the inputs of some rows by field, as the model takes them."""
    make_example = predictor.example_maker()
    examples = [make_example(dataset.stored[row]) for row in rows]
    if not examples:
        return {}
    columns = map(np.stack, zip(*examples, strict=True))
    return dict(zip(examples[0]._fields, columns, strict=True))
