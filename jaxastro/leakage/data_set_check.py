"""Leak check of a data set: a leak test of each feature group, and duplicate objects.

objects = measure_objects(records, survey)
rows, classes, excluded = classes_to_test(objects)
leaks = find_leaks(objects, rows, classes)
duplicates = find_duplicates({"my_survey": objects})
"""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from jaxastro.data.record import Record
from jaxastro.data.sky import close_pairs
from jaxastro.leakage.leak_test import MARGIN, Finding, find_leak
from jaxastro.leakage.nuisance_groups import (
    NUISANCE_GROUPS,
    ONE_EPOCH,
    RAW_SKY,
    measure_groups,
    name_ranks,
    sky_is_in_images,
)
from jaxastro.surveys import UNLABELLED, Survey

ALL = "all together"  # the nuisance groups in one test
MAX_OBJECTS = 5000  # that forests are trained on; more would not change the result
MIN_OBJECTS = 10  # of a class
NEARBY = 2.0  # arcsec
# Wings of bright stars reach the corners of stamps. In the simulated HiTS survey, whose
# sky does not depend on the class, they give an area of 0.63, and 0.69 for one class;
# the background of the real survey gives 0.84.
SKY_MARGIN = 0.2


class MeasuredObjects(NamedTuple):
    """Columns that the check needs of all objects of a data set, [n]."""

    object_id: np.ndarray
    label: np.ndarray
    group: np.ndarray
    ra: np.ndarray  # degrees
    dec: np.ndarray
    content: np.ndarray  # hash of all arrays of the record
    feature_groups: dict[str, np.ndarray]  # name -> [n f], where the data have them
    has_sky: bool | None  # whether images include the sky; None without images


class Duplicate(NamedTuple):
    """Two objects that are the same one, in groups that a split may separate."""

    why: str
    first: str
    second: str


def measure_objects(records: Iterable[Record], survey: Survey) -> MeasuredObjects:
    """Returns the columns of all records, of which one at a time is in memory.

    Args:
        records: of any kind.
        survey: its bands and season are used.
    """
    rows, measured = [], []
    for record in records:
        content = hashlib.sha256()
        for value in record:
            if isinstance(value, np.ndarray) and value.size:
                content.update(np.ascontiguousarray(value))
        words = record.object_id, record.label, record.group, record.ra, record.dec
        rows.append((*words, content.hexdigest()))
        measured.append(measure_groups(record, survey))
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    groups = {
        group: {
            name: np.array([one[group][name] for one in measured])
            for name in measured[0][group]
        }
        for group in measured[0]
    }
    groups["order"] = {"place": name_ranks(columns[0].tolist())}
    has_sky = None
    if RAW_SKY in groups:
        raw = groups.pop(RAW_SKY)
        has_sky = sky_is_in_images(
            raw["sky_level"], groups["background"]["corner_noise"]
        )
        if has_sky:
            groups["background"] = raw
    tables = {
        group: np.stack(list(groups[group].values()), axis=1).astype(np.float32)
        for group in (*NUISANCE_GROUPS, ONE_EPOCH)
        if group in groups
    }
    tables = {group: table for group, table in tables.items() if _varies(table)}
    return MeasuredObjects(*columns, tables, has_sky)


def classes_to_test(
    objects: MeasuredObjects, wanted: Iterable[str] = (), *, seed: int = 0
) -> tuple[np.ndarray, list[str], dict[str, str]]:
    """Returns the rows and classes that can be tested, and why others cannot.

    Args:
        objects: as measure_objects returns them.
        wanted: classes to test; empty for all.
        seed: of the sample, if there are more than MAX_OBJECTS.
    Returns:  ascending row numbers, class names, and class name -> reason.
    """
    classes, excluded = [], {}
    for name in np.unique(objects.label).tolist():
        is_class = objects.label == name
        num_groups = len(np.unique(objects.group[is_class]))
        if name == UNLABELLED or (wanted and name not in wanted):
            continue
        if is_class.sum() < MIN_OBJECTS:
            excluded[name] = f"{is_class.sum()} objects, {MIN_OBJECTS} are needed"
        elif num_groups < 2:
            excluded[name] = "all objects are in one group, two are needed"
        else:
            classes.append(name)
    rows = np.flatnonzero(np.isin(objects.label, classes))
    if len(rows) > MAX_OBJECTS:
        rows = np.random.default_rng(seed).choice(rows, MAX_OBJECTS, replace=False)
    return np.sort(rows), classes, excluded


def find_leaks(
    objects: MeasuredObjects, rows: np.ndarray, classes: list[str], *, seed: int = 0
) -> dict[str, Finding]:
    """Returns the leak test of each feature group, of all nuisances, and of one epoch.

    Args:
        rows: row numbers of the objects, with the classes, as classes_to_test gives
            them.
    """
    if len(classes) < 2:
        return {}
    label, group = np.searchsorted(classes, objects.label[rows]), objects.group[rows]
    tables = {name: table[rows] for name, table in objects.feature_groups.items()}
    one_epoch = tables.pop(ONE_EPOCH, None)
    tables[ALL] = np.concatenate(list(tables.values()), axis=1)
    if one_epoch is not None:
        tables[ONE_EPOCH] = one_epoch
    with_sky = ("background", ALL) if objects.has_sky else ()
    return {
        name: find_leak(
            table,
            label,
            group,
            margin=SKY_MARGIN if name in with_sky else MARGIN,
            seed=seed,
        )
        for name, table in tables.items()
    }


def find_duplicates(data_sets: dict[str, MeasuredObjects]) -> list[Duplicate]:
    """Returns pairs of rows that are the same object but lie in two groups.

    Args:
        data_sets: name -> objects; pairs may be in two data sets.
    """
    columns = [
        np.concatenate([getattr(objects, name) for objects in data_sets.values()])
        for name in ("object_id", "group", "ra", "dec", "content")
    ]
    object_id, group, ra, dec, content = columns
    sizes = [len(objects.object_id) for objects in data_sets.values()]
    data_set = np.repeat(list(data_sets), sizes)
    pairs = [("same position", *pair) for pair in close_pairs(ra, dec, radius=NEARBY)]
    pairs += [("same name", *pair) for pair in _equal_pairs(object_id)]
    pairs += [("same content", *pair) for pair in _equal_pairs(content)]
    return [
        Duplicate(
            why, f"{data_set[i]}: {object_id[i]}", f"{data_set[j]}: {object_id[j]}"
        )
        for why, i, j in pairs
        if group[i] != group[j]
    ]


def _equal_pairs(value: np.ndarray) -> list[tuple[int, int]]:
    """Returns each row whose value occurred before, with the first row that has it."""
    first, pairs = {}, []
    for i, each in enumerate(value.tolist()):
        if first.setdefault(each, i) != i:
            pairs.append((first[each], i))
    return pairs


def _varies(table: np.ndarray) -> bool:
    """Returns whether a column has two different numbers."""
    return any(len(np.unique(column[np.isfinite(column)])) > 1 for column in table.T)
