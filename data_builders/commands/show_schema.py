"""Show every column of the data sets: type, shape, unit, meaning, missing value.

examples:
  python -m data_builders schema                all kinds of records
  python -m data_builders schema light_curve    one kind
  python -m data_builders schema hits           a survey's, with its unit and classes
  python -m data_builders schema hits --json    the same for programs

docs/schema.md explains what is printed here.
"""

import argparse
import json

from data_builders.commands.arguments import add_json
from data_builders.engine.schema import (
    COLUMNS,
    FURTHER,
    OBJECT,
    Column,
    dtype_name,
    unit_of,
)
from jaxastro.errors import InputError
from jaxastro.surveys import SURVEYS, Survey

SURVEYS_UNIT = "survey's unit"
FIELDS = ("type", "shape", "unit", "meaning", "if unknown")
FACTS = (
    *("kind", "bands", "wavelength", "classes", "unit", "pixel_scale", "columns"),
    "citation",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what this sub-command can be told."""
    parser.add_argument(
        "name",
        nargs="?",
        default="",
        metavar="KIND|SURVEY",
        help=f"{', '.join(COLUMNS)}, or a survey (default: all kinds)",
    )
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    """Prints the schema of a kind, of a survey, or of all kinds."""
    if given.name in SURVEYS:
        found = of_survey(SURVEYS[given.name])
        table = markdown(COLUMNS[found["kind"]], flux=found["unit"])
        lines = [f"{fact:<12} {found[fact]}" for fact in FACTS]
        print(
            json.dumps(found, indent=1)
            if given.json
            else "\n".join([*lines, "", table])
        )
        return 0
    if given.name not in ("", *COLUMNS):
        raise InputError(
            f"No kind of record and no survey is named {given.name!r}. Kinds: "
            f"{', '.join(COLUMNS)}. Surveys: {', '.join(SURVEYS)}. Name one of them."
        )
    if given.json:
        kinds = [given.name] if given.name else COLUMNS
        print(json.dumps({kind: plain(COLUMNS[kind]) for kind in kinds}, indent=1))
    elif given.name:
        print(markdown(COLUMNS[given.name]))
    else:
        for title, columns in {"every kind": OBJECT, **FURTHER}.items():
            print(f"{title}\n\n{markdown(columns)}\n")
    return 0


def markdown(columns: dict[str, Column], *, flux: str = SURVEYS_UNIT) -> str:
    """Returns columns as a table of Markdown."""
    lines = [f"| column | {' | '.join(FIELDS)} |", f"|{'---|' * (1 + len(FIELDS))}"]
    for name, row in plain(columns, flux=flux).items():
        lines.append(f"| `{name}` | {' | '.join(row.values())} |")
    return "\n".join(lines)


def of_survey(survey: Survey) -> dict:
    """Returns the facts of a survey and its columns, as JSON can hold them."""
    return facts_of(survey) | {"schema": plain(COLUMNS[survey.kind], flux=survey.unit)}


def facts_of(survey: Survey) -> dict:
    """Returns the facts of a survey; what is unknown is None, as JSON has no NaN."""
    facts = json.dumps({fact: getattr(survey, fact) for fact in FACTS})
    return json.loads(facts, parse_constant=lambda _: None)


def plain(columns: dict[str, Column], *, flux: str = SURVEYS_UNIT) -> dict:
    """Returns the name of each column, and in words what it holds."""
    return {name: _in_words(column, flux) for name, column in columns.items()}


def _in_words(column: Column, flux: str) -> dict[str, str]:
    shape = f"[{' '.join(column.axes)}]" if column.axes else ""
    unit = unit_of(column, flux)
    words = dtype_name(column), shape, unit, column.meaning, column.missing
    return dict(zip(FIELDS, words, strict=True))
