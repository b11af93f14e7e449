"""Say what a raw file or folder is, what it holds, and what is wrong with it.

examples:
  python -m data_builders inspect ztf_public_20260101.tar.gz
  python -m data_builders inspect FOLDER --survey=image_folder
  python -m data_builders inspect unknown.dat --json

If a survey recognises it, all of it is read: how many objects, of which bands, times,
sizes and labels, and which were set aside for what reason. If none does, it is said
what the bytes look like. Nothing is written, and nothing that a file says is believed:
text from it is shown with all control codes spelled out.

Ends with 1 if there is nothing in it that could be read.
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
from data_builders.engine.foreign import kind_of
from data_builders.engine.printable import printable
from data_builders.registry import BUILDERS, module_of, reader_of
from jaxastro.errors import MissingFileError
from jaxastro.surveys import survey_of

MAX_FILES = 10_000  # of a folder that no survey recognises as a whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what this sub-command can be told."""
    parser.add_argument("raw", type=Path, metavar="RAW", help="a file or a folder")
    parser.add_argument(
        "--survey", default="", metavar="NAME", help="read it as this survey's data"
    )
    parser.add_argument(
        "--objects",
        type=int,
        default=0,
        metavar="N",
        help="stop after so many (default: read all)",
    )
    parser.add_argument(
        "--reasons", type=int, default=5, metavar="N", help="to show (default: 5)"
    )
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    """Looks at the file or folder and says what it found."""
    if not given.raw.exists():
        raise MissingFileError(
            f"{given.raw} does not exist. A raw file or folder was expected. Check the "
            "path."
        )
    if given.survey:
        survey_of(given.survey)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of readers, in words that may be the file's
        answer = inspect(given.raw, survey=given.survey, limit=given.objects)
    if given.json:
        print(json.dumps(answer, indent=1))
    else:
        _show(answer, given.reasons)
    return int(not any(found["records"] for found in answer["found"]))


def inspect(raw: Path, *, survey: str = "", limit: int = 0) -> dict:
    """Returns what a file or folder is, what it holds, and what is wrong with it.

    Args:
        raw: anything that exists.
        survey: whose data it is; empty finds out.
        limit: of objects to read; 0 for all.
    """
    surveys = [survey] if survey else recognised(raw)
    if surveys:
        return {
            "path": str(raw),
            "is": "a folder" if raw.is_dir() else kind_of(raw),
            "recognised_by": surveys,
            "found": [_read([raw], surveys[0], limit)],
        }
    if not raw.is_dir():
        return {"path": str(raw), "is": kind_of(raw), "recognised_by": [], "found": []}
    files = list(itertools.islice(_files(raw), MAX_FILES + 1))
    kinds, whose = Counter(), {}
    for path in files[:MAX_FILES]:
        names = recognised(path)
        kinds[kind_of(path).partition(":")[0]] += 1
        if names:
            whose.setdefault(names[0], []).append(path)
    return {
        "path": str(raw),
        "is": "a folder",
        "files": len(files[:MAX_FILES]),
        "has_more_files": len(files) > MAX_FILES,
        "kinds": dict(kinds.most_common(20)),
        "recognised_by": list(whose),
        "found": [_read(paths, name, limit) for name, paths in whose.items()],
    }


def recognised(path: Path) -> list[str]:
    """Returns the surveys that take a file or folder for theirs."""
    if not (path.is_file() or path.is_dir()):
        return []
    return [name for name in BUILDERS if _takes(name, path)]


def _takes(name: str, path: Path) -> bool:
    try:
        return module_of(name).recognises(path)
    # Whatever is wrong with the file, it is not this survey's.
    except Exception:  # noqa: BLE001
        return False


def _read(paths: list[Path], name: str, limit: int) -> dict:
    """Returns what a survey's reader finds in its files, and where it gave up."""
    summary, stopped = Summary(survey_of(name)), []
    read = reader_of(name)
    with tqdm(desc="Reading", unit=" objects", leave=False, disable=None) as bar:
        for path in paths:
            try:
                for reading in itertools.islice(read(path), limit or None):
                    summary.add(reading)
                    bar.update()
            # A reader refuses a file in words; any other error is one more fact.
            except Exception as error:  # noqa: BLE001
                stopped.append(f"{path.name}: {type(error).__name__}: {error}")
    return summary.answer() | {"files": len(paths), "stopped": stopped[:20]}


def _files(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders.sort()
        yield from (Path(root) / name for name in sorted(files))


def _show(answer: dict, num_reasons: int) -> None:
    print(f"{printable(answer['path'])} is {printable(answer['is'])}.")
    if "files" in answer:
        more = " and more" if answer["has_more_files"] else ""
        print(f"{answer['files']:,} files{more}:")
        for kind, count in answer["kinds"].items():
            print(f"{count:>10,} {printable(kind)}")
    if not answer["recognised_by"]:
        print(f"No survey recognises it. Known: {', '.join(BUILDERS)}.")
    for found in answer["found"]:
        _show_survey(found, num_reasons)


def _show_survey(found: dict, num_reasons: int) -> None:
    print(f"\nRead as {found['survey']}, {found['kind']}, flux in {found['unit']}:")
    for name in ("objects", "records", "set_aside", "mended", "with_position"):
        print(f"{found[name]:>10,} {name.replace('_', ' ')}")
    if "epochs" in found:
        print("    epochs {least} to {most}, mean {mean}".format(**found["epochs"]))
        first, last = found["mjd"].values()
        print(
            f"     times MJD {first:.5f} to {last:.5f}, {' to '.join(found['dates'])}"
        )
    for name in ("labels", "label_sources", "bands", "image_sizes"):
        if found[name]:
            counts = (f"{printable(k)} {n:,}" for k, n in found[name].items())
            print(f"{name.replace('_', ' '):>10} {', '.join(counts)}")
    for name in ("why_set_aside", "what_was_mended"):
        if found[name]:
            print(f"\n{name.replace('_', ' ').capitalize()}:")
        for reason in found[name][:num_reasons]:
            print(f"{reason['count']:>10,} like: {printable(reason['example'])}")
        rest = len(found[name]) - num_reasons
        if rest > 0:
            print(f"{'':>10} and {rest:,} further kinds: --reasons shows more")
    for words in found["stopped"]:
        print(f"\nReading stopped. {printable(words, length=600)}")
