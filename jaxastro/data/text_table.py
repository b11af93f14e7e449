"""Reads tables of text: CSV, and columns separated by blanks.

    with open("objects.csv", newline="") as file:
        rows = rows_of(file)
        header = next(rows).cells
        for row in rows:
            print(row.line, dict(zip(header, row.cells)))

`rows_of` yields one row at a time, `columns_of` returns columns of a large CSV file.
"""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxastro.errors import InputError

BLANKS = ""  # separator: any number of blanks or tabs, and no quotes


class Row(NamedTuple):
    """One row of a table."""

    line: int  # its number in the file, from 1; the last one if a cell has line breaks
    cells: list[str]


def rows_of(
    lines: Iterable[str], separator: str = ",", *, comment: str = "", strict=False
) -> Iterator[Row]:
    """Yields the rows of a table, without empty ones.

    Args:
        lines: of an open file (with newline="" for CSV), or a list.
        separator: a character, with cells quoted as in CSV, or BLANKS.
        comment: start of lines that are skipped; "" skips none.
        strict: raise an error for wrong quotes, which are otherwise tolerated.

    Raises:
        InputError: if the table cannot be split into cells.
    """
    if separator == BLANKS:
        for line, text in enumerate(lines, start=1):
            cells = text.split()
            if cells and not (comment and text.startswith(comment)):
                yield Row(line, cells)
        return
    table = csv.reader(lines, delimiter=separator, strict=strict)
    try:
        for cells in table:
            if any(cells) and not (comment and cells[0].startswith(comment)):
                yield Row(table.line_num, cells)
    except csv.Error as error:
        raise InputError(f"line {table.line_num}: {error}") from error


def cells_of(line: str, separator: str = ",") -> list[str]:
    """Returns the cells of a single line, [] if it has none."""
    row = next(rows_of([line], separator), None)
    return row.cells if row else []


def numbers_of(rows: Iterable[Row], num_columns: int) -> np.ndarray:
    """Returns the first columns of rows of numbers, [rows, columns] float64.

    Raises:
        InputError: if a row is too short, or a cell is no number.
    """

    def numbers() -> Iterator[float]:
        for row in rows:
            if len(row.cells) < num_columns:
                raise InputError(
                    f"line {row.line} has {len(row.cells)} cells of {num_columns}"
                )
            for cell in row.cells[:num_columns]:
                try:
                    yield float(cell)
                except ValueError as error:
                    raise InputError(f"line {row.line}: {error}") from error

    return np.fromiter(numbers(), np.float64).reshape(-1, num_columns)


def columns_of(path: Path, required: tuple[str, ...], optional: tuple[str, ...] = ()):
    """Returns columns of a CSV file with a header as a table of text.

    Empty cells are null. Columns are read by PyArrow: memory and time are a fraction of
    those of Python strings.

    Args:
        path: of the file.
        required: names of columns.
        optional: names of columns that may be missing.

    Returns: a pyarrow.Table.
    Raises:
        InputError: if the file is no CSV table, or a required column is missing.
        OSError: if the file cannot be read.
    """
    import pyarrow  # takes longer to load than most tables to read
    import pyarrow.csv

    try:
        with pyarrow.csv.open_csv(path) as opened:
            present = opened.schema.names
        missing = [name for name in required if name not in present]
        if missing:
            raise InputError(f"it has no column {missing[0]}")
        wanted = [
            name for name in dict.fromkeys(required + optional) if name in present
        ]
        options = pyarrow.csv.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(wanted, pyarrow.string()),
            strings_can_be_null=True,
        )
        return pyarrow.csv.read_csv(path, convert_options=options)
    except (ValueError, KeyError) as error:  # raised by PyArrow
        if isinstance(error, InputError):
            raise
        raise InputError(str(error)) from error
