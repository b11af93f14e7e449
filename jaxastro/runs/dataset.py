"""The data set of a run: built if need be, opened, divided into its folds."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from data_builders.engine.index import index_of
from data_builders.opening import prepare
from jaxastro.data.hierarchy import expand_classes, merge_rare_classes
from jaxastro.data.loader import class_index, labels_of_classes
from jaxastro.data.protocol import rows_of_protocol
from jaxastro.data.record import RECORD_TYPES, Record, Records
from jaxastro.data.record_checks import band_index
from jaxastro.representations import representation_of
from jaxastro.runs.checks import check_classes
from jaxastro.runs.spec import RunSpec
from jaxastro.runs.task import record_selector, select_survey
from jaxastro.surveys import UNLABELLED, Survey, survey_of
from jaxastro.training import sharding

NUM_NAMED = 5  # objects that a message names of those left out


class Dataset(NamedTuple):
    """Records at random access, what is known of each, and the rows of each split."""

    spec: RunSpec
    stored: Records
    index: tuple  # data_builders' Index, in the bands of the spec
    rows: dict[str, np.ndarray]  # train, validation, test: those with a wanted label
    survey: Survey  # of the data set, before the spec's selection
    classes: tuple[str, ...]  # of the spec, with those that are too rare pooled
    set_aside: tuple[str, ...]  # a sentence on each group of objects that is left out

    def __str__(self) -> str:
        """Returns what to print before training: sizes, classes, what is left out."""
        sizes = ", ".join(map(self._size_of, self.rows))
        first = f"Survey {self.spec.survey}, objects: {sizes}. Classes: {self.classes}"
        return "\n".join((first, *self.set_aside))

    def _size_of(self, split: str) -> str:
        found, known = len(self.rows[split]), len(self.labelled(split))
        return f"{split} {found}" + (f" ({known} labelled)" if known < found else "")

    def labelled(self, split: str) -> np.ndarray:
        """Returns the rows of a split whose objects have a label."""
        rows = self.rows[split]
        return rows[self.index.label[rows] != UNLABELLED]

    def labels(self, rows: np.ndarray, *, scoring: bool = False) -> np.ndarray:
        """Returns class indices [o], -1: none; if scoring, the truth if known."""
        use_truth = scoring and self.truth_is_known()
        name = self.index.truth if use_truth else self.index.label
        return class_index(
            name[rows], expand_classes(self.classes, self.spec.hierarchy)
        )

    def truth_is_known(self) -> bool:
        """Returns whether a simulation recorded the true class of every object."""
        return bool((self.index.truth != "").all())

    def records(self, rows: np.ndarray) -> Iterator[Record]:
        """Yields the records of some rows, after the spec's selection."""
        select = record_selector(self.spec, self.survey)
        for row in rows:
            yield select(self.stored[row])


def open_dataset(
    spec: RunSpec,
    *,
    data_dir: str = "",
    manual_dir: str = "",
    reads_catalogue: bool = False,
) -> Dataset:
    """Returns the records of spec.survey, divided by group into the folds.

    Args:
        data_dir: folder of built data sets; "": TFDS_DATA_DIR or ~/tensorflow_datasets.
        manual_dir: folder of raw files, for surveys that are not simulated.
        reads_catalogue: the model reads numbers of a catalogue, so that objects without
            an epoch in the selected bands can be used.
    Raises:
        InputError: if survey, classes, folds or selection do not fit each other.
    """
    known = survey_of(spec.survey)
    if known.classes:  # refuse before anything is built; else the data set brings them
        check_classes(spec, select_survey(spec, known))
    first = sharding.is_first_process()
    for is_my_turn in (first, not first):  # the others find it built, on a shared disk
        if is_my_turn:
            builder = prepare(spec.survey, data_dir=data_dir, manual_dir=manual_dir)
            index = index_of(builder, quiet=not first)
        sharding.wait_for_all("data set built")
    survey = builder.survey
    check_classes(spec, select_survey(spec, survey))
    stored = Records(builder.as_data_source(split="all"), RECORD_TYPES[survey.kind])
    index, wanted, set_aside = _select_objects(
        index, spec, survey, reads_catalogue=uses_catalogue(spec, reads_catalogue)
    )
    classes, pooled = _pool_classes(index, wanted, spec)
    rows = _rows_of_fold(index, wanted, spec, spec.folds.test_fold)
    rows["train"] = limit_per_class(
        rows["train"],
        class_index(index.label, expand_classes(classes, spec.hierarchy)),
        count=spec.selection.per_class,
        seed=spec.seed,
    )
    if count := spec.folds.num_validated:
        drawn = np.random.default_rng(spec.folds.split_seed).permutation(
            rows["validation"][index.label[rows["validation"]] != UNLABELLED]
        )
        rows["validation"] = np.sort(drawn[:count])
    return Dataset(spec, stored, index, rows, survey, classes, (*set_aside, *pooled))


def limit_per_class(rows: np.ndarray, label, *, count: int, seed: int) -> np.ndarray:
    """Returns the rows with at most `count` of each class, chosen at random; 0: all.

    Rows without a label (-1) stay. Those of a smaller count are among a larger's.
    """
    if not count:
        return rows
    drawn = np.random.default_rng(seed).permutation(rows)
    kept = [drawn[label[drawn] == -1]]
    kept += [drawn[label[drawn] == k][:count] for k in range(label.max() + 1)]
    return np.sort(np.concatenate(kept))


def uses_catalogue(spec: RunSpec, of_model: bool) -> bool:
    """Returns whether objects without an epoch can be used.

    A model may read a catalogue as numbers, or as a curve made from them.

    Args:
        of_model: the model reads numbers of a catalogue.
    """
    curves = representation_of(spec.representation.name).CATALOGUED
    return of_model or spec.representation.normalisation in curves


def _rows_of_fold(
    index, wanted: np.ndarray, spec: RunSpec, fold: int
) -> dict[str, np.ndarray]:
    rows = rows_of_protocol(
        index.object_id,
        index.group,
        index.label,
        index.label_source,
        protocol=spec.folds.protocol,
        held_out=spec.folds.held_out,
        only_training=spec.folds.only_training,
        stage=spec.folds.stage,
        test_fold=fold,
        num_folds=spec.folds.num_folds,
        seed=spec.folds.split_seed,
    )
    return {split: row[wanted[row]] for split, row in rows.items()}


def _pool_classes(
    index, wanted: np.ndarray, spec: RunSpec
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns the classes with rare ones joined, and a sentence on those.

    A class counts as often as in the fold that has fewest of it to train on, so that
    all folds have the same classes.
    """
    classes, fewest = spec.classes, spec.selection.min_class_size
    if not fewest:
        return classes, ()
    label = class_index(index.label, expand_classes(classes, spec.hierarchy))
    count = np.min(
        [
            np.bincount(label[row][label[row] >= 0], minlength=len(classes))
            for row in (
                _rows_of_fold(index, wanted, spec, fold)["train"]
                for fold in range(spec.folds.num_folds)
            )
        ],
        axis=0,
    )
    counts = dict(zip(classes, count.tolist(), strict=True))
    pooled = merge_rare_classes(counts, spec.hierarchy, fewest)
    new = ", ".join(name for name in pooled if name not in classes)
    if not new:
        return pooled, ()
    rare = ", ".join(f"{name} {n}" for name, n in counts.items() if n < fewest)
    return pooled, (
        f"Fewer than {fewest} training objects in some fold: {rare}. Pooled: {new}",
    )


def _select_objects(
    index, spec: RunSpec, survey: Survey, *, reads_catalogue: bool
) -> tuple[tuple, np.ndarray, tuple[str, ...]]:
    """Returns the index in the spec's bands, [o] bool wanted, and who is left out."""
    labels = labels_of_classes(expand_classes(spec.classes, spec.hierarchy))
    wanted, set_aside = np.isin(index.label, (*labels, UNLABELLED)), []
    left_out = np.unique(index.label[~wanted], return_counts=True)
    for name, count in zip(*left_out, strict=True):
        set_aside.append(
            f"Not in config.classes, left out: {count} objects labelled {name}"
        )
    has_curve, bands = index.num_epochs > 0, spec.selection.bands
    if bands:
        kept = band_index("config.selection.bands", survey, bands)
        missing = max(kept) + 1 - index.epochs_of_band.shape[1]  # nobody has the last
        epochs = np.pad(index.epochs_of_band, [(0, 0), (0, max(missing, 0))])[:, kept]
        index = index._replace(epochs_of_band=epochs)
    unobserved = wanted & (index.num_epochs == 0)
    if reads_catalogue:  # of some objects the catalogue is all there is
        unobserved &= has_curve
    if unobserved.any():
        names = index.object_id[unobserved].tolist()
        listed = ", ".join(names[:NUM_NAMED])
        if len(names) > NUM_NAMED:
            listed += f" and {len(names) - NUM_NAMED}"
        where = f" in {', '.join(bands)}" if bands else ""
        set_aside.append(
            f"Without an epoch{where}, left out: {len(names)} objects ({listed})"
        )
    return index, wanted & ~unobserved, tuple(set_aside)
