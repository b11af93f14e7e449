"""The table of predictions: CSV, Parquet or Avro, by its name."""

from jaxastro.errors import InputError
import contextlib
import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import fastavro
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from jaxastro.data.csv_escaping import shown_cell, told_cell

Row = dict[str, str | int | float | dict[str, float]]
# Of a table's columns, one for each name in a map.
PREFIX = {"probability": "p", "hierarchy": "p", "spread": "spread"}
AVRO = {str: "string", int: "long", float: "double"}
AVRO_MAP = {"type": "map", "values": "double"}
DAMAGED = (ValueError, EOFError, LookupError)  # what readers of tables then raise


@contextlib.contextmanager
def prediction_file(path: Path) -> Iterator[Callable[[list[Row]], None]]:
    """Gives a function that appends rows, all of the same columns, to a new file.

    They go to PATH.partial as they come, and in the end to PATH: whole or not at all.
    Memory holds those of one call. A row's probability and spread are maps from class
    to number, its hierarchy is one from what lies above classes; in CSV and Parquet
    each name has a column, p_NAME and spread_CLASS.

    Raises:
        ValueError: if the path is of another kind of file, or of none.
    """
    if path.suffix not in FORMATS or (path.exists() and not path.is_file()):
        raise InputError(
            f"{path} is no file that predictions can be written to. Give one that ends "
            f"in {', '.join(FORMATS)}."
        )
    partial = path.with_name(path.name + ".partial")
    try:
        with FORMATS[path.suffix](partial) as write:
            yield write
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_predictions(path: Path) -> dict[str, list]:
    """Returns the columns of a file that prediction_file wrote, one for each class.

    Of a CSV, names are as they were before a spreadsheet was thought of, an alert_id is
    text, and probabilities have six digits.

    Raises:
        ValueError: if it is of another kind, or cannot be read; says what to do.
    """
    try:
        if path.suffix == ".parquet":
            return pq.read_table(path).to_pydict()
        if path.suffix == ".avro":
            with path.open("rb") as file:
                rows = [_flat(row) for row in fastavro.reader(file)]
            return {name: [row[name] for row in rows] for name in (rows or [{}])[0]}
        if path.suffix == ".csv":
            as_text = {name: pa.string() for name in ("object_id", "alert_id")}
            found = pyarrow.csv.read_csv(
                path,
                convert_options=pyarrow.csv.ConvertOptions(column_types=as_text),
            ).to_pydict()
            names = {name: found[name] for name in found if name == "object_id"}
            return found | {n: list(map(told_cell, names[n])) for n in names}
    except (*DAMAGED, fastavro.schema.SchemaParseException) as error:
        raise InputError(
            f"{path} cannot be read as a table of predictions: {error} Give a file "
            "that experiments.predict wrote."
        ) from error
    raise InputError(
        f"{path} is no file of predictions. Give one that ends in {', '.join(FORMATS)}."
    )


@contextlib.contextmanager
def _csv(path: Path) -> Iterator[Callable]:
    with path.open("w", newline="") as file:
        table, known = csv.writer(file), []

        def write(rows: list[Row]) -> None:
            flat = [_flat(row) for row in rows]
            if not known:
                known.extend(flat[0])
                table.writerow(known)
            table.writerows([_cell(row[name]) for name in known] for row in flat)
            file.flush()  # who follows the file sees whole lines

        yield write


def _flat(row: Row) -> dict[str, str | int | float]:
    """Returns a row with a column for each class in place of a map."""
    flat = {}
    for name, value in row.items():
        if name in PREFIX:
            flat |= {f"{PREFIX[name]}_{of}": number for of, number in value.items()}
        else:
            flat[name] = value
    return flat


def _cell(value: str | int | float) -> str | int:
    if isinstance(value, float):
        return f"{value:.6f}"
    return shown_cell(value) if isinstance(value, str) else value


@contextlib.contextmanager
def _parquet(path: Path) -> Iterator[Callable]:
    with contextlib.ExitStack() as stack:
        writer = []

        def write(rows: list[Row]) -> None:
            table = pa.Table.from_pylist([_flat(row) for row in rows])
            if not writer:
                opened = pq.ParquetWriter(path, table.schema)
                writer.append(stack.enter_context(opened))
            writer[0].write_table(table)

        yield write
        if not writer:
            pq.write_table(pa.table({}), path)


@contextlib.contextmanager
def _avro(path: Path) -> Iterator[Callable]:
    with path.open("w+b") as file:
        schema = []

        def write(rows: list[Row]) -> None:
            if not schema:
                fields = [
                    {"name": name, "type": AVRO.get(type(value), AVRO_MAP)}
                    for name, value in rows[0].items()
                ]
                named = {"type": "record", "name": "prediction", "fields": fields}
                schema.append(fastavro.parse_schema(named))
            # To a file that is not empty, fastavro appends.
            fastavro.writer(file, schema[0], rows)

        yield write
        if not schema:
            nothing = {"type": "record", "name": "prediction", "fields": []}
            fastavro.writer(file, fastavro.parse_schema(nothing), [])


FORMATS = {".csv": _csv, ".parquet": _parquet, ".avro": _avro}
