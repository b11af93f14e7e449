"""Read raw files and report what they hold, and what cannot be read.

examples:
  python -m data_builders inspect ztf_public_20260101.tar.gz
  python -m data_builders inspect FOLDER --survey=image_folder
  python -m data_builders inspect unknown.dat --json

Files in the format of a survey are read completely: number of objects, bands, times,
image sizes and labels, and the reasons why objects were set aside. Other files are
described by their first bytes. Nothing is written. Control codes in text from a file
are escaped.

Ends with 1 if nothing could be read.
"""

import argparse
import itertools
import json
import os
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from data_builders.commands.arguments import add_json
from data_builders.commands.summary import Summary
from data_builders.engine.file_type import describe_file
from data_builders.engine.printable import printable
from data_builders.registry import BUILDERS, module_of, reader_of
from jaxastro.errors import MissingFileError
from jaxastro.surveys import survey_of

MAX_FILES = 10_000  # of a folder whose files are examined one by one
SHOWN = {  # counts of a survey's raw data -> printed as
    "objects": "objects",
    "records": "records",
    "set_aside": "set aside",
    "repaired": "repaired",
    "with_position": "with position",
}
REASONS = {"reasons_set_aside": "Set aside", "reasons_repaired": "Repaired"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this sub-command."""
    parser.add_argument("raw", type=Path, metavar="RAW", help="a file or a folder")
    parser.add_argument(
        "--survey",
        default="",
        metavar="NAME",
        help="read as data of this survey (default: found from the format)",
    )
    parser.add_argument(
        "--objects",
        type=int,
        default=0,
        metavar="N",
        help="stop after this number of objects (default: read all)",
    )
    parser.add_argument(
        "--reasons",
        type=int,
        default=5,
        metavar="N",
        help="number of reasons to show (default: 5)",
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Reads the file or folder and prints what it holds."""
    if not options.raw.exists():
        raise MissingFileError(
            f"{options.raw} does not exist. A raw file or folder is expected. Check "
            "the path."
        )
    if options.survey:
        survey_of(options.survey)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they may quote unescaped text from the file
        report = inspect(options.raw, survey=options.survey, limit=options.objects)
    if options.json:
        print(json.dumps(report, indent=1))
    else:
        _show(report, options.reasons)
    return int(not any(found["records"] for found in report["found"]))


def inspect(raw: Path, *, survey: str = "", limit: int = 0) -> dict:
    """Returns format and content of a file or folder, and what cannot be read.

    Args:
        raw: an existing file or folder.
        survey: to read it as; empty finds the survey from the format.
        limit: largest number of objects to read; 0 reads all.
    """
    surveys = [survey] if survey else recognising_surveys(raw)
    if surveys:
        return {
            "path": str(raw),
            "is": "a folder" if raw.is_dir() else describe_file(raw),
            "recognised_by": surveys,
            "found": [_read([raw], surveys[0], limit)],
        }
    if not raw.is_dir():
        description = describe_file(raw)
        return {"path": str(raw), "is": description, "recognised_by": [], "found": []}
    files = list(itertools.islice(_files(raw), MAX_FILES + 1))
    types, files_of = Counter(), {}
    for path in files[:MAX_FILES]:
        types[describe_file(path).partition(":")[0]] += 1
        surveys = recognising_surveys(path)
        if surveys:
            files_of.setdefault(surveys[0], []).append(path)
    return {
        "path": str(raw),
        "is": "a folder",
        "files": len(files[:MAX_FILES]),
        "has_more_files": len(files) > MAX_FILES,
        "file_types": dict(types.most_common(20)),
        "recognised_by": list(files_of),
        "found": [_read(paths, name, limit) for name, paths in files_of.items()],
    }


def recognising_surveys(path: Path) -> list[str]:
    """Returns the surveys whose format a file or folder has."""
    if not (path.is_file() or path.is_dir()):
        return []
    return [name for name in BUILDERS if _recognises(name, path)]


def _recognises(name: str, path: Path) -> bool:
    try:
        return module_of(name).recognises(path)
    # A damaged file may raise any error; it is not in this survey's format.
    except Exception:  # noqa: BLE001
        return False


def _read(paths: list[Path], name: str, limit: int) -> dict:
    """Returns counts of a survey's files, and the errors at which reading stopped."""
    summary, stopped = Summary(survey_of(name)), []
    read = reader_of(name)
    with tqdm(desc="Reading", unit=" objects", leave=False, disable=None) as bar:
        for path in paths:
            try:
                for reading in itertools.islice(read(path), limit or None):
                    summary.add(reading)
                    bar.update()
            # Any error of a reader is part of the report.
            except Exception as error:  # noqa: BLE001
                stopped.append(f"{path.name}: {type(error).__name__}: {error}")
    return summary.counts() | {"files": len(paths), "stopped": stopped[:20]}


def _files(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders.sort()
        yield from (Path(root) / name for name in sorted(files))


def _show(report: dict, num_reasons: int) -> None:
    print(f"{printable(report['path'])} is {printable(report['is'])}.")
    if "files" in report:
        more = " and more" if report["has_more_files"] else ""
        print(f"{report['files']:,} files{more}:")
        for file_type, count in report["file_types"].items():
            print(f"{count:>10,} {printable(file_type)}")
    if not report["recognised_by"]:
        print(f"In no survey's format. Known surveys: {', '.join(BUILDERS)}.")
    for found in report["found"]:
        _show_survey(found, num_reasons)


def _show_survey(found: dict, num_reasons: int) -> None:
    print(f"\nRead as {found['survey']}, {found['kind']}, flux in {found['unit']}:")
    for name, title in SHOWN.items():
        print(f"{found[name]:>10,} {title}")
    if "epochs" in found:
        print("    epochs {fewest} to {most}, mean {mean}".format(**found["epochs"]))
        first, last = found["mjd"].values()
        print(
            f"     times MJD {first:.5f} to {last:.5f}, {' to '.join(found['dates'])}"
        )
    for name in ("labels", "label_sources", "bands", "image_sizes"):
        if found[name]:
            counts = (f"{printable(k)} {n:,}" for k, n in found[name].items())
            print(f"{name.replace('_', ' '):>10} {', '.join(counts)}")
    for name, title in REASONS.items():
        if found[name]:
            print(f"\n{title}:")
        for reason in found[name][:num_reasons]:
            print(f"{reason['count']:>10,} such as: {printable(reason['example'])}")
        rest = len(found[name]) - num_reasons
        if rest > 0:
            print(f"{'':>10} and {rest:,} further reasons; --reasons shows more")
    for message in found["stopped"]:
        print(f"\nReading stopped. {printable(message, length=600)}")
