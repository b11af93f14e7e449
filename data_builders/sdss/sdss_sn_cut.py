"""Cuts stamps of the SDSS-II supernova candidates out of the survey's frames.

    python -m data_builders.sdss.sdss_sn_cut --manual_dir FOLDER --download --drop

FOLDER holds the catalogue (SNANA's HEAD table or master_data.txt), the table
stripe82_fields.csv, and frames in frames/; --download fetches what is not there. Stop
it whenever you like: the same command goes on where it was. The data card sdss_sn.md
tells how large all of this is.
"""

import argparse
import sys
from pathlib import Path
from urllib.parse import quote

from data_builders.engine.download import Fetcher
from data_builders.sdss.sdss_sn import SURVEY, places_of
from data_builders.sdss.sdss_sn_cutouts import FRAMES, MISSING_FILE, cut_frames
from data_builders.sdss.sdss_sn_frames import FIELDS_FILE, SKYSERVER, SQL, read_fields
from data_builders.sdss.sdss_sn_tables import (
    MASTER,
    RELEASE,
    find_catalogue,
    read_candidates,
)

MAX_FRAME = 50e6  # bytes; a frame has about 3 million


def main(arguments: list[str] | None = None) -> int:
    """Cuts what is there, or can be fetched, and tells what is not."""
    given = _parser().parse_args(arguments)
    folder = given.manual_dir.expanduser()
    fetcher = None
    pace = {"requests_per_second": given.requests_per_second}
    try:
        if given.download:
            pace["bytes_per_second"] = given.megabytes_per_second * 1e6
            fetch_tables(folder, **pace)
            quiet = {"progress": False, "max_bytes": MAX_FRAME}
            fetcher = Fetcher(folder / FRAMES, **pace, **quiet)
        candidates = read_candidates(find_catalogue(folder))
        fields = read_fields(folder / FIELDS_FILE)
        tally = cut_frames(
            folder,
            places_of(candidates),
            fields,
            size=SURVEY.image_size,
            fetcher=fetcher,
            keep=not given.drop,
            threads=given.threads,
        )
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(
        f"{tally.cut} frames cut now, {tally.before} before; {tally.missing} are "
        f"not there (listed in {folder / MISSING_FILE}), {len(tally.damaged)} damaged."
    )
    for words in tally.damaged.values():
        print(words, file=sys.stderr)
    return 0


def fetch_tables(folder: Path, **pace: float) -> None:
    """Fetches the catalogue and the table of fields, where they are missing."""
    fetcher = Fetcher(folder, public_query=("cmd", "format"), **pace)
    try:
        find_catalogue(folder)
    except FileNotFoundError:
        fetcher.fetch(RELEASE + MASTER)
    fetcher.fetch(f"{SKYSERVER}?cmd={quote(SQL)}&format=csv", FIELDS_FILE)


def _parser() -> argparse.ArgumentParser:
    what, _, how = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m data_builders.sdss.sdss_sn_cut",
        description=what,
        epilog=how,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--manual_dir", type=Path, required=True, help="the folder of raw files"
    )
    parser.add_argument(
        "--download", action="store_true", help="fetch what the folder lacks"
    )
    parser.add_argument(
        "--drop",
        action="store_true",
        help="remove each frame that was fetched once it is cut",
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=1,
        help="how many frames are unpacked at a time (default: 1)",
    )
    parser.add_argument(
        "--requests_per_second",
        type=float,
        default=2.0,
        help="at most, of the archive (default: 2)",
    )
    parser.add_argument(
        "--megabytes_per_second",
        type=float,
        default=float("inf"),
        help="at most, from the archive (default: as fast as it comes)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
