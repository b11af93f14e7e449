"""Selects well-observed stars of the ZTF catalogue of periodic variables.

The steps are those of a thesis on classification of these stars by images: enough
epochs, a significant period and a good fit in both bands, type II Cepheids joined with
the Cepheids, and at most a thousand stars per type.
"""

import collections
import hashlib
import heapq
from pathlib import Path

from data_builders.ztf.ztf_periodic_table import numbers_of, rows_of

STEPS = (
    (
        "at least 50 epochs in g and in r",
        lambda row: row["Num_g"] >= 50 and row["Num_r"] >= 50,
    ),
    (
        "log10 of the false alarm probability below -3 in g and in r",
        lambda row: row["log_FAP_g"] < -3 and row["log_FAP_r"] < -3,
    ),
    (
        "R2 of the fit above 0.3 in g and in r",
        lambda row: row["R2_g"] > 0.3 and row["R2_r"] > 0.3,
    ),
    (
        "period and both amplitudes above 0",
        lambda row: row["Per"] > 0 and row["Amp_g"] > 0 and row["Amp_r"] > 0,
    ),
)
MAX_PER_TYPE = 1000


def merged_type(name: str) -> str:
    """Returns the type, with type II Cepheids joined with the Cepheids."""
    return "CEP" if name == "CEPII" else name


def clean(path: Path) -> tuple[frozenset[int], list[dict]]:
    """Returns the selected lines of a catalogue, and the stars left after each step.

    Of a type with too many stars, those with the smallest sha256 of their SourceID are
    kept: a random selection that is the same in every copy of the catalogue. Lines that
    cannot be read are selected too, so that the builder reports them.
    """
    left = [collections.Counter() for _ in range(len(STEPS) + 2)]
    kept, unreadable = collections.defaultdict(list), set()
    for number, row in rows_of(path):
        try:
            numbers = numbers_of(row)
        except (ValueError, TypeError):
            unreadable.add(number)
            continue
        name = merged_type(row["Type"])
        left[0][name] += 1
        for step, (_, holds) in enumerate(STEPS, start=1):
            if not holds(numbers):
                break
            left[step][name] += 1
        else:
            digest = hashlib.sha256(row["SourceID"].encode()).digest()
            item = -int.from_bytes(digest[:8], "big"), number
            heapq.heappush(kept[name], item)
            if len(kept[name]) > MAX_PER_TYPE:
                heapq.heappop(kept[name])
    left[-1] = collections.Counter({name: len(heap) for name, heap in kept.items()})
    steps = ["all that can be read", *(name for name, _ in STEPS)]
    steps.append(f"at most {MAX_PER_TYPE} of each type")
    report = [
        {"step": step, "left": after.total(), "types": dict(sorted(after.items()))}
        for step, after in zip(steps, left, strict=True)
    ]
    lines = {number for heap in kept.values() for _, number in heap}
    return frozenset(lines | unreadable), report
