"""Whether systems stand here in the order in which they were published."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from jaxastro.evaluation.bootstrap import Interval
from jaxastro.evaluation.paired import compare, share_objects
from jaxastro.evaluation.systems import SCORES, System, pool_all_folds, pools_by_run


class Verdict(NamedTuple):
    """What our objects say of one published order of two systems."""

    above: str  # the system that was published above the other
    below: str
    score: str
    published: float  # by how much, in percentage points
    here: Interval  # by how much it is above here, paired
    says: str  # confirmed, contradicted, undecided


def published_order(systems: Sequence[System], reference: str) -> list[Verdict]:
    """Returns a verdict on each order of two rows that were published.

    Compared are neighbours in the published order, and each row with the reference.
    An order is confirmed if the 95% interval of the paired difference leaves out zero
    on the same side, contradicted on the other side, and else undecided.
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
            # Published as equal there is no order; without common objects, no test.
            if not gap or not share_objects(pools[above], pools[below]):
                continue
            if (above, below) not in compared:
                compared[above, below] = compare(pools[above], pools[below])
            one = compared[above, below]
            says = ("undecided", "confirmed", "contradicted")[one.sign(score)]
            found.append(Verdict(above, below, score, gap, getattr(one, score), says))
    return found


def counts(verdicts: Sequence[Verdict], score: str) -> str:
    """Returns such as "of 5 published orders 3 are confirmed here, ..."."""
    said = [v.says for v in verdicts if v.score == score]
    numbers = {word: said.count(word) for word in dict.fromkeys(said)}
    return ", ".join(f"{number} {word}" for word, number in numbers.items())
