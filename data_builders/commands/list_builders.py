"""List the data sets, the state of their raw files, and which are built.

examples:
  python -m data_builders list
  python -m data_builders list --json | jq '.[] | select(.built)'
"""

import argparse
import json
import os
from pathlib import Path

from data_builders.commands.arguments import add_folders, add_json
from data_builders.engine.builder import SurveyBuilder
from data_builders.opening import builder_of, is_built
from data_builders.registry import BUILDERS, builder_class_of
from jaxastro.surveys import SURVEYS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this sub-command."""
    add_folders(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Prints the list."""
    rows = [
        row
        for survey in BUILDERS
        for row in _rows_of(survey, options.data_dir, options.manual_dir)
    ]
    if options.json:
        print(json.dumps(rows, indent=1))
        return 0
    width = max(len(row["name"]) for row in rows)
    print(f"{'data set':<{width}} {'records':<12} {'raw files':<10} built in")
    for row in rows:
        place = row["data_dir"] if row["built"] else "-"
        columns = f"{row['kind']:<12} {row['raw_files']:<10} {place}"
        print(f"{row['name']:<{width}} {columns}")
    missing = {row["survey"]: row["missing"] for row in rows if row["missing"]}
    for survey, message in missing.items():
        print(f"\n{survey}: {message}")
    return 0


def _rows_of(survey: str, data_dir: str, manual_dir: str) -> list[dict]:
    """Returns one row of the list for each preset of a builder."""
    rows = []
    for name in _names_of(survey, data_dir):
        builder = builder_of(name, data_dir=data_dir)
        state, missing = _raw_files(builder, manual_dir)
        rows.append(
            {
                "name": name,
                "survey": survey,
                "description": builder.DESCRIPTION,
                "kind": SURVEYS[survey].kind,
                "raw_files": state,
                "missing": missing,
                "built": is_built(builder),
                "data_dir": builder.data_dir,
            }
        )
    return rows


def _names_of(survey: str, data_dir: str) -> list[str]:
    """Returns the name with each of its presets, or the name alone if it has none."""
    builder_class = builder_class_of(survey)
    presets = list(builder_class.builder_configs)
    if builder_class.ANY_PRESET:  # the presets that were built
        folder = builder_of(survey, data_dir=data_dir).data_path.parent
        presets = sorted(path.name for path in folder.glob("[!.]*") if path.is_dir())
    return [f"{survey}/{preset}" for preset in presets] or [survey]


def _raw_files(builder: SurveyBuilder, manual_dir: str) -> tuple[str, str]:
    """Returns "none" needed, "found" or "missing", and what is missing."""
    try:
        builder.parts(Path(manual_dir).expanduser() if manual_dir else None)
    except (OSError, ValueError) as error:
        return "missing", str(error)
    folder = os.environ.pop("JAXASTRO_DATA", None)
    try:
        builder.parts(None)  # raises if raw files are needed: no folder is given
    except (OSError, ValueError):
        return "found", ""
    finally:
        if folder is not None:
            os.environ["JAXASTRO_DATA"] = folder
    return "none", ""
