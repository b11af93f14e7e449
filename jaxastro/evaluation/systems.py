"""Tables of systems: scores over folds and seeds, where each object counts once.

In each fold the probabilities of all seeds are averaged (an ensemble), and the folds
are pooled. Every object is therefore scored once, by models that were not trained on
it, and intervals come from a bootstrap over groups of objects. Published tables usually
give the mean over folds of the score within each fold, so that mean is given too.
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
CONFIRMED = ("spectroscopic", "catalogue")  # label sources with few errors
PoolsByRun = dict[tuple[int, int], Pool]  # (fold, seed) -> predictions of that run


class Member(NamedTuple):
    """One run of a system: one test fold, one seed."""

    fold: int
    seed: int
    predictions: Predictions
    seconds: float  # duration of its training
    missing: dict[float, np.ndarray]  # share of epochs removed -> probabilities o c


class System(NamedTuple):
    """One row of a table: a model, its input and its training method."""

    name: str  # such as "ConvEntion, ugriz"
    members: tuple[Member, ...]  # finished runs
    parameters: int  # of one network; 0 for other classifiers
    published: dict[str, float]  # accuracy and macro_f1 in percent, seconds; or {}


def check(systems: Sequence[System], reference: str) -> None:
    """Raises InputError, naming the system, if systems cannot be in one table."""
    names = [system.name for system in systems]
    if len(set(names)) < len(names) or reference not in names:
        raise InputError(
            f"Systems {names} with reference {reference!r}. A table needs different "
            "names, and the reference must be one of them. Rename the rows of the "
            "table."
        )
    runs = {(s.name, m.fold, m.seed): m for s in systems for m in s.members}
    if not runs:
        raise InputError(
            "No run of any system is finished, so there is nothing to compare. Train "
            "a run of the table first."
        )
    if len(runs) < sum(len(system.members) for system in systems):
        raise InputError(
            "A system has two runs with the same fold and seed. Give one of them. "
            f"Runs given: {[(s.name, m.fold, m.seed) for s in systems for m in s[1]]}."
        )
    classes = {member.predictions.classes for member in runs.values()}
    if len(classes) > 1:
        raise InputError(
            f"Systems with different classes: {sorted(classes)}. One table has one "
            "task. Write one table per task."
        )
    numbers = {name: member.seconds for name, member in runs.items()}
    numbers |= {(s.name, k): v for s in systems for k, v in s.published.items()}
    for name, number in numbers.items():
        if not np.isfinite(number):
            raise InputError(
                f"{name}: {number} is not a number. Give the seconds of every run, and "
                "omit values that were not published."
            )


# -- predictions of every object -------------------------------------------------------


def pools_by_run(
    system: System, *, share: float = 0, confirmed: bool = False
) -> PoolsByRun:
    """Returns the predictions of each run, in the order of folds and seeds.

    Args:
        share: share of the epochs that were removed; runs without this evaluation are
            omitted.
        confirmed: whether to keep only objects with a confirmed label.
    """
    pools = {}
    for member in sorted(system.members, key=lambda m: (m.fold, m.seed)):
        p = member.predictions
        if share and share not in member.missing:
            continue
        probability = np.asarray(member.missing[share] if share else p.probability)
        # A fixed order, because rounding errors of sums depend on the order.
        rows = np.argsort(p.object_id)
        if confirmed:
            rows = rows[np.isin(p.label_source[rows], CONFIRMED)]
        if len(rows):
            columns = (p.object_id, p.label, p.group, probability)
            pools[member.fold, member.seed] = Pool(
                p.classes, *(np.asarray(column)[rows] for column in columns)
            )
    return pools


def ensembles_by_fold(pools: PoolsByRun) -> dict[int, Pool]:
    """Returns for each fold the mean probabilities over its seeds."""
    folds = sorted({fold for fold, _ in pools})
    return {
        fold: ensemble([one for (f, _), one in pools.items() if f == fold])
        for fold in folds
    }


def pool_all_folds(pools: PoolsByRun) -> Pool:
    """Returns every object once, with its mean probabilities over the seeds."""
    return pool(list(ensembles_by_fold(pools).values()))


def complete_seeds(pools: PoolsByRun) -> list[int]:
    """Returns the seeds that have a run in every fold of the table."""
    folds, seeds = ({key[i] for key in pools} for i in (0, 1))
    return sorted(s for s in seeds if all((fold, s) in pools for fold in folds))


def compare_to(
    systems: Sequence[System], reference: str
) -> dict[str, tuple[Comparison, float]]:
    """Returns each system's comparison with the reference, and Holm's p-value.

    Ensembles are compared on the objects that both were tested on. A system without
    such objects is omitted.
    """
    pools = {s.name: pool_all_folds(pools_by_run(s)) for s in systems if s.members}
    if reference not in pools:
        return {}
    base = pools.pop(reference)
    comparisons = {
        name: compare(one, base)
        for name, one in pools.items()
        if share_objects(one, base)
    }
    corrected = holm({name: one.p_value for name, one in comparisons.items()})
    return {name: (one, corrected[name]) for name, one in comparisons.items()}


# -- rows of table.json ----------------------------------------------------------------


def table_rows(systems: Sequence[System], reference: str) -> list[dict]:
    """Returns a row for each run, and two for each system: ensemble and mean of seeds.

    Every row has model, fold, seed, runs, objects, accuracy, macro_f1 and
    balanced_accuracy with their intervals, seconds and parameters. If some tested
    objects have photometric labels, accuracy and macro F1 of the confirmed objects are
    given too. Rows of fold "all" also have the mean and standard deviation of these two
    scores over folds, and the comparison with the reference.
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
    """Returns the classes of the confirmed objects; none if all objects are confirmed.

    A class with photometric labels only, such as the supernovae of HiTS, cannot be
    scored on confirmed objects. Their macro F1 is the mean over the other classes.
    """
    tested = [member.predictions for s in systems for member in s.members]
    if not any((p.label_source == "photometric").any() for p in tested):
        return []
    labels = [p.label[np.isin(p.label_source, CONFIRMED)] for p in tested]
    return np.unique(np.concatenate(labels)).tolist()


def _rows_of(system: System, present: list[int]) -> Iterable[dict]:
    all_pools = pools_by_run(system)
    confirmed_pools = pools_by_run(system, confirmed=True)
    seconds = {(m.fold, m.seed): m.seconds for m in system.members}

    def row(fold, seed, keys, combine) -> dict:
        """Returns one row; `combine` makes pools to score from those of its runs."""
        keys = list(keys)
        pools = combine({key: all_pools[key] for key in keys})
        scores = _scores(pools)
        if present:
            confirmed = {k: confirmed_pools[k] for k in keys if k in confirmed_pools}
            # Classes without confirmed objects have an F1 of 0 in every resample. The
            # factor removes them from the mean.
            factor = len(pools[0].classes) / len(present)
            scored = dict.fromkeys(SCORES)
            if confirmed:
                scored = _scores(combine(confirmed), factor)
            scores |= {f"{score}_confirmed": scored[score] for score in SCORES}
        return {
            "model": system.name,
            "fold": fold,
            "seed": seed,
            "runs": len(keys),
            "objects": len(pools[0].label),
            **scores,
            # Of one pool, such as one seed in all folds.
            "seconds": float(sum(seconds[key] for key in keys) / len(pools)),
            "parameters": int(system.parameters),
        }

    for fold, seed in all_pools:
        yield row(fold, seed, [(fold, seed)], lambda one: list(one.values()))
    if seeds := complete_seeds(all_pools):
        keys = [key for key in all_pools if key[1] in seeds]
        numbers = sorted({fold for fold, _ in keys})
        folds = [[all_pools[fold, seed] for seed in seeds] for fold in numbers]
        yield row("all", "mean", keys, _pool_of_each_seed) | _over_folds(folds)
    folds = [[one] for one in ensembles_by_fold(all_pools).values()]
    total = row("all", "ensemble", all_pools, lambda some: [pool_all_folds(some)])
    yield total | _over_folds(folds)


def _pool_of_each_seed(pools: PoolsByRun) -> list[Pool]:
    seeds = sorted({seed for _, seed in pools})
    return [pool([p for (_, s), p in pools.items() if s == seed]) for seed in seeds]


def _scores(pools: list[Pool], factor: float = 1) -> dict[str, dict]:
    intervals = mean_intervals(pools)
    scaled = Interval(*(factor * number for number in intervals["macro_f1"]))
    return {
        "accuracy": intervals["accuracy"]._asdict(),
        "macro_f1": scaled._asdict(),
        "balanced_accuracy": intervals["balanced_accuracy"]._asdict(),
    }


def _over_folds(folds: list[list[Pool]]) -> dict[str, dict]:
    """Returns mean and standard deviation over folds of the score within each fold."""
    values = [[point_scores(one) for one in fold] for fold in folds]
    scores = {}
    for score in SCORES:
        each = [np.mean([one[score] for one in fold]) for fold in values]
        scores[f"{score}_over_folds"] = {
            "mean": float(np.mean(each)),
            # A single fold has no deviation; JSON writes null.
            "deviation": float(np.std(each, ddof=1)) if len(each) > 1 else None,
        }
    return scores


def point_scores(pooled: Pool) -> dict[str, float]:
    """Returns accuracy and macro F1 of a pool, without intervals."""
    predicted = predicted_class(pooled.probability)
    scores = scores_of(confusion(pooled.label, predicted, len(pooled.classes)))
    return {score: float(scores[score]) for score in SCORES}


def _as_json(comparison: Comparison, reference: str, corrected: float) -> dict:
    return {
        "reference": reference,
        "objects": comparison.objects,
        "groups": comparison.groups,
        **{score: getattr(comparison, score)._asdict() for score in SCORES},
        "p_value": comparison.p_value,
        "p_value_holm": corrected,
    }
