"""Show the columns of the data sets: type, shape, unit, meaning, missing value.

examples:
  python -m data_builders schema                all kinds of record
  python -m data_builders schema light_curve    one kind
  python -m data_builders schema hits           one survey, with its unit and classes
  python -m data_builders schema hits --json    the same as JSON

docs/schema.md explains the columns.
"""

import argparse
import json

from data_builders.commands.arguments import add_json
from data_builders.engine.schema import (
    COLUMNS,
    DESCRIBED,
    FACTS,
    FURTHER,
    OBJECT,
    SURVEYS_UNIT,
    Column,
    describe_columns,
    facts_of,
)
from jaxastro.errors import InputError
from jaxastro.surveys import SURVEYS, Survey


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this sub-command."""
    parser.add_argument(
        "name",
        nargs="?",
        default="",
        metavar="KIND|SURVEY",
        help=f"{', '.join(COLUMNS)}, or a survey (default: all kinds)",
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Prints the schema of a kind, of a survey, or of all kinds."""
    if options.name in SURVEYS:
        _show_survey(SURVEYS[options.name], as_json=options.json)
        return 0
    if options.name not in ("", *COLUMNS):
        raise InputError(
            f"No kind of record and no survey is named {options.name!r}. Kinds: "
            f"{', '.join(COLUMNS)}. Surveys: {', '.join(SURVEYS)}. Choose one of them."
        )
    if options.json:
        kinds = [options.name] if options.name else COLUMNS
        found = {kind: describe_columns(COLUMNS[kind]) for kind in kinds}
        print(json.dumps(found, indent=1))
    elif options.name:
        print(markdown(COLUMNS[options.name]))
    else:
        for title, columns in {"every kind": OBJECT, **FURTHER}.items():
            print(f"{title}\n\n{markdown(columns)}\n")
    return 0


def markdown(columns: dict[str, Column], *, flux: str = SURVEYS_UNIT) -> str:
    """Returns columns as a Markdown table."""
    lines = [f"| column | {' | '.join(DESCRIBED)} |"]
    lines.append(f"|{'---|' * (1 + len(DESCRIBED))}")
    for name, row in describe_columns(columns, flux=flux).items():
        lines.append(f"| `{name}` | {' | '.join(row.values())} |")
    return "\n".join(lines)


def _show_survey(survey: Survey, *, as_json: bool) -> None:
    facts, columns = facts_of(survey), COLUMNS[survey.kind]
    if as_json:
        facts["schema"] = describe_columns(columns, flux=survey.unit)
        print(json.dumps(facts, indent=1))
        return
    for fact in FACTS:
        print(f"{fact:<12} {facts[fact]}")
    print(f"\n{markdown(columns, flux=survey.unit)}")
