"""Compares simulated with real distributions: the table and the picture."""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from experiments.studies import command
from jaxastro.leakage.two_sample import ColumnComparison, compare_columns
from jaxastro.reports.realism import draw_realism


class Samples(NamedTuple):
    """Quantities of real and of simulated objects, and how they compare."""

    real: dict[str, list[float]]
    simulated: dict[str, list[float]]
    comparison: dict[str, ColumnComparison]


def compare(real: Iterable[dict], simulated: Iterable[dict]) -> Samples:
    """Returns the comparison of two samples, each with a row for each object."""
    columns = []
    for rows in (list(real), list(simulated)):
        columns.append({name: [row[name] for row in rows] for name in rows[0]})
    return Samples(*columns, compare_columns(*columns))


def make_parser(doc: str) -> argparse.ArgumentParser:
    """Returns a parser of the arguments that these studies share."""
    parser = command.make_parser(doc)
    add = parser.add_argument
    add("--manual_dir", default="", help="folder of raw files; default: JAXASTRO_DATA")
    add("--pictures", default="", help="folder for the picture; none by default")
    add("--seed", type=int, default=0, help="of the simulated objects")
    return parser


def print_comparison(samples: dict[str, Samples]) -> None:
    """Prints quartiles of both samples, Kolmogorov-Smirnov distance and p."""
    quartiles = "{1:.2f} ({0:.2f}–{2:.2f})".format
    rows = []
    for name, (_, _, comparison) in samples.items():
        for quantity, found in comparison.items():
            p = found.p_value
            rows.append(
                [
                    name,
                    quantity,
                    quartiles(*found.first),
                    quartiles(*found.second),
                    f"{found.distance:.2f}",
                    f"{p:.0e}" if p < 0.001 else f"{p:.3f}",
                ]
            )
    titles = ["class", "quantity", "real", "simulated", "D", "p"]
    command.print_table(titles, rows)


def show(
    samples: dict[str, Samples],
    given: argparse.Namespace,
    *,
    picture: str,
    labels: dict[str, str],
    **others,
) -> None:
    """Prints the table or JSON, and draws the picture if that is requested.

    Args:
        samples: class -> its samples.
        picture: name of the picture, without its ending.
        labels: quantity -> what to write below it.
        others: what JSON holds besides the comparison.
    """
    if given.json:
        quantities = {
            name: {q: found._asdict() for q, found in one.comparison.items()}
            for name, one in samples.items()
        }
        print(json.dumps({"quantities": quantities, **others}, indent=1))
    else:
        print_comparison(samples)
    if given.pictures:
        folder = Path(given.pictures)
        folder.mkdir(parents=True, exist_ok=True)
        title = "Simulated and real objects"
        draw_realism(samples, folder / f"{picture}.png", title=title, labels=labels)
