"""Output of the benchmarks: a table, or the same as a result file.

A row has a case (what was measured) and measures (the results). A measure is a number,
or a Spread of repeats. Its name is its unit and the title of its column. Of measures
that end in "/s", which are rates, more is better; of all others less is better.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from jaxastro.errors import InputError


class Spread(NamedTuple):
    """Median, smallest and largest value of the repeats of one measure."""

    median: float
    low: float
    high: float


class Row(NamedTuple):
    """One line of a table."""

    case: dict[str, str | int | float]
    measures: dict[str, float | Spread]


def spread_of(values: Iterable[float]) -> Spread:
    """Returns the spread of the values of some repeats."""
    values = list(values)
    return Spread(statistics.median(values), min(values), max(values))


def seconds_of(run: Callable[[], object], repeats: int) -> Spread:
    """Returns the wall time of `run`, which must wait for what it starts.

    A first run, which may compile, is not counted.
    """
    run()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return spread_of(seconds)


def scaled(spread: Spread, factor: float) -> Spread:
    """Returns a spread in another unit."""
    return Spread(*(factor * value for value in spread))


def rate_of(seconds: Spread, amount: float) -> Spread:
    """Returns the amount per second of what takes these seconds for all of it."""
    return Spread(amount / seconds.median, amount / seconds.high, amount / seconds.low)


def parser_of(doc: str, *, repeats: int = 0) -> argparse.ArgumentParser:
    """Returns a parser with --json and, if repeats is not 0, --repeats."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if repeats:
        repeated = {"type": int, "default": repeats, "help": "of each measure"}
        parser.add_argument("--repeats", **repeated)
    parser.add_argument("--json", action="store_true", help="print a result file")
    return parser


def show(
    rows: Iterable[Row], *, as_json: bool, about: Mapping[str, str] | None = None
) -> None:
    """Prints a result file, or its tables, one for each set of columns.

    Args:
        about: further facts on the measurement, printed after the machine.
    """
    rows, about = list(rows), machine() | (about or {})
    if as_json:
        found = [{"case": row.case, "measures": _plain(row.measures)} for row in rows]
        print(json.dumps({"machine": about, "rows": found}, indent=1))
        return
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    columns = None
    for row in rows:
        if (*row.case, *row.measures) != columns:
            columns = (*row.case, *row.measures)
            print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
        cells = [*map(str, row.case.values()), *map(_cell, row.measures.values())]
        print(f"| {' | '.join(cells)} |")


def read(path: Path) -> list[Row]:
    """Returns the rows of a result file.

    Raises:
        InputError: if it is no result file.
    """
    try:
        found = json.loads(path.read_text())["rows"]
        return [
            Row(row["case"], {name: _measure(m) for name, m in row["measures"].items()})
            for row in found
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is not a result file ({error!r}). Write one with "
            "python -m benchmarks.NAME --json."
        ) from error


def machine() -> dict[str, str | int]:
    """Returns the machine, the versions and the date of the measurement."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),  # of other programs and of the benchmark
        "Python": platform.python_version(),
        "JAX": metadata.version("jax"),
        "date": datetime.date.today().isoformat(),
    }


def _plain(measures: dict) -> dict:
    return {
        name: value._asdict() if isinstance(value, Spread) else value
        for name, value in measures.items()
    }


def _measure(value) -> float | Spread:
    return Spread(**value) if isinstance(value, dict) else float(value)


def _cell(value: float | Spread) -> str:
    if isinstance(value, Spread):
        median, low, high = map(_digits, value)
        return f"{median} ({low} to {high})"
    return _digits(value)


def _digits(value: float) -> str:
    """Returns a number with three significant digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
