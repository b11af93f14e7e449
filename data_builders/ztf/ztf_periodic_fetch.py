"""Downloads the ZTF catalogue of periodic variables, and light curves of its stars.

    python -m data_builders.ztf.ztf_periodic_fetch --folder=raw/ztf_periodic --stars=100

The catalogue comes from Zenodo, the light curves from IRSA, by the positions of the
stars. Files that exist are not downloaded again, so the command can be stopped and
repeated. Other public programs use the same addresses. Neither service was accessible
during development; the tests use a local server.
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
from jaxastro.errors import UserError

CATALOGUE = "https://zenodo.org/record/3886372/files/Table2.txt.zip?download=1"
IRSA = "https://irsa.ipac.caltech.edu/cgi-bin/ZTF/nph_light_curves"
# The radius is 1.5 arcsec, in degrees: ZTF's positions scatter by tenths of an arcsec,
# and another star is rarely as close. 32768 is the flag of unusable epochs.
QUERY = "POS=CIRCLE+{ra}+{dec}+0.000417&BANDNAME=g,r&BAD_CATFLAGS_MASK=32768&FORMAT=csv"
MAX_FAILURES = 5  # in a row; then the service fails, not a single star


def fetch_catalogue(folder: Path, *, address: str, **pace) -> Path:
    """Returns the path of the catalogue, which is downloaded if it is missing."""
    existing = [folder / name for name in RAW_FILES if (folder / name).exists()]
    if existing:
        return existing[0]
    fetcher = Fetcher(folder, public_query=("download",), **pace)
    return fetcher.fetch(address, name=RAW_FILES[0])


def fetch_light_curves(
    catalogue: Path, *, stars: int, address: str, **pace
) -> collections.Counter:
    """Downloads light curves into the folder LIGHT_CURVES next to a catalogue.

    Args:
        catalogue: with the stars that ztf_periodic_clean selects.
        stars: number of stars, a random selection that is always the same; 0 for all.
        address: of the service.
        pace: arguments of Fetcher, such as requests_per_second.

    Returns:  the number of stars "there" and "failed"; failures are logged.
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
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="of raw files")
    parser.add_argument(
        "--stars",
        type=int,
        default=10,
        help="number of light curves; 0 for all (default: 10)",
    )
    parser.add_argument("--requests_per_second", type=float, default=1.0)
    options = parser.parse_args(arguments)
    pace = {"requests_per_second": options.requests_per_second}
    try:
        catalogue = fetch_catalogue(options.folder, address=CATALOGUE, **pace)
        count = fetch_light_curves(catalogue, stars=options.stars, address=IRSA, **pace)
    except (UserError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{count['there']} light curves exist, {count['failed']} failed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
