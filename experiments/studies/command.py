"""What the commands of studies share: arguments, error messages, tables."""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence

from jaxastro.commands.error_handling import run_command
from jaxastro.evaluation.bootstrap import Interval


def make_parser(doc: str) -> argparse.ArgumentParser:
    """Returns a parser with --json, whose --help shows the study's docstring."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON, no table")
    return parser


def list_of(kind: Callable[[str], object]) -> Callable[[str], list]:
    """Returns a parser of values that are separated by commas."""

    def parse(text: str) -> list:
        return [kind(part) for part in text.split(",") if part]

    return parse


def run(
    main: Callable[[argparse.Namespace], None], parser: argparse.ArgumentParser
) -> None:
    """Calls main with the parsed arguments, and ends the process.

    An error that the user can correct is printed without a traceback.
    """
    given = parser.parse_args()
    sys.exit(run_command(lambda: main(given)))


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints a Markdown table."""
    print(f"| {' | '.join(titles)} |")
    print(f"|{'---|' * len(titles)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def format_interval(interval: Interval) -> str:
    """Returns an interval as `value [low, high]`."""
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"
