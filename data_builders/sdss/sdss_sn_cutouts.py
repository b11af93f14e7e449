"""Cuts stamps from SDSS frames, frame by frame, into a file that can be resumed.

A frame contains several objects and has 3 MB; all frames of all objects have terabytes.
So each frame is opened once, cut around all its objects, and may be deleted before the
next one is downloaded. The stamps of a frame are written to the SQLite file cutouts.db
in one transaction: a process that is killed can continue without loss.
"""

import collections
import functools
import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tqdm
from absl import logging

from data_builders.engine.download import DownloadError, Fetcher
from data_builders.sdss.sdss_sn_frames import (
    BANDS,
    SAS,
    Frame,
    Stamp,
    cut,
    fields_of,
    frame_of,
)
from jaxastro.errors import FileAccessError, InputError

STORE_FILE, FRAMES, MISSING_FILE = "cutouts.db", "frames", "missing_frames.txt"
SCHEMA = """
    CREATE TABLE IF NOT EXISTS places (place TEXT PRIMARY KEY, frames INTEGER);
    CREATE TABLE IF NOT EXISTS stamps (
        place TEXT, frame TEXT, score REAL, band INTEGER, mjd REAL, psf_fwhm REAL,
        noise REAL, gain REAL, zero_point REAL, pixels BLOB,
        UNIQUE (frame, place)
    );
    CREATE INDEX IF NOT EXISTS stamps_of_a_place ON stamps (place);
"""
PER_EPOCH = ("mjd", "psf_fwhm", "noise", "gain", "zero_point")


class Place(NamedTuple):
    """A position to cut."""

    object_id: str
    ra: float  # degrees
    dec: float  # degrees

    @property
    def key(self) -> str:
        """Its key in the store: an object with a new position is cut again."""
        return f"{self.object_id}@{self.ra:.6f}{self.dec:+.6f}"


class Tally(NamedTuple):
    """Numbers of frames."""

    cut: int  # now
    before: int  # by earlier runs
    missing: int  # their addresses are in missing_frames.txt
    damaged: dict[str, str]  # frame -> why it cannot be read


class Store:
    """Stamps of size x size pixels, in one SQLite file.

    Raises:
        FileAccessError: if the file cannot be opened or has another format.
    """

    def __init__(self, path: Path, *, size: int):
        self.size = size
        try:
            self._file = sqlite3.connect(path, timeout=600)
            self._file.executescript(SCHEMA)
        except sqlite3.Error as error:
            raise FileAccessError(
                f"{path}: {error}. A writable file of cutouts is expected. Make its "
                "folder writable, or remove the file and cut again."
            ) from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def plan(self, places: Sequence[Place], frames: Sequence[int]) -> None:
        """Stores the number of frames that contain each position, cut or not."""
        rows = ((p.key, int(n)) for p, n in zip(places, frames, strict=True))
        with self._file:
            query = "INSERT OR REPLACE INTO places VALUES (?, ?)"
            self._file.executemany(query, rows)

    def keys_of(self, frame: Frame) -> set[str]:
        """Returns the keys of all positions that were cut from a frame."""
        query = "SELECT place FROM stamps WHERE frame = ?"
        return {key for (key,) in self._file.execute(query, (frame.name,))}

    def add(self, frame: Frame, places: Sequence[Place], stamps: Sequence[Stamp]):
        """Stores the stamps of one frame in one transaction."""
        band = BANDS.index(frame.band)
        rows = [
            (
                place.key,
                frame.name,
                frame.score,
                band,
                stamp.mjd,
                frame.psf_fwhm,
                stamp.noise,
                stamp.gain,
                stamp.zero_point,
                None if stamp.pixels is None else stamp.pixels.astype("<f4").tobytes(),
            )
            for place, stamp in zip(places, stamps, strict=True)
        ]
        with self._file:
            marks = ", ".join("?" * 10)
            self._file.executemany(
                f"INSERT OR IGNORE INTO stamps VALUES ({marks})", rows
            )

    def frames_of(self, place: Place) -> tuple[int, int]:
        """Returns the number of frames that contain a position, and of those cut."""
        query = "SELECT frames FROM places WHERE place = ?"
        (planned,) = self._file.execute(query, (place.key,)).fetchone() or (0,)
        query = "SELECT COUNT(*) FROM stamps WHERE place = ?"
        return planned, self._file.execute(query, (place.key,)).fetchone()[0]

    def epochs_of(self, place: Place, *, minimum_score: float) -> dict:
        """Returns flux [t y x] and the columns of all epochs, by time; {} if none.

        Args:
            place: a position that was cut.
            minimum_score: of a field; only fields above it are used.
        """
        query = (
            f"SELECT pixels, band, {', '.join(PER_EPOCH)} FROM stamps WHERE place = ? "
            "AND score > ? AND pixels IS NOT NULL ORDER BY mjd, frame"
        )
        rows = self._file.execute(query, (place.key, minimum_score)).fetchall()
        if not rows:
            return {}
        pixels, band, *columns = zip(*rows, strict=True)
        flux = np.frombuffer(b"".join(pixels), "<f4")
        # SQLite stores NaN as NULL, which becomes NaN again as a float.
        columns = (np.array(column, float) for column in columns)
        return {
            "flux": flux.reshape(-1, self.size, self.size),
            "band": np.array(band, np.int32),
            **dict(zip(PER_EPOCH, columns, strict=True)),
        }


def cut_frames(
    folder: Path,
    places: Sequence[Place],
    fields: dict,
    *,
    size: int,
    fetcher: Fetcher | None = None,
    keep: bool = True,
    threads: int = 1,
) -> Tally:
    """Cuts all frames that contain the positions and exist or can be downloaded.

    Args:
        folder: with frames/; cutouts.db and a list of missing frames are written to it.
        places: positions of all objects, of any class.
        fields: the table of fields.
        size: of a stamp, pixels on a side.
        fetcher: downloads missing frames; None downloads nothing.
        keep: keep downloaded frames; other frames are never removed.
        threads: number of frames that are decompressed at the same time.

    Raises:
        DownloadError: if the archive does not respond; repeat later.
    """
    ra, dec = (np.array([getattr(p, axis) for p in places]) for axis in ("ra", "dec"))
    place, row = fields_of(ra, dec, fields)
    places_of_field = {}
    # Field after field along a run, the order of the archive.
    along = (fields["field"][row], fields["camcol"][row], fields["run"][row])
    for i in np.lexsort(along).tolist():
        places_of_field.setdefault(int(row[i]), []).append(places[place[i]])
    total, done, missing, damaged = len(BANDS) * len(places_of_field), 0, 0, {}

    def jobs(store, missing_file):
        nonlocal missing
        frames = itertools.product(places_of_field, BANDS)
        for row, band in tqdm.tqdm(frames, total=total, unit="frame", disable=None):
            frame = frame_of(fields, row, band)
            had = store.keys_of(frame)
            wanted = [p for p in places_of_field[row] if p.key not in had]
            path = _find(folder, frame)
            if wanted and path is None and fetcher:
                path = _fetch(fetcher, frame)
            if wanted and path is None:
                missing += 1
                missing_file.write(f"{SAS}/{frame.in_archive}\n")
            if path is not None and (wanted or not keep):
                yield path, frame, wanted

    with (
        Store(folder / STORE_FILE, size=size) as store,
        open(folder / MISSING_FILE, "w") as missing_file,
    ):
        store.plan(places, len(BANDS) * np.bincount(place, minlength=len(places)))
        cut_ahead = functools.partial(_stamps, size=size)
        work = jobs(store, missing_file)
        for (path, frame, wanted), stamps in _ahead(cut_ahead, work, threads):
            try:
                store.add(frame, wanted, stamps.result())
                done += bool(wanted)
            except InputError as error:
                damaged[frame.name] = str(error)
                logging.warning("Set aside: %s", error)
            if fetcher and not keep and frame.name in fetcher.fetched():
                path.unlink()
    before = total - done - missing - len(damaged)
    return Tally(done, before, missing, damaged)


def _ahead(function: Callable, jobs: Iterable, threads: int) -> Iterator[tuple]:
    """Yields each job and its future, while the next jobs are running."""
    with ThreadPoolExecutor(threads) as pool:
        waiting = collections.deque()
        for job in jobs:
            waiting.append((job, pool.submit(function, *job)))
            if len(waiting) > threads:
                yield waiting.popleft()
        yield from waiting


def _stamps(path: Path, frame: Frame, places, *, size: int) -> list[Stamp]:
    if not places:
        return []
    ra, dec = ([getattr(place, axis) for place in places] for axis in ("ra", "dec"))
    return cut(path, frame, ra, dec, size=size)


def _find(folder: Path, frame: Frame) -> Path | None:
    """Returns the path of a frame in frames/, flat or in the archive's folders."""
    for name in (frame.name, frame.in_archive):
        if (folder / FRAMES / name).exists():
            return folder / FRAMES / name
    return None


def _fetch(fetcher: Fetcher, frame: Frame) -> Path | None:
    try:
        return fetcher.fetch(f"{SAS}/{frame.in_archive}")
    except DownloadError as error:
        if error.status == 404:  # this frame is not in the archive; others may be
            return None
        raise
