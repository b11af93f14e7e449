"""A night of simulated ZTF alerts on disk, to replay where real ones are read.

    python -m data_builders.commands.simulate_night --objects 2000 --output night.tar.gz

Apart from the builder, as Python cannot run a module that its package has imported.
"""

import argparse
import contextlib
import csv
import gzip
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from data_builders.engine.processes import read_in_order
from data_builders.ztf.ztf_alerts_sim import PART_SIZE, packets_of
from jaxastro.alerts.ztf_write import block_of, encode, write_encoded
from jaxastro.errors import InputError
from jaxastro.simulation.alerts import KINDS
from jaxastro.simulation.night import alerts_of_night
from jaxastro.units import MJD_OF_UNIX_TIME_ZERO, MJD_ZERO

COLUMNS = ("object_id", "alert_id", "class", "kind")  # of the table of truths
FIRST_NIGHT, LAST_NIGHT = 50001, 99999  # that readers of alerts take for a date
EXAMPLES = """\
examples:
  python -m data_builders.commands.simulate_night --objects 2000 --output night.tar.gz
  python -m data_builders.commands.simulate_night --objects 500 --seed 7 --output night.avro
  python -m data_builders.commands.simulate_night --objects 60 --night 60100 --output FOLDER
  python -m experiments.predict --workdir=RUN --input=night.tar.gz \\
      --output=said.csv --each_alert
"""


class Sent(NamedTuple):
    """One alert of the night."""

    jd: float
    alert_id: int
    truth: tuple  # its row of the table
    packet: bytes


def simulate_part(numbers: range, *, seed: int, night: int) -> Iterator[list[Sent]]:
    """Yields the alerts of each of some objects, none of one that is never seen."""
    for number in numbers:
        kind, packets = packets_of(number, seed=seed)
        if packets:
            packets = alerts_of_night(packets, night, number=number, seed=seed)
        sent = []
        for packet in packets:
            truth = packet["objectId"], packet["candid"], KINDS[kind][0], kind
            jd = packet["candidate"]["jd"]
            sent.append(Sent(jd, packet["candid"], truth, encode(packet)))
        yield sent


def write_night(
    output: Path, *, objects: int, seed: int, night: int, processes: int = 1
) -> tuple[int, int]:
    """Writes the alerts of a night in their order, and beside them their truths.

    Packets wait for their turn in a file without a name, memory holds one row each.

    Returns: how many alerts, and how many objects of which none was seen.
    Raises:
        ValueError: if it is no output that can be written.
    """
    write_to, truth_file = form_of(output), truth_of(output)
    parts = [range(objects)[i : i + PART_SIZE] for i in range(0, objects, PART_SIZE)]
    simulate = partial(simulate_part, seed=seed, night=night)
    with tempfile.TemporaryFile(dir=output.parent) as waiting:
        rows, unseen = [], 0
        found = read_in_order(
            simulate, parts, processes=processes, folder=str(output.parent)
        )
        for sent in tqdm(found, "Simulating", objects, unit="object", disable=None):
            unseen += not sent
            for jd, alert_id, truth, packet in sent:
                rows.append((jd, alert_id, truth, waiting.tell(), len(packet)))
                waiting.write(packet)
        rows.sort()
        with whole_or_not(output) as at, whole_or_not(truth_file) as told:
            with told.open("w", newline="") as file:
                csv.writer(file).writerows([COLUMNS, *(row[2] for row in rows)])
            with write_to(at) as write:
                for number, (jd, alert_id, _, start, size) in enumerate(
                    tqdm(rows, "Writing", unit="alert", disable=None)
                ):
                    waiting.seek(start)
                    write(number, jd, alert_id, waiting.read(size))
    return len(rows), unseen


# -- what is written -------------------------------------------------------------------


def form_of(output: Path) -> Callable:
    """Returns what writes a file of this name, or a folder.

    Raises:
        ValueError: if the name is of another kind of file, or a folder holds files.
    """
    if output.is_dir() and any(output.iterdir()):
        raise InputError(
            f"{output} is a folder that holds something. A new one was expected, or a "
            f"file that ends in {', '.join(FORMS)}. Name another."
        )
    for suffix, write_to in FORMS.items():
        if output.name.endswith(suffix) and not output.is_dir():
            return write_to
    if output.suffix:
        raise InputError(
            f"{output} is no file that alerts can be written to. Give one that ends in "
            f"{', '.join(FORMS)}, or the name of a new folder."
        )
    return _folder


def truth_of(output: Path) -> Path:
    """Returns where the truths of a night are told."""
    return output.with_name(f"{output.name}.truth.csv")


@contextlib.contextmanager
def whole_or_not(path: Path) -> Iterator[Path]:
    """Gives PATH.partial to write to, which in the end becomes the path."""
    partial_path = path.with_name(path.name + ".partial")
    _remove(partial_path)  # of a process that was killed
    try:
        yield partial_path
        if path.is_dir():
            path.rmdir()  # it is empty
        partial_path.replace(path)
    finally:
        _remove(partial_path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _avro(path: Path) -> Iterator[Callable]:
    with path.open("wb") as file:
        write_encoded(file, ())

        def write(number, jd, alert_id, packet) -> None:
            file.write(block_of(packet))

        yield write


@contextlib.contextmanager
def _folder(path: Path) -> Iterator[Callable]:
    path.mkdir()

    def write(number, jd, alert_id, packet) -> None:
        with (path / _name(number, alert_id)).open("wb") as file:
            write_encoded(file, [packet])

    yield write


@contextlib.contextmanager
def _tar(path: Path, *, packed: bool) -> Iterator[Callable]:
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(path.open("wb"))
        if packed:  # stamps are packed already: level 1 is for the schemas
            file = gzip.GzipFile("", "wb", 1, file, mtime=0)
            stack.enter_context(file)
        tar = stack.enter_context(tarfile.open(fileobj=file, mode="w"))

        def write(number, jd, alert_id, packet) -> None:
            container = BytesIO()
            write_encoded(container, [packet])
            member = tarfile.TarInfo(_name(number, alert_id))
            member.size, member.mtime = (
                container.tell(),
                int((jd - MJD_ZERO - MJD_OF_UNIX_TIME_ZERO) * 86400),
            )
            container.seek(0)
            tar.addfile(member, container)
            tar.members.clear()  # it remembers every one

        yield write


def _name(number: int, alert_id: int) -> str:
    """Returns a file's name; by name, files are in the order of time."""
    return f"{number:07d}_{alert_id}.avro"


FORMS = {
    ".avro": _avro,
    ".tar": partial(_tar, packed=False),
    ".tar.gz": partial(_tar, packed=True),
    ".tgz": partial(_tar, packed=True),
}


def parser() -> argparse.ArgumentParser:
    """Returns what reads the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m data_builders.commands.simulate_night",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=(
            "Simulate a night of ZTF's alerts: packets of schema 4.02 with three\n"
            "stamps and the history of the 30 days before, in the order of time. Of\n"
            "each object there are the alerts of one night (mostly one or two).\n"
            "Their true classes are written beside them, to OUTPUT's .truth.csv; its\n"
            "alert_id is that of the packets and of experiments.predict."
        ),
        epilog=EXAMPLES,
    )
    add = parser.add_argument
    form = (
        "a new folder, or a file: .tar or .tar.gz (an Avro container an alert, as "
        "ZTF's public nights), .avro (one container of all)"
    )
    sky = "names the sky they lie in; 0 holds the training data (default: 99)"
    date = "modified Julian date, a whole number (default: 59900)"
    add("--output", type=Path, required=True, help=form)
    add("--objects", type=int, default=2000, help="how many (default: 2000)")
    add("--seed", type=int, default=99, help=sky)
    add("--night", type=int, default=59900, metavar="MJD", help=date)
    add("--processes", type=int, default=1, help="that simulate (default: 1)")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Writes a night of simulated alerts."""
    asked = parser()
    given = asked.parse_args(arguments)
    for name, low, high in (
        ("objects", 1, 10**7),
        ("seed", 0, 2**63),
        ("night", FIRST_NIGHT, LAST_NIGHT),
        ("processes", 1, 1000),
    ):
        if not low <= getattr(given, name) <= high:
            asked.error(
                f"--{name} {getattr(given, name)}. A whole number from {low} to {high} "
                "was expected."
            )
    try:
        count, unseen = write_night(
            given.output,
            objects=given.objects,
            seed=given.seed,
            night=given.night,
            processes=given.processes,
        )
    except ValueError as error:
        asked.error(str(error))
    except OSError as error:
        asked.error(
            f"{given.output} cannot be written: {error.strerror}. A path in a folder "
            "that exists was expected. Make the folder or choose another."
        )
    seen = given.objects - unseen
    print(f"{count} alerts of {seen} objects written to {given.output}")
    if unseen:
        print(f"{unseen} objects were never detected: they have no alert.")
    print(f"Their classes: {truth_of(given.output)}")


if __name__ == "__main__":
    main()
