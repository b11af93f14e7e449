"""Cut stamps of the SDSS-II supernova candidates from the survey's frames.

    python -m data_builders.sdss.sdss_sn_cut --manual_dir FOLDER --download --drop

FOLDER has the catalogue (SNANA's HEAD table or master_data.txt), the table
stripe82_fields.csv, and frames in frames/; --download gets missing files. The command
can be stopped at any time: repeating it continues. The data card sdss_sn.md has the
sizes of all files.
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
from jaxastro.errors import UserError

MAX_FRAME = 50e6  # bytes; a frame has about 3 million


def main(arguments: list[str] | None = None) -> int:
    """Cuts the available frames, and prints the number of missing ones."""
    options = _parser().parse_args(arguments)
    folder = options.manual_dir.expanduser()
    fetcher = None
    pace = {"requests_per_second": options.requests_per_second}
    try:
        if options.download:
            pace["bytes_per_second"] = options.megabytes_per_second * 1e6
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
            keep=not options.drop,
            threads=options.threads,
        )
    except (UserError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(
        f"{tally.cut} frames cut now, {tally.before} before; {tally.missing} are "
        f"missing (listed in {folder / MISSING_FILE}), {len(tally.damaged)} damaged."
    )
    for message in tally.damaged.values():
        print(message, file=sys.stderr)
    return 0


def fetch_tables(folder: Path, **pace: float) -> None:
    """Downloads the catalogue and the table of fields, if they are missing."""
    fetcher = Fetcher(folder, public_query=("cmd", "format"), **pace)
    try:
        find_catalogue(folder)
    except FileNotFoundError:
        fetcher.fetch(RELEASE + MASTER)
    fetcher.fetch(f"{SKYSERVER}?cmd={quote(SQL)}&format=csv", FIELDS_FILE)


def _parser() -> argparse.ArgumentParser:
    description, _, epilog = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m data_builders.sdss.sdss_sn_cut",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--manual_dir", type=Path, required=True, help="the folder of raw files"
    )
    parser.add_argument(
        "--download", action="store_true", help="download missing files"
    )
    parser.add_argument(
        "--drop",
        action="store_true",
        help="remove downloaded frames after they were cut",
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=1,
        help="number of frames that are decompressed at the same time (default: 1)",
    )
    parser.add_argument(
        "--requests_per_second",
        type=float,
        default=2.0,
        help="largest rate (default: 2)",
    )
    parser.add_argument(
        "--megabytes_per_second",
        type=float,
        default=float("inf"),
        help="largest rate of a download (default: no limit)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
