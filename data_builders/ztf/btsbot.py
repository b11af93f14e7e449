"""Training set of BTSbot: ZTF alerts of bright transients and other objects.

The reader was tested on the example that BTSbot publishes, 39 alerts of 2 objects; the
layout of the complete set is that of Zenodo record 10839691. Data card: btsbot.md.
"""

import collections
import itertools
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow

from data_builders.engine.builder import SurveyBuilder
from data_builders.engine.raw import find_raw
from jaxastro.data.alert import DETECTION, Alert, HistoryRow, make_alert_record
from jaxastro.data.record import Reading
from jaxastro.data.sky import sky_groups
from jaxastro.data.text_table import columns_of
from jaxastro.errors import InputError, MissingFileError, RecordError
from jaxastro.surveys import SURVEYS
from jaxastro.units import MJD_ZERO, flux_error_of, flux_of

SURVEY = SURVEYS["btsbot"]
# train_cand_v10_N100_programid1.csv has train_triplets_v10_N100_programid1.npy.
TABLE = re.compile(r"(?P<split>[a-zA-Z]+)_cand(?:idates)?(?P<rest>(?:_\w+)?)\.csv")
SPLITS = ("train", "val", "test")  # the column published_split is the index
NEEDED = (
    "objectId",
    "candid",
    "label",
    "jd",
    "fid",
    "isdiffpos",
    "ra",
    "dec",
    "magpsf",
    "sigmapsf",
)
LABELS = {"1": "bright transient", "0": "not"}
BANDS = {"1": "g", "2": "r", "3": "i"}  # fid
SIGNS = {"t": 1, "true": 1, "1": 1, "f": -1, "false": -1, "0": -1}
UNKNOWN = -999.0  # ZTF's value for unknown numbers
# Values that BTSbot wrote for NaN, and outside of stamps at the edge of a chip.
FILLED = np.float32([0.0, 1e-9])[:, None, None]


class Part(NamedTuple):
    """One published split, and facts of all splits together."""

    split: str
    table: Path
    triplets: Path
    groups: dict[str, str]  # object -> its group on the sky
    nearby: dict[str, str]  # object -> one in the same group but in another split


class Btsbot(SurveyBuilder):
    """Alerts grouped by object, of all published splits together."""

    SURVEY = SURVEY
    DESCRIPTION = "ZTF alerts of bright transients and others, from BTSbot."
    HOMEPAGE = "https://zenodo.org/records/10839691"

    def parts(self, manual_dir: Path | None) -> list[Part]:
        """Returns the published splits."""
        folder = find_raw(
            "",
            survey="btsbot",
            manual_dir=manual_dir,
            source=(
                "zenodo.org/records/10839691: images_v10.zip and metadata_v10.zip, "
                "unpacked into one folder"
            ),
        )
        return parts_of(folder)

    def read_part(self, part: Part) -> Iterator[Reading]:
        """Yields the objects of a split."""
        return read_part(part)


def read(path: Path) -> Iterator[Reading]:
    """Yields the objects of a table and its triplets, or of all tables in a folder."""
    return itertools.chain.from_iterable(map(read_part, parts_of(Path(path))))


def recognises(path: Path) -> bool:
    """Returns whether a path is a table with triplets, or a folder of tables."""
    try:
        return bool(_tables(Path(path)))
    # A file of another format may raise any error.
    except Exception:  # noqa: BLE001
        return False


def parts_of(path: Path) -> list[Part]:
    """Returns the published splits at a path.

    Raises:
        MissingFileError: if there are none.
        InputError: if an object is in two splits.
    """
    tables = _tables(path)
    if not tables:
        raise MissingFileError(
            f"No table with triplets at {path}. Files like train_cand_v10_N100_"
            "programid1.csv and train_triplets_v10_N100_programid1.npy are expected. "
            "Unpack both archives of Zenodo record 10839691 into one folder."
        )
    places = {}  # object -> split, right ascension, declination
    for split, (file, _) in tables.items():
        table = _columns(file)
        names, first = np.unique(table["objectId"].to_numpy(), return_index=True)
        twice = [name for name in names if name in places]
        if twice:
            raise InputError(
                f"{file.name}: {len(twice)} of its objects are also in the published "
                f"{places[twice[0]][0]} split: {', '.join(twice[:5])}. An object is in "
                "one split. Remove one of the files, or these objects."
            )
        for name, row in zip(names, table.take(first).to_pylist(), strict=True):
            places[name] = split, _number(row["ra"]), _number(row["dec"])
    groups = sky_groups(*([place[i] for place in places.values()] for i in (1, 2)))
    groups = dict(zip(places, groups, strict=True))
    members = collections.defaultdict(list)
    for name, group in groups.items():
        members[group].append(name)
    nearby = {
        name: f"{other} of the published {places[other][0]} split"
        for group in members.values()
        for name, other in itertools.permutations(group, 2)
        if places[name][0] != places[other][0]
    }
    return [Part(split, *files, groups, nearby) for split, files in tables.items()]


def read_part(part: Part) -> Iterator[Reading]:
    """Yields the objects of a published split; memory holds one at a time.

    Raises:
        InputError: if the table or the triplets cannot be read.
    """
    table = _columns(part.table, tuple(name for name, _ in SURVEY.columns))
    triplets = _opened(part.triplets, rows=table.num_rows)
    names, which = np.unique(table["objectId"].to_numpy(), return_inverse=True)
    order = np.argsort(which, kind="stable")  # rows of one object are adjacent
    table = table.take(order).combine_chunks()
    start = 0
    for name, count in zip(names, np.bincount(which), strict=True):
        rows, mine = order[start : start + count], table.slice(start, count)
        yield _reading(name, part, rows, mine.to_pylist(), triplets)
        start += count


def _reading(name: str, part: Part, rows, table: list[dict], triplets) -> Reading:
    """Returns one object from the rows of its alerts."""
    where, notes = f"Object {name} ({part.table.name})", []
    labels = sorted({str(row["label"]) for row in table})
    if len(labels) > 1 or labels[0] not in LABELS:
        problem = f"its labels are {', '.join(labels)}; one of 0 and 1 is expected"
        return Reading(name, None, (f"{where}: {problem}. Correct the table.",))
    if not all(str(row["candid"]).isdecimal() for row in table):
        # In the published example, many alerts have the same rounded number.
        notes.append("the table rounds candid: alerts are numbered by their rows.")
        for number, row in zip(rows.tolist(), table, strict=True):
            row["candid"] = number
    if name in part.nearby:
        notes.append(f"within 2 arcsec of {part.nearby[name]}: same group.")
    try:
        alerts, history = zip(
            *(
                _alert(row, triplets[number], part.split)
                for number, row in zip(rows.tolist(), table, strict=True)
            ),
            strict=True,
        )
        record, repairs = make_alert_record(
            name,
            SURVEY,
            alerts=alerts,
            history=history,
            label=LABELS[labels[0]],
            label_source="catalogue",
            ra=alerts[0].metadata["ra"],
            dec=alerts[0].metadata["dec"],
            group=part.groups[name],
        )
    except (RecordError, ValueError) as error:
        return Reading(name, None, (f"{where}: {error}",))
    return Reading(name, record, (*notes, *repairs))


def _alert(row: dict, triplet: np.ndarray, split: str) -> tuple[Alert, HistoryRow]:
    if row["fid"] not in BANDS or str(row["isdiffpos"]).lower() not in SIGNS:
        raise RecordError(
            f"an alert with fid {row['fid']!r} and isdiffpos {row['isdiffpos']!r}. "
            "One of 1, 2, 3 and one of t, f are expected. Correct the table."
        )
    sign = SIGNS[row["isdiffpos"].lower()]
    flux = flux_of(_number(row["magpsf"]))
    error = flux_error_of(flux, _number(row["sigmapsf"]))
    science, template, difference = np.moveaxis(triplet.astype(np.float32), -1, 0)
    stamps = science, template, sign * difference
    metadata = {name: _number(row.get(name)) for name, _ in SURVEY.columns}
    metadata["published_split"] = SPLITS.index(split) if split in SPLITS else np.nan
    mjd, band = _number(row["jd"]) - MJD_ZERO, BANDS[row["fid"]]
    alert = Alert(
        alert_id=int(row["candid"]),
        mjd=mjd,
        band=band,
        stamps=tuple(np.where((s == FILLED).any(0), np.nan, s) for s in stamps),
        metadata=metadata,
    )
    return alert, HistoryRow(mjd, band, DETECTION, sign * flux, error)


def _number(text: str | None) -> float:
    """Returns a number of the table, NaN if it is unknown."""
    number = float(text) if text else math.nan
    return math.nan if number == UNKNOWN else number


def _tables(path: Path) -> dict[str, tuple[Path, Path]]:
    """Returns split -> table and triplets, of all splits at a path that have both."""
    files = [path] if path.is_file() else sorted(path.rglob("*.csv"))
    folder, found = path.parent if path.is_file() else path, {}
    for file in files:
        match = TABLE.fullmatch(file.name)
        if not match:
            continue
        stem = f"{match['split']}_triplets{match['rest']}"
        triplets = sorted(folder.rglob(f"{stem}.np[yz]"))
        if triplets and match["split"] in found:
            raise InputError(
                f"{folder}: two tables of the split {match['split']}: {file.name} and "
                f"{found[match['split']][0].name}. One version of the set is expected. "
                "Move the other to another folder."
            )
        if triplets:
            found[match["split"]] = file, triplets[0]
    return found


def _columns(file: Path, optional: tuple[str, ...] = ()) -> pyarrow.Table:
    """Returns the columns NEEDED, and further ones that the table has, as text."""
    try:
        return columns_of(file, NEEDED, optional)
    except (InputError, OSError) as error:
        raise InputError(
            f"{file}: no table of alerts: {error}. Columns {', '.join(NEEDED)} are "
            "expected. Download the file again."
        ) from error


def _opened(file: Path, *, rows: int) -> np.ndarray:
    """Returns the triplets, which are read from disk when they are used."""
    try:
        # Without allow_pickle=False an untrusted file could run code.
        triplets = np.load(file, mmap_mode="r", allow_pickle=False)
        if file.suffix == ".npz":
            triplets = triplets["triplets"]
    # A damaged file may raise any error.
    except Exception as error:
        raise InputError(
            f"{file}: damaged or unsafe array file: {error}. Plain numbers of shape "
            "[alerts, 63, 63, 3] are expected. Download the file again."
        ) from error
    size = SURVEY.image_size
    if triplets.shape != (rows, size, size, 3) or triplets.dtype.kind != "f":
        raise InputError(
            f"{file}: triplets of shape {triplets.shape} and type {triplets.dtype}. "
            f"Its table has {rows} rows, so ({rows}, {size}, {size}, 3) real numbers "
            "are expected. Table and triplets must be of one version: download both "
            "again."
        )
    return triplets
