"""Alert packets of ZTF that one core reads a second, and where the time goes.

    python -m benchmarks.alerts [--raw FOLDER] [--repeats 7] [--json]

From the bytes of the files, in memory, to float32 stamps, metadata and points of light
curves; beside it fastavro and astropy, which are spared the containers, the parsing of
schemas and the points. Both read every packet alike, bit for bit, or nothing is timed.
Seconds are of one core's time: what other programs do at the same time hardly counts.
"""

import collections
import gzip
import io
import json
import os
import time
import tracemalloc
import warnings
import zlib
from pathlib import Path

import fastavro
import numpy as np
from astropy.io import fits

from benchmarks import result
from data_builders.ztf.ztf_alerts import SURVEY, full_reader
from jaxastro.alerts.archive import alert_files, containers_in
from jaxastro.alerts.container import read_packets
from jaxastro.alerts.ztf import CUTOUTS, JPEG, read_packet
from jaxastro.alerts.ztf_stamp import read_stamp
from jaxastro.errors import InputError

MIN_PACKETS = 200  # that a repeat reads at least: rare schemas are read several times


def containers(folder: Path) -> list[bytes]:
    """Returns the containers of a folder, those of archives too."""
    found = [
        one.stream.read()
        for file in alert_files(folder)
        for one in containers_in(file, file.name)
        if one.stream is not None
    ]
    if not found:
        raise SystemExit(f"No alerts in {folder}. Give a folder of ZTF's as --raw.")
    return found


def read_ours(files: list[bytes]) -> list:
    """Reads packets as the builder does."""
    return [
        read_packet(packet.row, SURVEY)
        for file in files
        for packet in read_packets(io.BytesIO(file), full_reader)
    ]


def read_plainly(packets: list[tuple]) -> list[tuple]:
    """Reads packets whole, with fastavro, and their stamps with astropy."""
    read = []
    for schema, raw in packets:
        row = fastavro.schemaless_reader(io.BytesIO(raw), schema)
        stored = [(row[name] or {}).get("stampData") for name in CUTOUTS]
        read.append((row, [plain_stamp(s) for s in stored]))
    return read


def plain_stamp(stored: bytes | None) -> np.ndarray | None:
    """Returns a stamp as astropy reads it."""
    if not stored or stored.startswith(JPEG):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ZTF's headers bend the standard
        with fits.open(io.BytesIO(gzip.decompress(stored))) as hdus:
            return hdus[0].data.astype(np.float32)


def stored_stamps(row: dict) -> list[bytes]:
    """Returns the stamps of a packet that are images, as they are stored."""
    stored = [(row[name] or {}).get("stampData") for name in CUTOUTS]
    return [stamp for stamp in stored if stamp and not stamp.startswith(JPEG)]


def check_equal(ours, theirs) -> None:
    """Raises ValueError unless all that we read is what fastavro read."""
    if isinstance(ours, dict):
        for name, value in ours.items():
            check_equal(value, theirs[name])
    elif isinstance(ours, list):
        for one, other in zip(ours, theirs, strict=True):
            check_equal(one, other)
    elif ours != theirs and ours == ours:  # NaN is not itself
        raise InputError(f"We read {ours!r:.100}, fastavro {theirs!r:.100}.")


def load(folder: Path) -> tuple[dict, int]:
    """Returns schema -> its files, packets and rows, and how many stamps were equal.

    Raises:
        ValueError: if both ways do not read the same, bit for bit.
    """
    by_schema, num_stamps = collections.defaultdict(lambda: ([], [], [])), 0
    for file in containers(folder):
        packets = list(read_packets(io.BytesIO(file), full_reader))
        schema = fastavro.parse_schema(json.loads(packets[0].schema))
        raw = [(schema, packet.raw) for packet in packets]
        read = read_plainly(raw)
        for packet, (row, stamps) in zip(packets, read, strict=True):
            check_equal(packet.row, row)
            ours = [read_stamp(stored).tobytes() for stored in stored_stamps(row)]
            if ours != [stamp.tobytes() for stamp in stamps if stamp is not None]:
                raise InputError(f"A stamp of {row['candid']} differs from astropy's.")
            num_stamps += len(ours)
        for name in (read[0][0].get("schemavsn", "1"), "all"):
            for so_far, more in zip(
                by_schema[name], ([file], raw, [p.row for p in packets]), strict=True
            ):
                so_far.extend(more)
    return by_schema, num_stamps


def rate(read, things: list, *, count: int, repeats: int) -> result.Spread:
    """Returns packets a second."""
    read(things)  # the first also compiles schemas
    rounds, rates = -(-MIN_PACKETS // count), []
    for _ in range(repeats):
        start = time.process_time()
        for _ in range(rounds):
            read(things)
        rates.append(rounds * count / (time.process_time() - start))
    return result.spread_of(rates)


def peak_mebibytes(read, things: list) -> float:
    """Returns the most memory that reading one thing after the other takes."""
    tracemalloc.start()
    for thing in things:
        read([thing])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def stages(files: list[bytes], rows: list[dict], repeats: int) -> dict:
    """Returns how long each stage takes of a packet, milliseconds."""
    stored = [stamp for row in rows for stamp in stored_stamps(row)]
    work = {
        "container and Avro": lambda _: [
            list(read_packets(io.BytesIO(file), full_reader)) for file in files
        ],
        "gunzip": lambda _: [zlib.decompress(stamp, 31) for stamp in stored],
        "gunzip and FITS": lambda _: [read_stamp(stamp) for stamp in stored],
        "Avro row to alert and points": lambda _: [
            read_packet(r, SURVEY) for r in rows
        ],
    }
    spent = {
        name: 1000 / rate(read, rows, count=len(rows), repeats=repeats).median
        for name, read in work.items()
    }
    spent["Avro row to alert and points"] -= spent["gunzip and FITS"]
    spent["FITS"] = spent.pop("gunzip and FITS") - spent["gunzip"]
    return spent


def measure(folder: Path, repeats: int) -> tuple[list[result.Row], dict]:
    """Returns all that this benchmark measures, and what a reader must know of it."""
    by_schema, num_stamps = load(folder)
    rows = []
    for name, (files, raw, _) in sorted(by_schema.items()):
        known = {"count": len(raw), "repeats": repeats}
        ours, plain = rate(read_ours, files, **known), rate(read_plainly, raw, **known)
        measures = {
            "kB a packet": sum(map(len, files)) / len(raw) / 1000,
            "packets/s": ours,
            "fastavro + astropy, packets/s": plain,
            "time / theirs": plain.median / ours.median,
        }
        rows.append(result.Row({"schema": name, "packets": len(raw)}, measures))
    files, raw, packets = by_schema["all"]
    for name, spent in stages(files, packets, repeats).items():
        rows.append(result.Row({"stage": name}, {"ms a packet": spent}))
    for name, read, things in (
        ("ours", read_ours, files),
        ("fastavro + astropy", read_plainly, raw),
    ):
        peak = {"peak MiB": peak_mebibytes(read, things)}
        rows.append(result.Row({"read by": name}, peak))
    largest = max(map(len, files)) / 2**20
    return rows, {"equal stamps": num_stamps, "largest file, MiB": round(largest, 1)}


def main() -> None:
    """Runs the command."""
    parser = result.parser_of(__doc__, repeats=7)
    beside = os.environ.get("JAXASTRO_DATA", ".")
    parser.add_argument("--raw", type=Path, default=Path(beside) / "ztf_alerts")
    given = parser.parse_args()
    rows, about = measure(given.raw, given.repeats)
    result.show(rows, as_json=given.json, about=about)


if __name__ == "__main__":
    main()
