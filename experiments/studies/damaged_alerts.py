r"""Does damage in a night of alerts cost any alert besides the damaged ones?

    python -m data_builders simulate-night --objects 2000 --output night.avro
    python -m experiments.studies.damaged_alerts --input=night.avro

In one alert of twenty, at random, bytes are changed, zeroed, removed or inserted, or
the end is cut off. The night is packed as one container of all alerts and as a tar of
one container each, and read as `jaxastro predict --each_alert` reads it. A row counts
    set aside         pieces that were recognised as damaged and reported
    damaged but read  damaged alerts that were read (a packet has no checksum)
    others lost       undamaged alerts that were not read
    others changed    undamaged alerts that were read with other values
The command fails unless the last two are 0.
"""

import io
import json
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from data_builders.ztf.ztf_alerts import read_each
from experiments.studies import command
from jaxastro.errors import InputError

MARKER = 16  # bytes that end the header and each block of a container


class Container(NamedTuple):
    """An Avro container in pieces."""

    header: bytes  # with the marker at its end
    blocks: list[bytes]  # of one alert each, without the marker


def split_container(data: bytes) -> Container:
    """Returns the pieces of a container that holds one alert in each block.

    Raises:
        InputError: if it is incomplete, or no container.
    """
    marker = data[-MARKER:]
    pieces = data.split(marker) if marker else []
    if len(pieces) < 3 or pieces[-1]:
        raise InputError(
            "--input is no complete Avro container. Simulate one, see --help."
        )
    return Container(pieces[0] + marker, pieces[1:-1])


def join_container(container: Container, blocks: list[bytes]) -> bytes:
    """Returns one container with other blocks."""
    marker = container.header[-MARKER:]
    return container.header + b"".join(block + marker for block in blocks)


def join_tar(container: Container, blocks: list[bytes]) -> bytes:
    """Returns a tar of containers of one block each, as ZTF publishes a night."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for number, block in enumerate(blocks):
            data = join_container(container, [block])
            member = tarfile.TarInfo(f"{number:07d}.avro")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return archive.getvalue()


FORMATS = {"one container": join_container, "tar of containers": join_tar}


# -- damage ----------------------------------------------------------------------------


def change_bytes(data: bytes, at: int, size: int, generator) -> bytes:
    """Returns the bytes with one to eight of them changed, anywhere."""
    found = np.frombuffer(data, np.uint8).copy()
    where = generator.integers(len(data), size=1 + size % 8)
    found[where] ^= generator.integers(1, 256, len(where)).astype(np.uint8)
    return found.tobytes()


def zero_bytes(data: bytes, at: int, size: int, generator) -> bytes:
    """Returns the bytes with `size` of them set to zero."""
    return data[:at] + bytes(len(data[at : at + size])) + data[at + size :]


def remove_bytes(data: bytes, at: int, size: int, generator) -> bytes:
    """Returns the bytes without `size` of them."""
    return data[:at] + data[at + size :]


def insert_bytes(data: bytes, at: int, size: int, generator) -> bytes:
    """Returns the bytes with `size` random ones inserted."""
    return data[:at] + generator.bytes(size) + data[at:]


def cut_off_end(data: bytes, at: int, size: int, generator) -> bytes:
    """Returns the bytes up to a place."""
    return data[:at]


DAMAGE: dict[str, Callable] = {
    "bytes changed": change_bytes,
    "bytes zeroed": zero_bytes,
    "bytes removed": remove_bytes,
    "bytes inserted": insert_bytes,
    "end cut off": cut_off_end,
}


def damage_block(data: bytes, kind: str, generator: np.random.Generator) -> bytes:
    """Returns a block with damage of a kind, at a random place."""
    at, size = int(generator.integers(len(data))), int(generator.integers(1, 2000))
    return DAMAGE[kind](data, at, size, generator)


# -- reading ---------------------------------------------------------------------------


def read_alerts(night: bytes) -> tuple[list[tuple[int, int]], int]:
    """Returns (alert, hash of its content) of each one read, and how many were not."""
    found, set_aside = [], 0
    for reading in read_each(Path(), io.BytesIO(night)):
        if (record := reading.record) is None:
            set_aside += 1
        else:
            content = tuple(map(_hashable, record))
            found.append((int(record.alert_id[0]), hash(content)))
    return found, set_aside


def _hashable(value: np.ndarray | str | float) -> tuple:
    """Returns a field of a record in a form in which NaN equals NaN."""
    if isinstance(value, np.ndarray):
        return (value.shape, value.dtype.str, value.tobytes())
    return (repr(value),)


def measure(
    container: Container, alerts: list[tuple[int, int]], *, share: float, seed: int
) -> list[dict]:
    """Returns a row for each kind of damage and format.

    Args:
        alerts: as read_alerts returns them of the undamaged night.
        share: of the alerts that is damaged.
    """
    rows = []
    bar = tqdm(total=len(DAMAGE) * len(FORMATS), unit="night", disable=None)
    for kind in DAMAGE:
        generator = np.random.default_rng(seed)
        is_damaged = generator.random(len(alerts)) < share
        blocks = [
            damage_block(block, kind, generator) if damaged else block
            for block, damaged in zip(container.blocks, is_damaged, strict=True)
        ]
        pairs = zip(alerts, is_damaged, strict=True)
        others = [alert for alert, damaged in pairs if not damaged]
        for name, join in FORMATS.items():
            read, set_aside = read_alerts(join(container, blocks))
            names, contents = dict(read), set(read)
            lost = sum(name not in names for name, _ in others)
            rows.append(
                {
                    "damage": kind,
                    "format": name,
                    "damaged": int(is_damaged.sum()),
                    "others": len(others),
                    "set aside": set_aside,
                    "damaged but read": len(read) - (len(others) - lost),
                    "others lost": lost,
                    "others changed": sum(one not in contents for one in others) - lost,
                }
            )
            bar.update()
    bar.close()
    return rows


def main(given) -> None:
    """Prints the table, or the same as JSON."""
    data = given.input.read_bytes()
    container = split_container(data)
    alerts, set_aside = read_alerts(data)
    if set_aside or len(alerts) != len(container.blocks):
        raise InputError(
            f"{given.input} is damaged, or its blocks hold several alerts. Simulate "
            "another, see --help."
        )
    rows = measure(container, alerts, share=given.share, seed=given.seed)
    if given.json:
        print(json.dumps(rows, indent=1))
    else:
        command.print_table([*rows[0]], [[*map(str, row.values())] for row in rows])
    if any(row["others lost"] or row["others changed"] for row in rows):
        sys.exit("Undamaged alerts were lost or changed: see the table.")


if __name__ == "__main__":
    parser = command.make_parser(__doc__)
    parser.add_argument(
        "--input", type=Path, required=True, help="an .avro night of simulate-night"
    )
    parser.add_argument(
        "--share", type=float, default=0.05, help="of damaged alerts (default: 0.05)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the damage")
    command.run(main, parser)
