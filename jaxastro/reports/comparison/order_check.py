"""Checks whether systems rank here in the order in which they were published."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from jaxastro.evaluation.bootstrap import Interval
from jaxastro.evaluation.paired import compare, share_objects
from jaxastro.evaluation.systems import SCORES, System, pool_all_folds, pools_by_run


class OrderCheck(NamedTuple):
    """One published order of two systems, tested on the objects of this table."""

    above: str  # the system published with the higher score
    below: str
    score: str
    published: float  # difference, in percentage points
    measured: Interval  # paired difference
    outcome: str  # confirmed, contradicted or undecided


def published_order(systems: Sequence[System], reference: str) -> list[OrderCheck]:
    """Returns a check of each published order of two systems.

    Compared are neighbours in the published order, and each system with the reference.
    An order is confirmed if the 95% interval of the paired difference is above zero,
    contradicted if it is below zero, and undecided if it contains zero.
    """
    pools = {s.name: pool_all_folds(pools_by_run(s)) for s in systems if s.members}
    found, compared = [], {}
    for score in reversed(SCORES):  # macro F1 first: tables are sorted by it
        published = {
            s.name: s.published[score]
            for s in systems
            if score in s.published and s.name in pools
        }
        ranked = sorted(published, key=lambda name: (-published[name], name))
        pairs = [*pairwise(ranked)]
        if reference in published:
            place = ranked.index(reference)
            pairs += [(name, reference) for name in ranked[:place]]
            pairs += [(reference, name) for name in ranked[place + 1 :]]
        for above, below in dict.fromkeys(pairs):
            gap = published[above] - published[below]
            # Equal published scores have no order; without common objects, no test.
            if not gap or not share_objects(pools[above], pools[below]):
                continue
            if (above, below) not in compared:
                compared[above, below] = compare(pools[above], pools[below])
            one = compared[above, below]
            outcome = ("undecided", "confirmed", "contradicted")[one.sign(score)]
            measured = getattr(one, score)
            found.append(OrderCheck(above, below, score, gap, measured, outcome))
    return found


def count_outcomes(checks: Sequence[OrderCheck], score: str) -> str:
    """Returns such as "3 confirmed, 1 undecided"."""
    outcomes = [check.outcome for check in checks if check.score == score]
    counts = {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)}
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
