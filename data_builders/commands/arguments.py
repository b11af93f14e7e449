"""Arguments that several sub-commands take."""

import argparse


def add_data_set(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Adds the name of a data set, or of several."""
    parser.add_argument(
        "name",
        nargs="+" if several else None,
        metavar="NAME[/PRESET]",
        help="data set, with its preset if it has several: hits, sdss_sn_sim/laptop; "
        "`list` shows all",
    )


def add_folders(parser: argparse.ArgumentParser) -> None:
    """Adds the folders of built data sets and of raw files."""
    parser.add_argument(
        "--data_dir",
        default="",
        metavar="FOLDER",
        help="folder of built data sets (default: TFDS_DATA_DIR, else "
        "~/tensorflow_datasets)",
    )
    parser.add_argument(
        "--manual_dir",
        default="",
        metavar="FOLDER",
        help="folder of raw files, for surveys that are not simulated (default: the "
        "folder JAXASTRO_DATA/SURVEY)",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Adds the choice of JSON output."""
    parser.add_argument(
        "--json", action="store_true", help="print JSON, for use by programs"
    )


def whole_number(name: str, low: int, high: int):
    """Returns the type of an argument that is a whole number within limits."""

    def convert(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(
                f"{name} is {text}. A whole number from {low} to {high} is expected."
            )
        return number

    return convert
