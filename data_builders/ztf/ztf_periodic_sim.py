"""Writes made light curves of stars of the ZTF catalogue, as IRSA's would lie there.

    python -m data_builders.ztf.ztf_periodic_sim --catalogue=Table2.txt.zip \
        --folder=raw/ztf_periodic --stars=300

Each star of it has the catalogue's own period, amplitudes, Fourier numbers, magnitudes
and numbers of epochs; nights, seasons, hours and errors are as a survey of one visit a
night and band has them. They are what the type's rules were made from, drawn again, and
no measurement: for trying the way from files to a trained network, not for scores.
"""

import argparse
import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data_builders.ztf.ztf_periodic import BAD_EPOCH, BAND_OF, LIGHT_CURVES
from data_builders.ztf.ztf_periodic_clean import clean
from data_builders.ztf.ztf_periodic_table import COLUMNS, numbers_of, rows_of
from jaxastro.errors import InputError
from jaxastro.units import MJD_ZERO

CATALOGUE = "table2_subset.csv"  # of the stars that light curves were made of
HEADER = ("oid", "expid", "hjd", "mjd", "mag", "magerr", "catflags", "filtercode")
START, SEASONS, NIGHTS = 58194, 3, 240  # 17 March 2018; nights of a year that are seen
BAD_SHARE = 0.02  # of the epochs, flagged, and wrong by a magnitude


def simulate(catalogue: Path, folder: Path, *, stars: int, seed: int) -> int:
    """Writes a catalogue of some stars and a light curve of each, and returns how many.

    Args:
        catalogue: whose cleaned stars are drawn from, all types alike.
        folder: gets them; another than the catalogue's, whose light curves are real.
        stars: how many.
    """
    if folder.resolve() == catalogue.parent.resolve():
        raise InputError(
            f"{folder} holds the catalogue itself. Made light curves would stand for "
            "real ones there. Give another --folder."
        )
    lines, _ = clean(catalogue)
    rows = [row for number, row in rows_of(catalogue) if number in lines]
    rows = [row for row in rows if isinstance(row, dict)]
    generator = np.random.default_rng(seed)
    kinds = np.array([row["Type"] for row in rows])
    place = generator.permutation(len(rows))
    turn = np.zeros(len(rows), int)  # which of its type a star is
    for kind in np.unique(kinds):
        of_kind = kinds[place] == kind
        turn[of_kind] = np.arange(of_kind.sum())
    chosen = [rows[i] for i in place[np.argsort(turn, kind="stable")][:stars]]
    (folder / LIGHT_CURVES).mkdir(parents=True, exist_ok=True)
    with open(folder / CATALOGUE, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        table.writeheader()
        table.writerows(chosen)
    for row in chosen:
        path = folder / LIGHT_CURVES / f"{row['SourceID']}.csv"
        with open(path, "w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(HEADER)
            table.writerows(epochs_of(numbers_of(row), generator))
    return len(chosen)


def epochs_of(star: dict[str, float], generator: np.random.Generator) -> Iterator:
    """Yields the cells of each epoch of a star, of both bands.

    m = M + A1 cos(2 pi phase) + A1 R21 cos(4 pi phase + phi21), A1 half the amplitude.
    """
    for code, band in BAND_OF.items():
        night = np.arange(SEASONS * 365)
        night = night[night % 365 < NIGHTS]
        count = min(int(star[f"Num_{band}"]), len(night))
        night = np.sort(generator.choice(night, count, replace=False))
        mjd = START + night + 0.3 + generator.uniform(-0.15, 0.15, count)
        phase = (mjd - star["T_0"]) / star["Per"]
        angle, r21, phi21 = 2 * np.pi * phase, star["R21"], star["phi21"]
        shape = np.cos(angle) + r21 * np.cos(2 * angle + phi21)
        mag = star[f"{band}mag"] + star[f"Amp_{band}"] / 2 * shape
        # 1.5 % of the calibration, and a tenth of a magnitude at 20 of the sky.
        error = np.hypot(0.015, 0.1 * 10 ** (0.4 * (mag - 20)))
        mag = mag + generator.normal(0, error)
        bad = generator.random(count) < BAD_SHARE
        mag = mag + bad
        for t, m, e, b in zip(mjd, mag, error, bad, strict=True):
            flags = BAD_EPOCH * int(b)
            yield 1, 1, f"{t + MJD_ZERO:.6f}", f"{t:.6f}", m, e, flags, code


def main(arguments: list[str] | None = None) -> int:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--catalogue", type=Path, required=True, help="table 2")
    parser.add_argument("--folder", type=Path, required=True, help="for what is made")
    parser.add_argument("--stars", type=int, default=300, help="(default: 300)")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    try:
        count = simulate(
            given.catalogue, given.folder, stars=given.stars, seed=given.seed
        )
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{count} light curves were made in {given.folder / LIGHT_CURVES}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
