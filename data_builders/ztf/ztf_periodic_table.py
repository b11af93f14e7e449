"""Reads table 2 of Chen et al. 2020, ApJS 249, 18: one row per periodic variable star.

Two formats: the official Table2.txt, plain or zipped, with HEADER_LINES lines before
columns separated by blanks; and CSV with column names in the first line.
"""

import contextlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from jaxastro.data.text_table import BLANKS, cells_of
from jaxastro.errors import InputError

COLUMNS = (  # in the order of the official table
    "ID",
    "SourceID",
    "RAdeg",
    "DEdeg",
    "Per",
    "R21",
    "phi21",
    "T_0",
    "gmag",
    "rmag",
    "Per_g",
    "Per_r",
    "Num_g",
    "Num_r",
    "R21_g",
    "R21_r",
    "phi21_g",
    "phi21_r",
    "R2_g",
    "R2_r",
    "Amp_g",
    "Amp_r",
    "log_FAP_g",
    "log_FAP_r",
    "Type",
    "Delta_min_g",
    "Delta_min_r",
)
TEXT = ("ID", "SourceID", "Type")
HEADER_LINES = 34
MAX_LINE = 10_000  # characters; lines of the table have about 200


def rows_of(path: Path) -> Iterator[tuple[int, dict[str, str] | str]]:
    """Yields number and cells of each line; the line itself if it has other cells.

    Raises:
        InputError: if the file is damaged, or its first row has other cells.
    """
    try:
        with contextlib.ExitStack() as stack:
            file = _open(stack, path)
            # A file without line ends would fill the memory.
            lines = enumerate(iter(lambda: file.readline(MAX_LINE), ""), start=1)
            if path.suffix == ".csv":
                separator, columns = ",", _read_header(lines)
            else:
                separator, columns = BLANKS, COLUMNS
                for _ in range(HEADER_LINES):
                    next(lines, None)
            is_first = True
            for number, line in lines:
                cells = cells_of(line, separator)
                fits = len(cells) == len(columns)
                if is_first and not fits:
                    raise InputError(f"line {number} is {line[:40]!r}")
                is_first = False
                if fits:
                    yield number, dict(zip(columns, cells, strict=True))
                elif line.strip():
                    yield number, line
    # A damaged archive may raise any error.
    except Exception as error:
        raise InputError(
            f"{path}: {error}. Rows of table 2 of Chen et al. 2020, with "
            f"{', '.join(COLUMNS[:4])} and so on, are expected. Download the file "
            "again."
        ) from error


def numbers_of(row: dict[str, str]) -> dict[str, float]:
    """Returns the numeric cells, by column.

    Raises:
        ValueError: if one of them is no number.
    """
    return {name: float(row[name]) for name in COLUMNS if name not in TEXT}


def _open(stack: contextlib.ExitStack, path: Path):
    if not zipfile.is_zipfile(path):
        return stack.enter_context(open(path, encoding="utf-8"))
    archive = stack.enter_context(zipfile.ZipFile(path))
    name, *others = archive.namelist()
    if others:
        raise InputError(f"the archive contains {others[0]!r} besides {name!r}")
    return io.TextIOWrapper(stack.enter_context(archive.open(name)), encoding="utf-8")


def _read_header(lines: Iterator[tuple[int, str]]) -> list[str]:
    _, line = next(lines, (0, ""))
    header = cells_of(line)
    missing = set(COLUMNS) - set(header)
    if missing:
        raise InputError(f"no column {min(missing)!r}")
    return header
