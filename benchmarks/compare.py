"""Compares two result files of one benchmark, and fails if a measure got worse.

    python -m benchmarks.attention --json > before.json
    python -m benchmarks.attention --json > after.json
    python -m benchmarks.compare before.json after.json [--tolerance 0.1]

A measure got worse if its median changed by more than the tolerance and the repeats of
the two files do not overlap. Then, or if a case is missing, the exit status is 1.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.result import Row, Spread, read


def compare(before: list[Row], after: list[Row], tolerance: float) -> list[tuple]:
    """Returns (case, measure, before, after, ratio, verdict) for each measure."""
    later = {_key(row): row.measures for row in after}
    lines = []
    for row in before:
        case = ", ".join(f"{name} {value}" for name, value in row.case.items())
        for name, old in row.measures.items():
            new = later.get(_key(row), {}).get(name)
            if new is None:
                lines.append((case, name, old, None, None, "missing"))
                continue
            ratio = _median(new) / _median(old) if _median(old) else 1.0
            verdict = _verdict(name, old, new, ratio, tolerance)
            lines.append((case, name, old, new, ratio, verdict))
    return lines


def _verdict(name: str, old, new, ratio: float, tolerance: float) -> str:
    more_is_better = name.endswith("/s")
    before, after = _range(old), _range(new)
    overlap = min(after) <= max(before) and max(after) >= min(before)
    if overlap or 1 / (1 + tolerance) <= ratio <= 1 + tolerance:
        return ""
    return "better" if (ratio > 1) == more_is_better else "worse"


def _key(row: Row) -> tuple:
    return tuple(sorted((name, str(value)) for name, value in row.case.items()))


def _median(value: float | Spread) -> float:
    return value.median if isinstance(value, Spread) else value


def _range(value: float | Spread) -> tuple[float, ...]:
    return tuple(value) if isinstance(value, Spread) else (value,)


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--tolerance", type=float, default=0.1, help="0.1 is 10 %%")
    given = parser.parse_args()
    try:
        lines = compare(read(given.before), read(given.after), given.tolerance)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    print("| case | measure | before | after | after / before | |")
    print("|---|---|---|---|---|---|")
    for case, name, old, new, ratio, verdict in lines:
        numbers = [f"{_median(old):.4g}", "" if new is None else f"{_median(new):.4g}"]
        shown = "" if ratio is None else f"{ratio:.2f}"
        print(f"| {case} | {name} | {' | '.join(numbers)} | {shown} | {verdict} |")
    if any(line[-1] in ("worse", "missing") for line in lines):
        sys.exit(1)


if __name__ == "__main__":
    main()
