"""Simulates IRSA light curves of stars of the ZTF catalogue of periodic variables.

    python -m data_builders.ztf.ztf_periodic_sim --catalogue=Table2.txt.zip \
        --folder=raw/ztf_periodic --stars=300

Each star has the period, amplitudes, Fourier parameters, magnitudes and numbers of
epochs of the catalogue. Nights, seasons, hours and errors are those of a survey with
one visit per night and band. The types were assigned by rules on these same parameters,
so the light curves are for tests of the pipeline, not for scores.
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
from jaxastro.atomic_write import atomic_write
from jaxastro.errors import InputError, UserError
from jaxastro.units import MJD_ZERO

CATALOGUE = "table2_subset.csv"  # with the simulated stars
HEADER = ("oid", "expid", "hjd", "mjd", "mag", "magerr", "catflags", "filtercode")
START, SEASONS, NIGHTS = 58194, 3, 240  # 17 March 2018; observed nights of a year
BAD_SHARE = 0.02  # of the epochs: flagged, and wrong by a magnitude


def simulate(catalogue: Path, folder: Path, *, stars: int, seed: int) -> int:
    """Writes a catalogue and a light curve of each star, and returns their number.

    Args:
        catalogue: with the stars that ztf_periodic_clean selects; all types are equally
            frequent.
        folder: to write into; not the catalogue's own, which is for real light curves.
        stars: number of stars.
        seed: of the selection and the simulation.
    """
    if folder.resolve() == catalogue.parent.resolve():
        raise InputError(
            f"{folder} contains the catalogue. Simulated light curves would pass for "
            "real ones there. Give another --folder."
        )
    lines, _ = clean(catalogue)
    rows = [row for number, row in rows_of(catalogue) if number in lines]
    rows = [row for row in rows if isinstance(row, dict)]
    generator = np.random.default_rng(seed)
    types = np.array([row["Type"] for row in rows])
    place = generator.permutation(len(rows))
    rank = np.zeros(len(rows), int)  # of a star among those of its type
    for name in np.unique(types):
        is_of_type = types[place] == name
        rank[is_of_type] = np.arange(is_of_type.sum())
    chosen = [rows[i] for i in place[np.argsort(rank, kind="stable")][:stars]]
    (folder / LIGHT_CURVES).mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / CATALOGUE, newline="") as file:
        table = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        table.writeheader()
        table.writerows(chosen)
    for row in chosen:
        path = folder / LIGHT_CURVES / f"{row['SourceID']}.csv"
        with atomic_write(path, newline="") as file:
            table = csv.writer(file)
            table.writerow(HEADER)
            table.writerows(epochs_of(numbers_of(row), generator))
    return len(chosen)


def epochs_of(star: dict[str, float], generator: np.random.Generator) -> Iterator:
    """Yields the cells of each epoch of a star, in both bands.

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
        # 1.5 % from the calibration, and 0.1 mag from the sky at magnitude 20.
        error = np.hypot(0.015, 0.1 * 10 ** (0.4 * (mag - 20)))
        mag = mag + generator.normal(0, error)
        bad = generator.random(count) < BAD_SHARE
        mag = mag + bad
        for t, m, e, b in zip(mjd, mag, error, bad, strict=True):
            flags = BAD_EPOCH * int(b)
            yield 1, 1, f"{t + MJD_ZERO:.6f}", f"{t:.6f}", m, e, flags, code


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--catalogue", type=Path, required=True, help="table 2")
    parser.add_argument("--folder", type=Path, required=True, help="to write into")
    parser.add_argument("--stars", type=int, default=300, help="(default: 300)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        count = simulate(
            options.catalogue, options.folder, stars=options.stars, seed=options.seed
        )
    except (UserError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{count} light curves were simulated in {options.folder / LIGHT_CURVES}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
