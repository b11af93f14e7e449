"""Fetches the ZTF catalogue of periodic variables and light curves of its stars.

    python -m data_builders.ztf.ztf_periodic_fetch --folder=raw/ztf_periodic --stars=100

The catalogue comes from Zenodo, each light curve from IRSA, by the star's place on the
sky. What was fetched before is not fetched again, so the command can be stopped and
given again. The addresses are those that other public programs use; neither service
could be reached where this was written, and the tests ask a server of their own.
"""

import argparse
import collections
import hashlib
import sys
from pathlib import Path

from absl import logging

from data_builders.engine.download import DownloadError, Fetcher
from data_builders.ztf.ztf_periodic import LIGHT_CURVES, MAX_BYTES, RAW_FILES
from data_builders.ztf.ztf_periodic_clean import clean
from data_builders.ztf.ztf_periodic_table import rows_of

CATALOGUE = "https://zenodo.org/record/3886372/files/Table2.txt.zip?download=1"
IRSA = "https://irsa.ipac.caltech.edu/cgi-bin/ZTF/nph_light_curves"
# 1.5 arcsec, in degrees: ZTF's places scatter by tenths of an arcsec, and the next
# star is rarely as near. 32768 is the flag of epochs that should not be used.
QUERY = "POS=CIRCLE+{ra}+{dec}+0.000417&BANDNAME=g,r&BAD_CATFLAGS_MASK=32768&FORMAT=csv"
MAX_FAILURES = 5  # in a row; then the service has something, not the star


def fetch_catalogue(folder: Path, *, address: str, **pace) -> Path:
    """Returns the path of a catalogue in the folder, fetched if there is none."""
    here = [folder / name for name in RAW_FILES if (folder / name).exists()]
    if here:
        return here[0]
    fetcher = Fetcher(folder, public_query=("download",), **pace)
    return fetcher.fetch(address, name=RAW_FILES[0])


def fetch_light_curves(
    catalogue: Path, *, stars: int, address: str, **pace
) -> collections.Counter:
    """Fetches light curves into the folder beside a catalogue.

    Args:
        catalogue: whose cleaned stars are wanted; see data_builders/ztf_periodic_clean.
        stars: how many, drawn at random but always the same; 0 for all.
        address: of the service.
        pace: what a Fetcher takes: requests_per_second and so on.

    Returns:  how many "there", and how many "failed", each with a warning in the log.
    Raises:   DownloadError: if MAX_FAILURES fail in a row.
    """
    lines, _ = clean(catalogue)
    rows = [row for number, row in rows_of(catalogue) if number in lines]
    rows = [row for row in rows if isinstance(row, dict)]
    rows.sort(key=lambda row: hashlib.sha256(row["SourceID"].encode()).digest())
    fetcher = Fetcher(
        catalogue.parent / LIGHT_CURVES,
        public_query=("POS",),
        max_bytes=MAX_BYTES,
        **pace,
    )
    count, in_a_row = collections.Counter(there=0, failed=0), 0
    for row in rows[: stars or None]:
        query = QUERY.format(ra=row["RAdeg"], dec=row["DEdeg"])
        try:
            fetcher.fetch(f"{address}?{query}", name=f"{row['SourceID']}.csv")
            count["there"], in_a_row = count["there"] + 1, 0
        except DownloadError as error:
            count["failed"], in_a_row = count["failed"] + 1, in_a_row + 1
            logging.warning("%s: %s", row["ID"], error)
            if in_a_row == MAX_FAILURES:
                raise
    return count


def main(arguments: list[str] | None = None) -> int:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="for raw files")
    parser.add_argument(
        "--stars", type=int, default=10, help="light curves; 0 for all (default: 10)"
    )
    parser.add_argument("--requests_per_second", type=float, default=1.0)
    given = parser.parse_args(arguments)
    pace = {"requests_per_second": given.requests_per_second}
    try:
        catalogue = fetch_catalogue(given.folder, address=CATALOGUE, **pace)
        count = fetch_light_curves(catalogue, stars=given.stars, address=IRSA, **pace)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{count['there']} light curves are there, {count['failed']} failed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
