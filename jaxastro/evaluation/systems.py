"""Trained systems side by side: some folds, some seeds, each object scored once.

In each fold the probabilities of its seeds are averaged (the ensemble), and the folds
are pooled. So every object counts once, by models that were not trained on it, and
intervals come from resampling objects by group. Published tables average differently:
they take the mean over folds of the score within each. It is given beside ours.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from jaxastro.errors import InputError
from jaxastro.evaluation.bootstrap import Interval, scores_of
from jaxastro.evaluation.metrics import confusion, predicted_class
from jaxastro.evaluation.paired import Comparison, compare, holm, share_objects
from jaxastro.evaluation.pool import Pool, ensemble, mean_intervals, pool
from jaxastro.evaluation.predictions import Predictions

SCORES = ("accuracy", "macro_f1")
CONFIRMED = ("spectroscopic", "catalogue")  # label sources that are nearly always right
PoolsByRun = dict[tuple[int, int], Pool]  # (fold, seed) -> what that run said


class Member(NamedTuple):
    """One run of a system: one test fold, one seed."""

    fold: int
    seed: int
    predictions: Predictions
    seconds: float  # that its training took
    missing: dict[float, np.ndarray]  # share of the epochs taken away -> o c; or {}


class System(NamedTuple):
    """One row of a table: a model, its input and the way it is trained."""

    name: str  # such as "ConvEntion, ugriz"
    members: tuple[Member, ...]  # the runs that are done; more may come
    parameters: int  # of one network; 0 if it is none
    published: dict[str, float]  # accuracy and macro_f1 in percent, seconds; or {}


def check(systems: Sequence[System], reference: str) -> None:
    """Says so if systems cannot stand in one table.

    Raises:
        ValueError: if they cannot; names the system.
    """
    names = [system.name for system in systems]
    if len(set(names)) < len(names) or reference not in names:
        raise InputError(
            f"Systems {names} with reference {reference!r}. A table needs names that "
            "differ, the reference's among them. Rename the rows of the table."
        )
    runs = {(s.name, m.fold, m.seed): m for s in systems for m in s.members}
    if not runs:
        raise InputError(
            "No run of any system is done, so there is nothing to compare. Train one "
            "cell of the table first."
        )
    if len(runs) < sum(len(system.members) for system in systems):
        raise InputError(
            "A system has two runs of one fold and seed, and each may count once. "
            f"Runs given: {[(s.name, m.fold, m.seed) for s in systems for m in s[1]]}."
        )
    classes = {member.predictions.classes for member in runs.values()}
    if len(classes) > 1:
        raise InputError(
            f"Systems of other classes: {sorted(classes)}. One table has one task. "
            "Write a table for each."
        )
    numbers = {name: member.seconds for name, member in runs.items()}
    numbers |= {(s.name, k): v for s in systems for k, v in s.published.items()}
    for name, number in numbers.items():
        if not np.isfinite(number):
            raise InputError(
                f"{name}: {number} is no number. Give the seconds of every run, and "
                "leave out what was not published."
            )


# -- what was said of every object -----------------------------------------------------


def pools_by_run(
    system: System, *, share: float = 0, confirmed: bool = False
) -> PoolsByRun:
    """Returns what each run said of its test fold, in the order of folds and seeds.

    Args:
        share: of the epochs, taken away; runs that were not asked so are left out.
        confirmed: only objects whose label is a spectrum's or a catalogue's.
    """
    cells = {}
    for member in sorted(system.members, key=lambda m: (m.fold, m.seed)):
        p = member.predictions
        if share and share not in member.missing:
            continue
        probability = np.asarray(member.missing[share] if share else p.probability)
        # In the order of names: sums would otherwise round as the objects lie.
        rows = np.argsort(p.object_id)
        if confirmed:
            rows = rows[np.isin(p.label_source[rows], CONFIRMED)]
        if len(rows):
            columns = (p.object_id, p.label, p.group, probability)
            cells[member.fold, member.seed] = Pool(
                p.classes, *(np.asarray(column)[rows] for column in columns)
            )
    return cells


def ensembles_by_fold(cells: PoolsByRun) -> dict[int, Pool]:
    """Returns each fold's objects with the mean of what its seeds said."""
    folds = sorted({fold for fold, _ in cells})
    return {
        fold: ensemble([found for (f, _), found in cells.items() if f == fold])
        for fold in folds
    }


def pool_all_folds(cells: PoolsByRun) -> Pool:
    """Returns every object once, with the mean of what the seeds of its fold said."""
    return pool(list(ensembles_by_fold(cells).values()))


def complete_seeds(cells: PoolsByRun) -> list[int]:
    """Returns the seeds that have a run for each fold that any seed has."""
    folds, seeds = ({key[i] for key in cells} for i in (0, 1))
    return sorted(s for s in seeds if all((fold, s) in cells for fold in folds))


def compare_to(
    systems: Sequence[System], reference: str
) -> dict[str, tuple[Comparison, float]]:
    """Returns how far each system is above the reference, and Holm's p-value.

    The ensembles are compared on the objects that both were tested on; a system
    that has none, being half trained, is left out.
    """
    pools = {s.name: pool_all_folds(pools_by_run(s)) for s in systems if s.members}
    if reference not in pools:
        return {}
    base, found = pools.pop(reference), {}
    for name, mine in pools.items():
        if share_objects(mine, base):
            found[name] = compare(mine, base)
    corrected = holm({name: one.p_value for name, one in found.items()})
    return {name: (one, corrected[name]) for name, one in found.items()}


# -- rows of table.json ----------------------------------------------------------------


def table_rows(systems: Sequence[System], reference: str) -> list[dict]:
    """Returns a row for each run, and two for each system: ensemble and mean of seeds.

    Every row has model, fold, seed, runs, objects, accuracy, macro_f1 and
    balanced_accuracy with their intervals, seconds, parameters. Where some of the
    tested objects have photometric labels only, the first two scores stand there again
    of the confirmed ones alone. Rows of fold "all" have the mean and the deviation of
    those two over folds, and how far the system is above the reference.
    """
    check(systems, reference)
    present = confirmed_classes(systems)
    compared = compare_to(systems, reference)
    rows = []
    for system in systems:
        if system.members:
            *single, total = _rows_of(system, present)
            if system.name in compared:
                comparison, corrected = compared[system.name]
                total["above_reference"] = _as_json(comparison, reference, corrected)
            rows += [*single, total]
    return rows


def confirmed_classes(systems: Sequence[System]) -> list[int]:
    """Returns the classes that confirmed objects have; none if nothing else is tested.

    A class of photometric labels alone, such as the supernovae of HiTS, cannot be
    scored on confirmed objects: macro F1 of those is the mean over the others.
    """
    tested = [member.predictions for s in systems for member in s.members]
    if not any((p.label_source == "photometric").any() for p in tested):
        return []
    labels = [p.label[np.isin(p.label_source, CONFIRMED)] for p in tested]
    return np.unique(np.concatenate(labels)).tolist()


def _rows_of(system: System, present: list[int]) -> Iterable[dict]:
    cells, sure = pools_by_run(system), pools_by_run(system, confirmed=True)
    seconds = {(m.fold, m.seed): m.seconds for m in system.members}

    def row(fold, seed, keys, make) -> dict:
        """One row of some runs; make turns cells into the pools to score."""
        keys = list(keys)
        pools = make({key: cells[key] for key in keys})
        found = _scores(pools)
        if present:
            known = {key: sure[key] for key in keys if key in sure}
            # The other classes have an F1 of 0 in every resample: take them out.
            factor = len(pools[0].classes) / len(present)
            scored = _scores(make(known), factor) if known else dict.fromkeys(SCORES)
            found |= {f"{score}_confirmed": scored[score] for score in SCORES}
        return {
            "model": system.name,
            "fold": fold,
            "seed": seed,
            "runs": len(keys),
            "objects": len(pools[0].label),
            **found,
            # Of the mean of the seeds: what one of them takes.
            "seconds": float(sum(seconds[key] for key in keys) / len(pools)),
            "parameters": int(system.parameters),
        }

    for fold, seed in cells:
        yield row(fold, seed, [(fold, seed)], lambda one: list(one.values()))
    if seeds := complete_seeds(cells):
        keys = [key for key in cells if key[1] in seeds]
        numbers = sorted({fold for fold, _ in keys})
        folds = [[cells[fold, seed] for seed in seeds] for fold in numbers]
        yield row("all", "mean", keys, _pool_of_each_seed) | _over_folds(folds)
    folds = [[one] for one in ensembles_by_fold(cells).values()]
    yield row(
        "all", "ensemble", cells, lambda some: [pool_all_folds(some)]
    ) | _over_folds(folds)


def _pool_of_each_seed(cells: PoolsByRun) -> list[Pool]:
    seeds = sorted({seed for _, seed in cells})
    return [pool([p for (_, s), p in cells.items() if s == seed]) for seed in seeds]


def _scores(pools: list[Pool], factor: float = 1) -> dict[str, dict]:
    found = mean_intervals(pools)
    scaled = Interval(*(factor * number for number in found["macro_f1"]))
    return {
        "accuracy": found["accuracy"]._asdict(),
        "macro_f1": scaled._asdict(),
        "balanced_accuracy": found["balanced_accuracy"]._asdict(),
    }


def _over_folds(folds: list[list[Pool]]) -> dict[str, dict]:
    """Returns mean and deviation over folds of each fold's score, as papers give it."""
    values = [[point_scores(one) for one in fold] for fold in folds]
    found = {}
    for score in SCORES:
        each = [np.mean([one[score] for one in fold]) for fold in values]
        found[f"{score}_over_folds"] = {
            "mean": float(np.mean(each)),
            # Of one fold there is none; JSON writes null.
            "deviation": float(np.std(each, ddof=1)) if len(each) > 1 else None,
        }
    return found


def point_scores(pooled: Pool) -> dict[str, float]:
    """Returns the scores of a pool, without intervals."""
    predicted = predicted_class(pooled.probability)
    found = scores_of(confusion(pooled.label, predicted, len(pooled.classes)))
    return {score: float(found[score]) for score in SCORES}


def _as_json(comparison: Comparison, reference: str, corrected: float) -> dict:
    return {
        "reference": reference,
        "objects": comparison.objects,
        "groups": comparison.groups,
        **{score: getattr(comparison, score)._asdict() for score in SCORES},
        "p_value": comparison.p_value,
        "p_value_holm": corrected,
    }
