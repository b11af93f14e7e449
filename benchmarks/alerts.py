"""Alert packets of ZTF that one core reads per second, and the time of each stage.

    python -m benchmarks.alerts [--raw FOLDER] [--repeats 7] [--json]

From the bytes of the files, in memory, to float32 stamps, metadata and points of light
curves. Compared with fastavro and astropy, whose time excludes containers, the parsing
of schemas and the points. Both must read every packet alike, bit for bit, before they
are timed. Seconds are processor time, which other programs hardly affect.
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
from jaxastro.alerts.archive import alert_files, containers_in
from jaxastro.alerts.container import read_packets
from jaxastro.alerts.ztf import CUTOUTS, JPEG, packet_reader, read_packet
from jaxastro.alerts.ztf_stamp import read_stamp
from jaxastro.errors import InputError
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["ztf_alerts"]
MIN_PACKETS = 200  # per repeat, at least: those of rare schemas are read repeatedly


def containers(folder: Path) -> list[bytes]:
    """Returns the containers of a folder, those of archives too."""
    found = [
        one.stream.read()
        for file in alert_files(folder)
        for one in containers_in(file, file.name)
        if one.stream is not None
    ]
    if not found:
        raise SystemExit(
            f"No alerts in {folder}. Give a folder of ZTF alerts as --raw."
        )
    return found


def read_with_jaxastro(files: list[bytes]) -> list:
    """Returns packets as the builder reads them."""
    return [
        read_packet(packet.row, SURVEY)
        for file in files
        for packet in read_packets(io.BytesIO(file), packet_reader)
    ]


def read_with_fastavro(packets: list[tuple]) -> list[tuple]:
    """Returns packets as fastavro reads them, with stamps as astropy does."""
    read = []
    for schema, raw in packets:
        row = fastavro.schemaless_reader(io.BytesIO(raw), schema)
        stored = [(row[name] or {}).get("stampData") for name in CUTOUTS]
        read.append((row, [stamp_by_astropy(s) for s in stored]))
    return read


def stamp_by_astropy(stored: bytes | None) -> np.ndarray | None:
    """Returns a stamp as astropy reads it."""
    if not stored or stored.startswith(JPEG):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # headers of ZTF violate the standard
        with fits.open(io.BytesIO(gzip.decompress(stored))) as hdus:
            return hdus[0].data.astype(np.float32)


def stored_stamps(row: dict) -> list[bytes]:
    """Returns the stamps of a packet that are images, as they are stored."""
    stored = [(row[name] or {}).get("stampData") for name in CUTOUTS]
    return [stamp for stamp in stored if stamp and not stamp.startswith(JPEG)]


def check_equal(found, expected) -> None:
    """Raises InputError unless jaxastro read what fastavro read."""
    if isinstance(found, dict):
        for name, value in found.items():
            check_equal(value, expected[name])
    elif isinstance(found, list):
        for one, other in zip(found, expected, strict=True):
            check_equal(one, other)
    elif found != expected and found == found:  # NaN differs from itself
        raise InputError(f"jaxastro reads {found!r:.100}, fastavro {expected!r:.100}.")


def load(folder: Path) -> tuple[dict, int]:
    """Returns by schema files, packets and rows; and the number of equal stamps.

    Raises:
        InputError: if the two ways do not read the same, bit for bit.
    """
    by_schema, num_stamps = collections.defaultdict(lambda: ([], [], [])), 0
    for file in containers(folder):
        packets = list(read_packets(io.BytesIO(file), packet_reader))
        schema = fastavro.parse_schema(json.loads(packets[0].schema))
        raw = [(schema, packet.raw) for packet in packets]
        read = read_with_fastavro(raw)
        for packet, (row, stamps) in zip(packets, read, strict=True):
            check_equal(packet.row, row)
            read_stamps = [read_stamp(one).tobytes() for one in stored_stamps(row)]
            expected = [stamp.tobytes() for stamp in stamps if stamp is not None]
            if read_stamps != expected:
                raise InputError(f"A stamp of {row['candid']} differs from astropy's.")
            num_stamps += len(expected)
        for name in (read[0][0].get("schemavsn", "1"), "all"):
            for so_far, more in zip(
                by_schema[name], ([file], raw, [p.row for p in packets]), strict=True
            ):
                so_far.extend(more)
    return by_schema, num_stamps


def rate(read, inputs: list, *, count: int, repeats: int) -> result.Spread:
    """Returns packets per second."""
    read(inputs)  # the first also compiles schemas
    rounds, rates = -(-MIN_PACKETS // count), []
    for _ in range(repeats):
        start = time.process_time()
        for _ in range(rounds):
            read(inputs)
        rates.append(rounds * count / (time.process_time() - start))
    return result.spread_of(rates)


def peak_mebibytes(read, inputs: list) -> float:
    """Returns the largest memory while the inputs are read one after the other."""
    tracemalloc.start()
    for one in inputs:
        read([one])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def stages(files: list[bytes], rows: list[dict], repeats: int) -> dict:
    """Returns the milliseconds of each stage per packet."""
    stored = [stamp for row in rows for stamp in stored_stamps(row)]
    work = {
        "container and Avro": lambda _: [
            list(read_packets(io.BytesIO(file), packet_reader)) for file in files
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
    """Returns the rows, and facts on the packets."""
    by_schema, num_stamps = load(folder)
    rows = []
    for name, (files, raw, _) in sorted(by_schema.items()):
        settings = {"count": len(raw), "repeats": repeats}
        own = rate(read_with_jaxastro, files, **settings)
        other = rate(read_with_fastavro, raw, **settings)
        measures = {
            "kB per packet": sum(map(len, files)) / len(raw) / 1000,
            "jaxastro, packets/s": own,
            "fastavro + astropy, packets/s": other,
            "time / fastavro + astropy": other.median / own.median,
        }
        rows.append(result.Row({"schema": name, "packets": len(raw)}, measures))
    files, raw, packets = by_schema["all"]
    for name, spent in stages(files, packets, repeats).items():
        rows.append(result.Row({"stage": name}, {"ms per packet": spent}))
    for name, read, inputs in (
        ("jaxastro", read_with_jaxastro, files),
        ("fastavro + astropy", read_with_fastavro, raw),
    ):
        peak = {"peak MiB": peak_mebibytes(read, inputs)}
        rows.append(result.Row({"read by": name}, peak))
    largest = max(map(len, files)) / 2**20
    return rows, {"equal stamps": num_stamps, "largest file, MiB": round(largest, 1)}


def main() -> None:
    """Runs the command."""
    parser = result.parser_of(__doc__, repeats=7)
    folder = Path(os.environ.get("JAXASTRO_DATA", ".")) / "ztf_alerts"
    parser.add_argument("--raw", type=Path, default=folder, help="of ZTF alerts")
    given = parser.parse_args()
    rows, about = measure(given.raw, given.repeats)
    result.show(rows, as_json=given.json, about=about)


if __name__ == "__main__":
    main()
