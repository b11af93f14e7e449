"""The leak check of a data set: each clue in turn, then objects that are there twice.

objects = look_at(records, survey)
rows, classes, left_out = askable(objects)
findings = findings_of(objects, rows, classes)
twice = twice_of([objects])
"""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

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

ALL = "all of these"  # the nuisances together
MAX_OBJECTS = 5000  # that forests are trained on; more would not change the answer
FEW = 10  # objects of a class; fewer say nothing
NEARBY = 2.0  # arcsec
# Wings of bright stars reach the corners. In the simulated HiTS survey, whose sky knows
# no class, they alone make an area of 0.63, and 0.69 for one class; the background of
# the real survey makes 0.84.
SKY_MARGIN = 0.2


class MeasuredObjects(NamedTuple):
    """What must be known of all objects of a data set, a row each."""

    object_id: np.ndarray
    label: np.ndarray
    group: np.ndarray
    ra: np.ndarray  # degrees
    dec: np.ndarray
    content: np.ndarray  # hash of all numbers of the record
    clues: dict[str, np.ndarray]  # clue -> [n f]; only those that these data have
    has_sky: bool | None  # in its images; None without images


class Duplicate(NamedTuple):
    """Two objects that are one, in groups that a split may separate."""

    why: str
    first: str
    second: str


def measure_objects(records: Iterable[tuple], survey: Survey) -> MeasuredObjects:
    """Returns what must be known of records, of any kind, holding one at a time."""
    rows, seen = [], []
    for record in records:
        content = hashlib.sha256()
        for value in record:
            if isinstance(value, np.ndarray) and value.size:
                content.update(np.ascontiguousarray(value))
        words = record.object_id, record.label, record.group, record.ra, record.dec
        rows.append((*words, content.hexdigest()))
        seen.append(measure_groups(record, survey))
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    clues = {
        clue: {name: np.array([s[clue][name] for s in seen]) for name in seen[0][clue]}
        for clue in seen[0]
    }
    clues["order"] = {"place": name_ranks(columns[0].tolist())}
    has_sky = None
    if RAW_SKY in clues:
        raw = clues.pop(RAW_SKY)
        has_sky = sky_is_in_images(
            raw["sky_level"], clues["background"]["corner_noise"]
        )
        if has_sky:
            clues["background"] = raw
    told = {
        clue: np.stack(list(clues[clue].values()), axis=1).astype(np.float32)
        for clue in (*NUISANCE_GROUPS, ONE_EPOCH)
        if clue in clues
    }
    told = {clue: table for clue, table in told.items() if _varies(table)}
    return MeasuredObjects(*columns, told, has_sky)


def classes_to_test(
    objects: MeasuredObjects, wanted: Iterable[str] = (), *, seed: int = 0
) -> tuple[np.ndarray, list[str], dict[str, str]]:
    """Returns rows and classes that can be asked about, and why others cannot.

    Args:
        wanted: classes to look at; empty for all.
    """
    classes, left_out = [], {}
    for name in np.unique(objects.label).tolist():
        here = objects.label == name
        groups = len(np.unique(objects.group[here]))
        if name == UNLABELLED or (wanted and name not in wanted):
            continue
        if here.sum() < FEW:
            left_out[name] = f"{here.sum()} objects, {FEW} are needed"
        elif groups < 2:
            left_out[name] = "all objects lie in one group, which tells them apart"
        else:
            classes.append(name)
    rows = np.flatnonzero(np.isin(objects.label, classes))
    if len(rows) > MAX_OBJECTS:
        rows = np.random.default_rng(seed).choice(rows, MAX_OBJECTS, replace=False)
    return np.sort(rows), classes, left_out


def find_leaks(
    objects: MeasuredObjects, rows: np.ndarray, classes: list[str], *, seed: int = 0
) -> dict[str, Finding]:
    """Returns what each clue tells, all nuisances together, and a single epoch."""
    if len(classes) < 2:
        return {}
    label, group = np.searchsorted(classes, objects.label[rows]), objects.group[rows]
    clues = {clue: table[rows] for clue, table in objects.clues.items()}
    epoch = clues.pop(ONE_EPOCH, None)
    clues[ALL] = np.concatenate(list(clues.values()), axis=1)
    if epoch is not None:
        clues[ONE_EPOCH] = epoch
    wide = ("background", ALL) if objects.has_sky else ()
    return {
        clue: find_leak(
            *(table, label, group),
            margin=SKY_MARGIN if clue in wide else MARGIN,
            seed=seed,
        )
        for clue, table in clues.items()
    }


def find_duplicates(data_sets: dict[str, MeasuredObjects]) -> list[Duplicate]:
    """Returns pairs that are one object, but lie in two groups."""
    columns = [
        np.concatenate([getattr(objects, name) for objects in data_sets.values()])
        for name in ("object_id", "group", "ra", "dec", "content")
    ]
    object_id, group, ra, dec, content = columns
    whose = np.repeat(list(data_sets), [len(o.object_id) for o in data_sets.values()])
    pairs = [("one place", *pair) for pair in close_pairs(ra, dec, radius=NEARBY)]
    pairs += [("one name", *pair) for pair in _equal_pairs(object_id)]
    pairs += [("the same numbers", *pair) for pair in _equal_pairs(content)]
    return [
        Duplicate(why, f"{whose[i]}: {object_id[i]}", f"{whose[j]}: {object_id[j]}")
        for why, i, j in pairs
        if group[i] != group[j]
    ]


def _equal_pairs(value: np.ndarray) -> list[tuple[int, int]]:
    """Returns each row whose value an earlier one has, with the first of those."""
    first, pairs = {}, []
    for i, each in enumerate(value.tolist()):
        if first.setdefault(each, i) != i:
            pairs.append((first[each], i))
    return pairs


def _varies(table: np.ndarray) -> bool:
    """Returns whether any column has two different numbers."""
    return any(len(np.unique(column[np.isfinite(column)])) > 1 for column in table.T)
