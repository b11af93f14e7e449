"""Predictions of new objects as a table: in memory, and as CSV, Parquet or Avro."""

import contextlib
import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from jaxastro.atomic_write import atomic_path
from jaxastro.data.csv_escaping import escape_cell, unescape_cell
from jaxastro.data.hierarchy import levels_of, node_probabilities
from jaxastro.errors import InputError, MissingFileError, MissingPackageError

# Columns that hold one number per name -> the prefix of those names in flat tables.
PREFIX = {"probability": "p", "hierarchy": "p", "spread": "spread"}
AVRO = {"U": "string", "i": "long", "f": "double"}
AVRO_MAP = {"type": "map", "values": "double"}
DAMAGED = (ValueError, EOFError, LookupError)  # what readers of tables raise


@dataclass(frozen=True)
class PredictionTable:
    """Class probabilities of objects, in the order in which they were given.

    Axes: o objects (or alerts), c classes, d features.
    """

    classes: tuple[str, ...]
    object_id: np.ndarray  # o  str
    probability: np.ndarray  # o c  float64; rows sum to one
    embedding: np.ndarray  # o d  float32
    # Standard deviation of the probability over sampled networks, or over the members
    # of an ensemble; o 0 where there is one network.
    spread: np.ndarray  # o c
    hierarchy: dict[str, np.ndarray]  # name above the classes -> c bool, its classes
    alert_id: np.ndarray | None = None  # o  int64, of a table with a row per alert
    mjd: np.ndarray | None = None  # o  float64, days, of the alert
    set_aside: tuple[tuple[str, str], ...] = ()  # (object, reason): not classified

    def __repr__(self) -> str:
        """Returns what it is, in one line."""
        return f"PredictionTable({len(self)} rows, classes {', '.join(self.classes)})"

    def __len__(self) -> int:
        """Returns the number of rows."""
        return len(self.object_id)

    @property
    def predicted(self) -> np.ndarray:
        """The most probable class of each object [o], str."""
        return np.array(self.classes)[self.probability.argmax(axis=1)]

    def columns(self) -> dict[str, Any]:
        """Returns the columns of the written table, in their order.

        `probability`, `hierarchy` and `spread` are dictionaries from a name to [o].
        """
        found: dict[str, Any] = {"object_id": self.object_id}
        if self.alert_id is not None:
            found |= {"alert_id": self.alert_id, "mjd": self.mjd}
        found["predicted"] = self.predicted
        for number, level in enumerate(
            levels_of(self.classes, self.hierarchy)[:-1], start=1
        ):
            sums = node_probabilities(self.probability, level)
            names = np.array(list(level))
            found[f"predicted_level{number}"] = names[sums.argmax(axis=1)]
        above = node_probabilities(self.probability, self.hierarchy)
        for name, numbers, of in (
            ("probability", self.probability, self.classes),
            ("hierarchy", above, tuple(self.hierarchy)),
            ("spread", self.spread, self.classes),
        ):
            if numbers.size and of:
                found[name] = dict(zip(of, numbers.T, strict=True))
        return found

    def to_arrow(self) -> pa.Table:
        """Returns the table with a column p_CLASS for each probability."""
        return pa.table(
            {name: pa.array(column) for name, column in _flat(self.columns()).items()}
        )

    def to_pandas(self):
        """Returns the same table as a pandas DataFrame.

        Raises:
            MissingPackageError: if pandas is not installed.
        """
        try:
            import pandas  # noqa: F401
        except ModuleNotFoundError as error:
            raise MissingPackageError(
                "A DataFrame needs pandas. Install it with: pip install pandas"
            ) from error
        return self.to_arrow().to_pandas()

    def write(self, path: Path | str) -> None:
        """Writes the table as .csv, .parquet or .avro, whole or not at all.

        Raises:
            InputError: if the name ends in anything else.
        MissingFileError: if its folder does not exist.
        """
        with prediction_writer(Path(path)) as append:
            append(self)


def without_nan(table: PredictionTable) -> tuple[PredictionTable, list[str]]:
    """Returns the table without rows that are not finite, and the names of those."""
    columns = table.probability, table.embedding, table.spread
    finite = np.all([np.isfinite(column).all(axis=1) for column in columns], axis=0)
    if finite.all():
        return table, []
    names = ("object_id", "probability", "embedding", "spread", "alert_id", "mjd")
    rows: dict[str, Any] = {
        name: None if getattr(table, name) is None else getattr(table, name)[finite]
        for name in names
    }
    return replace(table, **rows), table.object_id[~finite].tolist()


def concatenate(tables: Sequence[PredictionTable]) -> PredictionTable:
    """Returns the rows of several tables of one run; there is at least one table."""
    first = tables[0]

    def join(name: str):
        parts = [getattr(table, name) for table in tables]
        return None if parts[0] is None else np.concatenate(parts)

    names = ("object_id", "probability", "embedding", "spread", "alert_id", "mjd")
    set_aside = tuple(row for table in tables for row in table.set_aside)
    return replace(first, **{name: join(name) for name in names}, set_aside=set_aside)


def check_output(path: Path) -> None:
    """Refuses a path that predictions cannot be written to.

    Raises:
        InputError: if it is a folder, or of another kind of file.
        MissingFileError: if its folder does not exist.
    """
    if path.suffix not in FORMATS or (path.exists() and not path.is_file()):
        raise InputError(
            f"{path} is no file that predictions can be written to. Give one that ends "
            f"in {', '.join(FORMATS)}."
        )
    if not path.parent.is_dir():
        raise MissingFileError(
            f"{path} cannot be written: there is no folder {path.parent}. Make it, or "
            "choose another."
        )


@contextlib.contextmanager
def prediction_writer(path: Path) -> Iterator[Callable[[PredictionTable], None]]:
    """Gives a function that appends a table's rows to a new file.

    Rows go to PATH.partial as they come, and at the end to PATH: whole or not at all.
    Memory holds those of one call.

    Raises:
        InputError: if the path is of another kind of file, or of none.
        MissingFileError: if its folder does not exist.
    """
    check_output(path)
    with atomic_path(path) as partial, FORMATS[path.suffix](partial) as write:
        yield lambda table: write(table.columns())


def read_predictions(path: Path) -> dict[str, list]:
    """Returns the columns of a file of predictions, one for each class.

    From a CSV, names are as they were before they were escaped, an alert_id is text,
    and probabilities have six digits.

    Raises:
        InputError: if it is of another kind, or cannot be read; says what to do.
    """
    try:
        if path.suffix == ".parquet":
            return pq.read_table(path).to_pydict()
        if path.suffix == ".avro":
            with path.open("rb") as file:
                rows = [_flat(dict(row)) for row in fastavro.reader(file)]  # type: ignore[arg-type]
            return {name: [row[name] for row in rows] for name in (rows or [{}])[0]}
        if path.suffix == ".csv":
            as_text = {name: pa.string() for name in ("object_id", "alert_id")}
            found = pyarrow.csv.read_csv(
                path,
                convert_options=pyarrow.csv.ConvertOptions(column_types=as_text),
            ).to_pydict()
            names = {name: found[name] for name in found if name == "object_id"}
            return found | {n: list(map(unescape_cell, names[n])) for n in names}
    except (*DAMAGED, fastavro.schema.SchemaParseException) as error:
        raise InputError(
            f"{path} cannot be read as a table of predictions: {error} Give a file "
            "that `jaxastro predict` wrote."
        ) from error
    raise InputError(
        f"{path} is no file of predictions. Give one that ends in {', '.join(FORMATS)}."
    )


def _flat(columns: dict[str, Any]) -> dict[str, Any]:
    """Returns columns, or a row, with an entry for each class in place of a map."""
    flat: dict[str, Any] = {}
    for name, value in columns.items():
        if name in PREFIX:
            flat |= {f"{PREFIX[name]}_{of}": number for of, number in value.items()}
        else:
            flat[name] = value
    return flat


@contextlib.contextmanager
def _csv(path: Path) -> Iterator[Callable]:
    with path.open("w", newline="") as file:
        table = csv.writer(file)

        def write(columns: dict[str, Any]) -> None:
            flat = _flat(columns)
            if not file.tell():
                table.writerow(flat)
            table.writerows(zip(*map(_cells, flat.values()), strict=True))
            file.flush()  # a program that follows the file sees whole lines

        yield write


def _cells(column: np.ndarray) -> list:
    if column.dtype.kind == "f":
        return [f"{value:.6f}" for value in column]
    if column.dtype.kind == "U":
        return [escape_cell(str(value)) for value in column]
    return column.tolist()


@contextlib.contextmanager
def _parquet(path: Path) -> Iterator[Callable]:
    with contextlib.ExitStack() as stack:
        writer: list[pq.ParquetWriter] = []

        def write(columns: dict[str, Any]) -> None:
            flat = _flat(columns)
            table = pa.table({name: pa.array(value) for name, value in flat.items()})
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
        schema: list[Any] = []

        def write(columns: dict[str, Any]) -> None:
            if not schema:
                fields = [
                    {
                        "name": name,
                        "type": AVRO_MAP
                        if isinstance(column, dict)
                        else AVRO[column.dtype.kind],
                    }
                    for name, column in columns.items()
                ]
                named = {"type": "record", "name": "prediction", "fields": fields}
                schema.append(fastavro.parse_schema(named))
            # To a file that is not empty, fastavro appends.
            fastavro.writer(file, schema[0], _rows(columns))

        yield write
        if not schema:
            nothing = {"type": "record", "name": "prediction", "fields": []}
            fastavro.writer(file, fastavro.parse_schema(nothing), [])


def _rows(columns: dict[str, Any]) -> Iterator[dict]:
    """Yields rows of Python values; maps stay maps."""
    plain = {
        name: {of: numbers.tolist() for of, numbers in column.items()}
        if isinstance(column, dict)
        else column.tolist()
        for name, column in columns.items()
    }
    for i in range(len(plain["object_id"])):
        yield {
            name: {of: numbers[i] for of, numbers in column.items()}
            if isinstance(column, dict)
            else column[i]
            for name, column in plain.items()
        }


FORMATS = {".csv": _csv, ".parquet": _parquet, ".avro": _avro}
