"""Table 2 of Chen et al. 2020, ApJS 249, 18: a row per periodic variable star.

Two forms are read: the official Table2.txt, plain or zipped, with HEADER_LINES lines
before columns set apart by blanks; and CSV with the columns' names in its first line.
"""

import contextlib
import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from jaxastro.errors import InputError

COLUMNS = (  # in the order of the official table
    *("ID", "SourceID", "RAdeg", "DEdeg", "Per", "R21", "phi21", "T_0", "gmag", "rmag"),
    *("Per_g", "Per_r", "Num_g", "Num_r", "R21_g", "R21_r", "phi21_g", "phi21_r"),
    *("R2_g", "R2_r", "Amp_g", "Amp_r", "log_FAP_g", "log_FAP_r", "Type"),
    *("Delta_min_g", "Delta_min_r"),
)
TEXT = ("ID", "SourceID", "Type")
HEADER_LINES = 34
MAX_LINE = 10_000  # letters; the table's have about 200


def rows_of(path: Path) -> Iterator[tuple[int, dict[str, str] | str]]:
    """Yields the number of each line, and its cells by column; or else the line itself.

    Raises:
        ValueError: if the file is damaged, or its first row is none.
    """
    try:
        with contextlib.ExitStack() as stack:
            file = _opened(stack, path)
            # A file without line ends would fill the memory.
            lines = enumerate(iter(lambda: file.readline(MAX_LINE), ""), start=1)
            cells_of = _from_csv(lines) if path.suffix == ".csv" else _from_text(lines)
            is_first = True
            for number, line in lines:
                cells = cells_of(line)
                if is_first and not cells:
                    raise InputError(f"line {number} is {line[:40]!r}")
                is_first = False
                if line.strip():
                    yield number, cells or line
    # A damaged archive raises half a dozen types of error.
    except Exception as error:
        raise InputError(
            f"{path}: {error}. Rows of table 2 of Chen et al. 2020, with "
            f"{', '.join(COLUMNS[:4])} and so on, are expected. Fetch the file again."
        ) from error


def numbers_of(row: dict[str, str]) -> dict[str, float]:
    """Returns the cells that are numbers, by column.

    Raises:
        ValueError: if one is none.
    """
    return {name: float(row[name]) for name in COLUMNS if name not in TEXT}


def _opened(stack: contextlib.ExitStack, path: Path):
    if not zipfile.is_zipfile(path):
        return stack.enter_context(open(path, encoding="utf-8"))
    archive = stack.enter_context(zipfile.ZipFile(path))
    name, *others = archive.namelist()
    if others:
        raise InputError(f"the archive has {others[0]!r} beside {name!r}")
    return io.TextIOWrapper(stack.enter_context(archive.open(name)), encoding="utf-8")


def _from_csv(lines):
    header = next(csv.reader([next(lines, (0, ""))[1]]), [])
    missing = set(COLUMNS) - set(header)
    if missing:
        raise InputError(f"no column {min(missing)!r}")

    def cells_of(line):
        cells = next(csv.reader([line]), [])
        fits = len(cells) == len(header)
        return dict(zip(header, cells, strict=True)) if fits else {}

    return cells_of


def _from_text(lines):
    for _ in range(HEADER_LINES):
        next(lines, None)

    def cells_of(line):
        cells = line.split()
        fits = len(cells) == len(COLUMNS)
        return dict(zip(COLUMNS, cells, strict=True)) if fits else {}

    return cells_of
