"""Write a data set as Parquet, for use without TFDS.

examples:
  python -m data_builders export hits --output=hits_parquet
  python -m data_builders export sdss_sn_sim/laptop --output=sim --max_megabytes=64

  import pyarrow.parquet, numpy as np
  table = pyarrow.parquet.read_table("hits_parquet")   # or pandas, polars, DuckDB
  flux = np.array(table["flux"][0].as_py(), "f4")      # of the first object [t y x]
  print(table.schema.field("flux").metadata)           # its unit and meaning

One row per object, with the columns that `schema` shows, bit for bit; images are nested
lists. The metadata of each column hold its unit and meaning, those of the table the
survey's bands, classes and citation. The folder appears when it is complete.
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from data_builders.commands.arguments import add_data_set, add_folders
from data_builders.engine.schema import COLUMNS, Column, facts_of, unit_of
from data_builders.opening import open_records, prepare
from jaxastro.atomic_write import atomic_folder
from jaxastro.data.record import RECORD_TYPES
from jaxastro.errors import InputError
from jaxastro.surveys import Survey

MEGABYTE = 2**20
ROW_GROUP = 16 * MEGABYTE  # numbers that are written, and later read, at a time


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this sub-command."""
    add_data_set(parser)
    add_folders(parser)
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="folder to write; it must not exist",
    )
    parser.add_argument(
        "--format", choices=["parquet"], default="parquet", help="(default: parquet)"
    )
    parser.add_argument(
        "--max_megabytes",
        type=float,
        default=256,
        metavar="N",
        help="largest size of a file before compression (default: 256)",
    )


def run(options: argparse.Namespace) -> int:
    """Writes the files and prints their number and size."""
    if options.output.exists():
        raise InputError(
            f"{options.output} exists. A new folder is expected: an export never "
            "overwrites another. Move it away or choose another name."
        )
    builder = prepare(
        options.name, data_dir=options.data_dir, manual_dir=options.manual_dir
    )
    records, survey = open_records(builder), builder.survey
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(options.output) as folder:
        paths = write_parquet(
            folder,
            tqdm(records, desc="Exporting", leave=False, disable=None),
            survey,
            max_bytes=int(options.max_megabytes * MEGABYTE),
        )
        size = sum(path.stat().st_size for path in paths) / MEGABYTE
    print(
        f"{len(records):,} objects in {len(paths)} files, {size:.1f} MiB: "
        f"{options.output}"
    )
    return 0


def write_parquet(
    folder: Path, records: Iterable[tuple], survey: Survey, *, max_bytes: int
) -> list[Path]:
    """Writes records to files of about max_bytes each and returns the files.

    Args:
        folder: an existing empty folder.
        records: of the survey's kind; few are in memory at a time.
        max_bytes: of numbers in a file, before compression; an object is never split.
    """
    schema, paths, writer, room = parquet_schema(survey), [], None, 0
    text = [
        name for name, column in COLUMNS[survey.kind].items() if column.dtype is str
    ]
    try:
        for group, size in row_groups(records, min(ROW_GROUP, max_bytes)):
            if size > room:
                if writer:
                    writer.close()
                paths.append(folder / f"part-{len(paths):05d}.parquet")
                # Numbers rarely repeat: a dictionary of them would cost time alone.
                writer = pq.ParquetWriter(
                    paths[-1], schema, compression="zstd", use_dictionary=text
                )
                room = max_bytes
            room -= size
            writer.write_table(table_of(group, schema, survey))
    finally:
        if writer:
            writer.close()
    return paths


def row_groups(
    records: Iterable[tuple], max_bytes: int
) -> Iterator[tuple[list[tuple], int]]:
    """Yields records that are written together, with their size in bytes."""
    group, size = [], 0
    for record in records:
        added = sum(v.nbytes for v in record if isinstance(v, np.ndarray))
        if group and size + added > max_bytes:
            yield group, size
            group, size = [], 0
        group.append(record)
        size += added
    if group:
        yield group, size


def parquet_schema(survey: Survey) -> pa.Schema:
    """Returns the Parquet schema, with units, meanings and facts of the survey."""
    columns = COLUMNS[survey.kind]
    fields = []
    for name in RECORD_TYPES[survey.kind]._fields:
        column = columns[name]
        about = {
            "unit": unit_of(column, survey.unit),
            "description": column.meaning,
            "axes": " ".join(column.axes),
            "if_unknown": column.missing,
        }
        fields.append(pa.field(name, _type_of(column), nullable=False, metadata=about))
    about = {"survey": survey.name, "facts": json.dumps(facts_of(survey))}
    return pa.schema(fields, metadata=about)


def table_of(records: list[tuple], schema: pa.Schema, survey: Survey) -> pa.Table:
    """Returns records as the rows of a table."""
    arrays = []
    for name, column in ((n, COLUMNS[survey.kind][n]) for n in schema.names):
        values = [getattr(record, name) for record in records]
        arrays.append(
            pa.array(values, pa.string())
            if column.dtype is str
            else _nested([np.asarray(value, column.dtype) for value in values])
        )
    return pa.Table.from_arrays(arrays, schema=schema)


def _type_of(column: Column) -> pa.DataType:
    if column.dtype is str:
        return pa.string()
    kind = pa.from_numpy_dtype(column.dtype)
    for _ in column.axes:
        kind = pa.list_(kind)
    return kind


def _nested(arrays: list[np.ndarray]) -> pa.Array:
    """Returns arrays of equal rank as nested lists."""
    nested = pa.array(np.concatenate([array.ravel() for array in arrays]))
    for axis in reversed(range(arrays[0].ndim)):
        lengths = [
            np.full(np.prod(a.shape[:axis], dtype=int), a.shape[axis]) for a in arrays
        ]
        offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
        nested = pa.ListArray.from_arrays(offsets.astype(np.int32), nested)
    return nested
