"""Arguments that several sub-commands take, worded once."""

import argparse


def add_data_set(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Adds the name of a data set, or of several."""
    parser.add_argument(
        "name",
        nargs="+" if several else None,
        metavar="NAME[/PRESET]",
        help="a builder, and its preset if it has some: hits, sdss_sn_sim/laptop; "
        "`list` shows all",
    )


def add_folders(parser: argparse.ArgumentParser) -> None:
    """Adds where data sets and raw files lie."""
    parser.add_argument(
        "--data_dir",
        default="",
        metavar="FOLDER",
        help="of built data sets (default: TFDS_DATA_DIR, else ~/tensorflow_datasets)",
    )
    parser.add_argument(
        "--manual_dir",
        default="",
        metavar="FOLDER",
        help="of raw files, for surveys that are not simulated (default: the survey's "
        "folder in the one that JAXASTRO_DATA names)",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Adds the choice of an answer for programs."""
    parser.add_argument(
        "--json", action="store_true", help="print JSON, for programs, not for people"
    )
