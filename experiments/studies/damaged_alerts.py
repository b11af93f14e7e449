"""Whether damage in the middle of a night costs any alert but those that it hits.

    python -m data_builders.commands.simulate_night --objects 2000 --output night.avro
    python -m experiments.studies.damaged_alerts --input=night.avro

In one alert of twenty, at random, bytes are changed, zeroed, lost or put in, or its end
is cut off. The night is sent as one container of all alerts and as a tar of one each,
and read as `predict --each_alert` reads it. A row says how many pieces were set aside
and named, how many of the damaged alerts were read all the same (nothing guards the
numbers of a packet) and, which must be 0, how many others were lost, or read otherwise
than in the whole night. The command fails if any was.
"""

import io
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from benchmarks import result
from data_builders.ztf.ztf_alerts import read_each

SYNC = 16  # bytes that end a container's header and each of its blocks


class Night(NamedTuple):
    """An Avro container, in pieces."""

    header: bytes  # with the marker at its end
    blocks: list[bytes]  # of one alert each, without


def taken_apart(container: bytes) -> Night:
    """Returns the pieces of a container that holds one alert a block."""
    sync = container[-SYNC:]
    pieces = container.split(sync) if sync else []
    if len(pieces) < 3 or pieces[-1]:
        sys.exit(
            "--input is no Avro container that is whole. Simulate one, see --help."
        )
    return Night(pieces[0] + sync, pieces[1:-1])


def together(night: Night, blocks: list[bytes]) -> bytes:
    """Returns the container of some blocks."""
    sync = night.header[-SYNC:]
    return night.header + b"".join(block + sync for block in blocks)


def tarred(night: Night, blocks: list[bytes]) -> bytes:
    """Returns a tar of containers of one block each, as a night of ZTF comes."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for number, block in enumerate(blocks):
            alone = together(night, [block])
            member = tarfile.TarInfo(f"{number:07d}.avro")
            member.size = len(alone)
            tar.addfile(member, io.BytesIO(alone))
    return whole.getvalue()


FORMS = {"one container": together, "tar of containers": tarred}


# -- damage ----------------------------------------------------------------------------


def changed(data: bytes, at: int, size: int, generator) -> bytes:
    """Returns the bytes with some single ones changed, anywhere."""
    found = np.frombuffer(data, np.uint8).copy()
    where = generator.integers(len(data), size=1 + size % 8)
    found[where] ^= generator.integers(1, 256, len(where)).astype(np.uint8)
    return found.tobytes()


DAMAGE: dict[str, Callable] = {
    "bytes changed": changed,
    "zeros": lambda d, at, n, _: d[:at] + bytes(len(d[at : at + n])) + d[at + n :],
    "bytes lost": lambda data, at, n, _: data[:at] + data[at + n :],
    "bytes put in": lambda data, at, n, rng: data[:at] + rng.bytes(n) + data[at:],
    "end cut off": lambda data, at, n, _: data[:at],
}


def damaged(data: bytes, kind: str, generator: np.random.Generator) -> bytes:
    """Returns a block with damage of a kind, at a random place."""
    at, size = int(generator.integers(len(data))), int(generator.integers(1, 2000))
    return DAMAGE[kind](data, at, size, generator)


# -- what is read ----------------------------------------------------------------------


def alerts_of(night: bytes) -> tuple[list[tuple[int, int]], int]:
    """Returns each alert that is read, name and content as numbers; and damage."""
    found, aside = [], 0
    for reading in read_each(Path(), io.BytesIO(night)):
        if (record := reading.record) is None:
            aside += 1
        else:
            whole = tuple(map(content_of, record))
            found.append((int(record.alert_id[0]), hash(whole)))
    return found, aside


def content_of(value: np.ndarray | str | float) -> tuple:
    """Returns a field of a record as what can be compared, NaN too."""
    if isinstance(value, np.ndarray):
        return (value.shape, value.dtype.str, value.tobytes())
    return (repr(value),)


def measure(
    night: Night, whole: list[tuple[int, int]], share: float, seed: int
) -> list[result.Row]:
    """Returns a row for each kind of damage and form of the night.

    Args:
        whole: its alerts as they are read undamaged, in the order of the blocks.
        share: of the alerts that is damaged.
    """
    rows, bar = [], tqdm(total=len(DAMAGE) * len(FORMS), unit="night", disable=None)
    for kind in DAMAGE:
        generator = np.random.default_rng(seed)
        hit = generator.random(len(whole)) < share
        blocks = [
            damaged(block, kind, generator) if is_hit else block
            for block, is_hit in zip(night.blocks, hit, strict=True)
        ]
        others = [alert for alert, is_hit in zip(whole, hit, strict=True) if not is_hit]
        for form, send in FORMS.items():
            read, aside = alerts_of(send(night, blocks))
            names, same = dict(read), set(read)
            lost = sum(name not in names for name, _ in others)
            measures = {
                "set aside": aside,
                "read all the same": len(read) - (len(others) - lost),
                "others lost": lost,
                "others changed": sum(one not in same for one in others) - lost,
            }
            case = {"damage": kind, "sent as": form, "hit": int(hit.sum())}
            rows.append(result.Row(case | {"others": len(others)}, measures))
            bar.update()
    bar.close()
    return rows


def main() -> None:
    """Runs the command."""
    parser = result.parser_of(__doc__)
    add = parser.add_argument
    share = "of the alerts that is hit (default: 0.05)"
    add("--share", type=float, default=0.05, help=share)
    add("--seed", type=int, default=0, help="of places and bytes (default: 0)")
    add("--input", type=Path, required=True, help="an .avro night of simulate_night")
    given = parser.parse_args()
    container = given.input.read_bytes()
    night = taken_apart(container)
    whole, aside = alerts_of(container)
    if aside or len(whole) != len(night.blocks):
        sys.exit(f"{given.input} holds damage, or blocks of several alerts, already.")
    rows = measure(night, whole, given.share, given.seed)
    about = {"input": given.input.name, "MB": round(len(container) / 1e6)}
    result.show(rows, as_json=given.json, about=about)
    if any(
        row.measures[f"others {what}"] for row in rows for what in ("lost", "changed")
    ):
        sys.exit("Alerts that were not hit were lost or changed: see the table.")


if __name__ == "__main__":
    main()
