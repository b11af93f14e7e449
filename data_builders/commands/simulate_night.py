"""Simulate the ZTF alerts of one night, to test a broker or a trained run.

examples:
  python -m data_builders simulate-night --objects=2000 --output=night.tar.gz
  python -m data_builders simulate-night --objects=500 --seed=7 --output=night.avro
  python -m data_builders simulate-night --objects=60 --night=60100 --output=FOLDER
  jaxastro predict --workdir=RUN --input=night.tar.gz --output=night.csv --each_alert

Writes packets of schema 4.02 in order of time, each with three stamps and the history
of the 30 days before. Each object has the alerts of one night, mostly one or two. The
true classes are written to OUTPUT.truth.csv; its alert_id is that of the packets and of
`jaxastro predict`.
"""

import argparse
import contextlib
import csv
import gzip
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, NamedTuple

from tqdm import tqdm

from data_builders.commands.arguments import whole_number
from data_builders.engine.processes import read_in_order
from data_builders.ztf.ztf_alerts_sim import PART_SIZE, packets_of
from jaxastro.alerts.ztf_write import block_of, encode, write_encoded
from jaxastro.atomic_write import atomic_folder, atomic_write
from jaxastro.errors import FileAccessError, InputError
from jaxastro.simulation.alerts import KINDS
from jaxastro.simulation.night import alerts_of_night
from jaxastro.units import MJD_OF_UNIX_TIME_ZERO, MJD_ZERO

COLUMNS = ("object_id", "alert_id", "class", "kind")  # of the table of true classes
FIRST_NIGHT, LAST_NIGHT = 50001, 99999  # MJD that the readers of alerts accept


class SimulatedAlert(NamedTuple):
    """One alert of the night."""

    jd: float  # Julian date
    alert_id: int
    truth: tuple  # its row of the table of true classes
    packet: bytes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this sub-command."""
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="PATH",
        help="a new folder, or a file: .tar or .tar.gz (one Avro container per alert, "
        "like ZTF's public nights), .avro (one container)",
    )
    parser.add_argument(
        "--objects",
        type=whole_number("objects", 1, 10**7),
        default=2000,
        help="number of objects (default: 2000)",
    )
    parser.add_argument(
        "--seed",
        type=whole_number("seed", 0, 2**63),
        default=99,
        help="seed of the simulation; 0 is that of the training data (default: 99)",
    )
    parser.add_argument(
        "--night",
        type=whole_number("night", FIRST_NIGHT, LAST_NIGHT),
        default=59900,
        metavar="MJD",
        help="modified Julian date, a whole number (default: 59900)",
    )
    parser.add_argument(
        "--processes",
        type=whole_number("processes", 1, 1000),
        default=1,
        help="processes that simulate at the same time (default: 1)",
    )


def run(options: argparse.Namespace) -> int:
    """Writes the night and prints the number of alerts and objects."""
    try:
        count, undetected = write_night(
            options.output,
            objects=options.objects,
            seed=options.seed,
            night=options.night,
            processes=options.processes,
        )
    except OSError as error:
        raise FileAccessError(
            f"{options.output} cannot be written: {error.strerror}. A path in an "
            "existing folder is expected. Make the folder or choose another."
        ) from error
    detected = options.objects - undetected
    print(f"{count} alerts of {detected} objects written to {options.output}")
    if undetected:
        print(f"{undetected} objects were never detected and have no alert.")
    print(f"Their classes: {truth_path(options.output)}")
    return 0


def simulate_part(
    numbers: range, *, seed: int, night: int
) -> Iterator[list[SimulatedAlert]]:
    """Yields the alerts of each object, an empty list if it was not detected."""
    for number in numbers:
        kind, packets = packets_of(number, seed=seed)
        if packets:
            packets = alerts_of_night(packets, night, number=number, seed=seed)
        alerts = []
        for packet in packets:
            truth = packet["objectId"], packet["candid"], KINDS[kind][0], kind
            jd = packet["candidate"]["jd"]
            alerts.append(SimulatedAlert(jd, packet["candid"], truth, encode(packet)))
        yield alerts


def write_night(
    output: Path, *, objects: int, seed: int, night: int, processes: int = 1
) -> tuple[int, int]:
    """Writes the alerts of a night in order of time, and a table of true classes.

    Packets are kept in a temporary file until they are sorted; memory holds one row per
    packet.

    Returns: the number of alerts, and of objects that were not detected.
    Raises:
        InputError: if the output has an unknown suffix or is a folder with files.
    """
    open_output = writer_of(output)
    parts = [range(objects)[i : i + PART_SIZE] for i in range(0, objects, PART_SIZE)]
    simulate = partial(simulate_part, seed=seed, night=night)
    with tempfile.TemporaryFile(dir=output.parent) as packets:
        rows, undetected = [], 0
        simulated = read_in_order(
            simulate, parts, processes=processes, folder=str(output.parent)
        )
        for alerts in tqdm(
            simulated, "Simulating", objects, unit=" objects", disable=None
        ):
            undetected += not alerts
            for jd, alert_id, truth, packet in alerts:
                rows.append((jd, alert_id, truth, packets.tell(), len(packet)))
                packets.write(packet)
        rows.sort()
        with (
            open_output(output) as write,
            atomic_write(truth_path(output), newline="") as table,
        ):
            csv.writer(table).writerows([COLUMNS, *(row[2] for row in rows)])
            for number, (jd, alert_id, _, start, size) in enumerate(
                tqdm(rows, "Writing", unit=" alerts", disable=None)
            ):
                packets.seek(start)
                write(number, jd, alert_id, packets.read(size))
    return len(rows), undetected


def truth_path(output: Path) -> Path:
    """Returns the path of the table of true classes."""
    return output.with_name(f"{output.name}.truth.csv")


# -- output formats --------------------------------------------------------------------


def writer_of(output: Path) -> Callable:
    """Returns the function that opens an output of this name.

    Raises:
        InputError: if the suffix is unknown, or the output is a folder with files.
    """
    if output.is_dir() and any(output.iterdir()):
        raise InputError(
            f"{output} is a folder that contains files. A new folder is expected, or "
            f"a file that ends in {', '.join(FORMATS)}. Choose another."
        )
    for suffix, open_output in FORMATS.items():
        if output.name.endswith(suffix) and not output.is_dir():
            return open_output
    if output.suffix:
        raise InputError(
            f"{output} has no known suffix. A file that ends in "
            f"{', '.join(FORMATS)} or the name of a new folder is expected."
        )
    return _open_folder


@contextlib.contextmanager
def _open_avro(path: Path) -> Iterator[Callable]:
    with atomic_write(path, "wb") as file:
        write_encoded(file, ())

        def write(number, jd, alert_id, packet) -> None:
            file.write(block_of(packet))

        yield write


@contextlib.contextmanager
def _open_folder(path: Path) -> Iterator[Callable]:
    with atomic_folder(path) as folder:

        def write(number, jd, alert_id, packet) -> None:
            with (folder / _file_name(number, alert_id)).open("wb") as file:
                write_encoded(file, [packet])

        yield write


@contextlib.contextmanager
def _open_tar(path: Path, *, is_compressed: bool) -> Iterator[Callable]:
    with contextlib.ExitStack() as stack:
        file: IO = stack.enter_context(atomic_write(path, "wb"))
        if is_compressed:  # stamps are compressed already: level 1 is for the schemas
            file = stack.enter_context(gzip.GzipFile("", "wb", 1, file, mtime=0))
        tar = stack.enter_context(tarfile.open(fileobj=file, mode="w"))

        def write(number, jd, alert_id, packet) -> None:
            container = BytesIO()
            write_encoded(container, [packet])
            member = tarfile.TarInfo(_file_name(number, alert_id))
            unix_days = jd - MJD_ZERO - MJD_OF_UNIX_TIME_ZERO
            member.size, member.mtime = container.tell(), int(unix_days * 86400)
            container.seek(0)
            tar.addfile(member, container)
            tar.members.clear()  # tarfile keeps all members in memory

        yield write


def _file_name(number: int, alert_id: int) -> str:
    """Returns a file's name; the order of the names is the order of time."""
    return f"{number:07d}_{alert_id}.avro"


FORMATS = {  # suffix -> function that opens a file
    ".avro": _open_avro,
    ".tar": partial(_open_tar, is_compressed=False),
    ".tar.gz": partial(_open_tar, is_compressed=True),
    ".tgz": partial(_open_tar, is_compressed=True),
}
