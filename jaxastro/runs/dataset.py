"""The data set of a config, built if need be, with its folds."""

from jaxastro.errors import InputError
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from absl import flags
from ml_collections import ConfigDict

from data_builders.engine.index import Index, index_of
from data_builders.opening import prepare
from jaxastro.runs.assemble import (
    example_of_config,
    read_config,
    reads_catalogue,
    record_of_config,
    survey_of_config,
    written_classes,
)
from jaxastro.runs.predictor import Predictor
from jaxastro.data.hierarchy import merge_rare_classes
from jaxastro.data.hierarchy import expand_classes
from jaxastro.data.record import RECORD_TYPES
from jaxastro.data.length_buckets import group_by_length
from jaxastro.data.loader import (
    Batches,
    class_index,
    in_order,
    labels_of_classes,
)
from jaxastro.data.protocol import rows_of_protocol
from jaxastro.data.record import Record
from jaxastro.data.record import Records
from jaxastro.data.record_checks import band_index
from jaxastro.data.sampling import make_sampler
from jaxastro.data.survey_json import survey_to_json
from jaxastro.representations import representation_of
from jaxastro.surveys import UNLABELLED, Survey, survey_of
from jaxastro.training import sharding

FEW = 5  # objects that are named of those left out
NUM_STATISTICS = 1000  # training objects that the normalisation is measured on

flags.DEFINE_string(
    "data_dir",
    "",
    "Folder of built data sets. Default: TFDS_DATA_DIR, else ~/tensorflow_datasets.",
)
flags.DEFINE_string(
    "manual_dir",
    "",
    "Folder of raw files, for surveys that are not simulated. Default: JAXASTRO_DATA.",
)


class Dataset(NamedTuple):
    """Records at random access, what is known of each, and which rows are whose."""

    stored: Records
    index: Index
    rows: dict[str, np.ndarray]  # train, validation, test: all that have a wanted label
    facts: str  # the survey's as JSON, where the data set brings its own; else empty
    classes: tuple[str, ...]  # config.classes, with those that are too rare pooled
    set_aside: tuple[str, ...]  # a sentence on each sort of objects that are left out


class Group(NamedTuple):
    """Objects of like length in batches, all full but the last of the last group."""

    length: int  # epochs they are padded to
    places: np.ndarray  # of its objects among all
    batches: Batches


def open_dataset(config: ConfigDict, *, data_dir: str, manual_dir: str) -> Dataset:
    """Returns the records of config.survey, split by group into its folds."""
    known = survey_of(config.survey)
    if known.classes:  # else its data set brings them
        survey_of_config(config)  # refuses before anything is built
    first = sharding.is_first_process()
    for is_my_turn in (first, not first):  # the others find it built, on a shared disk
        if is_my_turn:
            builder = prepare(config.survey, data_dir=data_dir, manual_dir=manual_dir)
            index = index_of(builder, quiet=not first)
        sharding.wait_for_all("data set built")
    stored = Records(builder.as_data_source(split="all"), RECORD_TYPES[builder.survey.kind])
    facts = survey_to_json(builder.survey) if builder.survey != known else ""
    index, wanted, set_aside = _wanted(index, config, builder.survey)
    classes, pooled = _pooled(index, wanted, config)
    rows = _rows_of_fold(index, wanted, config, config.folds.test_fold)
    rows["train"] = few_of_each(
        rows["train"],
        class_index(index.label, expand_classes(classes, config.hierarchy)),
        count=config.selection.per_class,
        seed=config.seed,
    )
    if few := config.folds.num_validated:
        drawn = np.random.default_rng(config.folds.split_seed).permutation(
            rows["validation"][index.label[rows["validation"]] != UNLABELLED]
        )
        rows["validation"] = np.sort(drawn[:few])
    return Dataset(stored, index, rows, facts, classes, (*set_aside, *pooled))


def _rows_of_fold(
    index: Index, wanted: np.ndarray, config: ConfigDict, fold: int
) -> dict[str, np.ndarray]:
    rows = rows_of_protocol(
        *(index.object_id, index.group, index.label, index.label_source),
        protocol=config.folds.protocol,
        stage=config.folds.stage,
        test_fold=fold,
        num_folds=config.folds.num_folds,
        seed=config.folds.split_seed,
    )
    return {split: row[wanted[row]] for split, row in rows.items()}


def _pooled(
    index: Index, wanted: np.ndarray, config: ConfigDict
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns the classes with rare ones joined, and a sentence for each of those.

    A class counts as often as in the fold that has fewest of it to train on, so that
    all folds have the same classes.
    """
    classes, fewest = tuple(config.classes), config.selection.min_class_size
    if not fewest:
        return classes, ()
    label = class_index(index.label, written_classes(config))
    folds = range(config.folds.num_folds)
    trained = (_rows_of_fold(index, wanted, config, fold)["train"] for fold in folds)
    count = np.min(
        [
            np.bincount(label[row][label[row] >= 0], minlength=len(classes))
            for row in trained
        ],
        axis=0,
    )
    counts = dict(zip(classes, count.tolist(), strict=True))
    pooled = merge_rare_classes(counts, config.hierarchy, fewest)
    few = ", ".join(f"{name} {n}" for name, n in counts.items() if n < fewest)
    new = ", ".join(name for name in pooled if name not in classes)
    told = f"Fewer than {fewest} training objects in some fold: {few}. Pooled: {new}"
    return pooled, (told,) * bool(new)


def _wanted(
    index: Index, config: ConfigDict, survey: Survey
) -> tuple[Index, np.ndarray, tuple[str, ...]]:
    """Returns the index in the config's bands, who is asked for, and who is not."""
    asked = (*labels_of_classes(written_classes(config)), UNLABELLED)
    wanted, set_aside = np.isin(index.label, asked), []
    left_out = np.unique(index.label[~wanted], return_counts=True)
    for name, count in zip(*left_out, strict=True):
        set_aside.append(
            f"Not in config.classes, left out: {count} objects labelled {name}"
        )
    has_curve = index.num_epochs > 0
    if config.selection.bands:
        kept = band_index("config.selection.bands", survey, config.selection.bands)
        missing = max(kept) + 1 - index.epochs_of_band.shape[1]  # nobody has the last
        epochs = np.pad(index.epochs_of_band, [(0, 0), (0, max(missing, 0))])[:, kept]
        index = index._replace(epochs_of_band=epochs)
    blind = wanted & (index.num_epochs == 0)
    if reads_catalogue(config):  # which is all that is looked at, of some
        blind &= has_curve
    if blind.any():
        bands = ", ".join(config.selection.bands)
        names = index.object_id[blind].tolist()
        more = f" and {len(names) - FEW}" * (len(names) > FEW)
        set_aside.append(
            f"Without an epoch{f' in {bands}' * bool(bands)}, left out: {len(names)} "
            f"objects ({', '.join(names[:FEW])}{more})"
        )
    wanted &= ~blind
    return index, wanted, tuple(set_aside)


def described(dataset: Dataset, config: ConfigDict) -> str:
    """Returns what to say of the data that a run trains on, a line for each fact."""
    sizes = ", ".join(f"{split} {len(rows)}" for split, rows in dataset.rows.items())
    first = f"Survey {config.survey}, objects: {sizes}. Classes: {config.classes}"
    return "\n".join((first, *dataset.set_aside))


def few_of_each(rows: np.ndarray, label, *, count: int, seed: int) -> np.ndarray:
    """Returns the rows with at most `count` of each class, drawn at random; 0: all.

    Rows without a label (-1) stay. Those of a smaller count are among a larger's.
    """
    if not count:
        return rows
    drawn = np.random.default_rng(seed).permutation(rows)
    kept = [drawn[label[drawn] == -1]]
    kept += [drawn[label[drawn] == k][:count] for k in range(label.max() + 1)]
    return np.sort(np.concatenate(kept))


def labelled(dataset: Dataset, split: str) -> np.ndarray:
    """Returns the rows of a split whose objects have a label."""
    rows = dataset.rows[split]
    return rows[dataset.index.label[rows] != UNLABELLED]


def labels_of(
    dataset: Dataset, rows: np.ndarray, config: ConfigDict, *, scoring: bool = False
) -> np.ndarray:
    """Returns class indices, -1 where unlabelled; when scoring, the truth if known."""
    label = dataset.index.label[rows]
    if scoring and truth_is_known(dataset):
        label = dataset.index.truth[rows]
    return class_index(label, written_classes(config))


def truth_is_known(dataset: Dataset) -> bool:
    """Returns whether a simulation tells the true class of every object."""
    return bool((dataset.index.truth != "").all())


def records(dataset: Dataset, rows: np.ndarray, config: ConfigDict) -> Iterator[Record]:
    """Yields the records of some rows, in the config's bands."""
    in_bands = record_of_config(config)
    for row in rows:
        yield in_bands(dataset.stored[row])


def measure_statistics(dataset: Dataset, config: ConfigDict, survey: Survey) -> dict:
    """Returns the normalisation's numbers, from evenly spaced training objects.

    Those of config.init_from, where it is set: its parameters expect its numbers.
    """
    if config.init_from:
        other = read_config(Path(config.init_from))
        for part, key in (
            ("representation", "normalisation"),
            ("selection", "bands"),
            ("selection", "columns"),
            ("selection", "crop"),
        ):
            there, here = other[part][key], config[part][key]
            if there != here:
                raise InputError(
                    f"config.init_from={config.init_from} was trained with {key} "
                    f"{there!r}, this run asks for {here!r}. Use the same."
                )
        _check_same_facts(config, survey, other)
        check_same_folds(config, other)
        return other.statistics.to_dict()
    rows = dataset.rows["train"]
    if len(rows) > NUM_STATISTICS:
        rows = rows[np.linspace(0, len(rows) - 1, NUM_STATISTICS).astype(int)]
    return representation_of(config.representation.name).fit_statistics(
        records(dataset, rows, config),
        normalisation=config.representation.normalisation,
        survey=survey,
    )


def _check_same_facts(config: ConfigDict, survey: Survey, other: ConfigDict) -> None:
    """Says so if another run's numbers are of other bands or columns."""
    for key, names_of in (
        ("bands", lambda survey: survey.bands),
        ("columns", lambda survey: [name for name, _ in survey.columns]),
    ):
        there, here = (
            ", ".join(names_of(one)) or "none"
            for one in (survey_of_config(other), survey)
        )
        if there != here:
            raise InputError(
                f"config.init_from={config.init_from} was trained on a survey with "
                f"{key} {there}; {config.survey} has {here}. Start from a run of a "
                "survey with the same."
            )


def check_same_folds(config: ConfigDict, other: ConfigDict) -> None:
    """Says so if the run that config.init_from names may have seen who is tested here.

    Raises:
        ValueError: if it divided the same survey in another way.
    """
    if survey_of(config.survey).name != survey_of(other.survey).name:
        return
    for key in ("protocol", "num_folds", "test_fold", "split_seed"):
        there, here = other.folds[key], config.folds[key]
        if there != here:
            raise InputError(
                f"config.init_from={config.init_from} was trained with config.folds."
                f"{key}={there}, this run has {here}: it has seen objects that are "
                "tested here. Start from a run of the same folds."
            )


def training_batches(
    dataset: Dataset, config: ConfigDict, *, share: np.ndarray
) -> Batches:
    """Returns a batch for every step of a run, drawn as the config says.

    Args:
        share: which rows of each batch this process reads.
    """
    rows = dataset.rows["train"]
    draw = make_sampler(
        labels_of(dataset, rows, config),
        seed=config.seed,
        balance=config.loader.balance,
        unlabelled_share=config.loader.unlabelled_share,
    )
    return Batches(
        dataset.stored,
        lambda position: int(rows[draw(position)]),
        example_of_config(config, max_epochs=config.loader.loaded_epochs),
        written_classes(config),
        batch_size=config.batch_size,
        num_batches=config.num_steps,
        num_threads=config.loader.num_threads,
        num_workers=config.loader.num_workers,
        share=share,
        keep=config.loader.cache_examples,
    )


def evaluation_groups(
    dataset: Dataset,
    rows: np.ndarray,
    config: ConfigDict,
    predictor: Predictor,
    *,
    most: int = sys.maxsize,
    cut: Callable[[Record], Record] | None = None,
) -> list[Group]:
    """Returns batches that visit each row once, those of like length together.

    The last batch is filled up. Of several processes each reads its share.

    Args:
        cut: what to leave out of each record; `most` epochs remain.
    """
    num_epochs = np.minimum(dataset.index.num_epochs[rows], most)
    num_epochs = np.minimum(num_epochs, predictor.lengths[-1])
    groups = []
    size = predictor.batch_size
    for length, places in group_by_length(num_epochs, predictor.lengths, size):
        row_of, num_batches = in_order(rows[places], size)
        batches = Batches(
            dataset.stored,
            row_of,
            example_of_config(config, max_epochs=length, cut=cut),
            written_classes(config),
            batch_size=size,
            num_batches=num_batches,
            num_threads=config.loader.num_threads,
            share=sharding.local_rows(size, predictor.mesh),
        )
        groups.append(Group(length, places, batches))
    return groups
