"""Arguments that commands which compute share, and what they switch on."""

import argparse

DATA_DIR = (
    "folder of built data sets; default: TFDS_DATA_DIR, else ~/tensorflow_datasets"
)
MANUAL_DIR = (
    "folder of raw files, for surveys that are not simulated; default: JAXASTRO_DATA"
)


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds --data_dir and --manual_dir."""
    parser.add_argument("--data_dir", default="", metavar="FOLDER", help=DATA_DIR)
    parser.add_argument("--manual_dir", default="", metavar="FOLDER", help=MANUAL_DIR)


def add_computing_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the switches of the compilation cache and of malloc."""
    parser.add_argument(
        "--nocompilation_cache",
        dest="compilation_cache",
        action="store_false",
        help="do not keep compiled programs for later commands",
    )
    parser.add_argument(
        "--nokeep_memory",
        dest="keep_memory",
        action="store_false",
        help="give freed memory back to the system; predictions take a third longer",
    )


def apply_computing_arguments(given: argparse.Namespace) -> None:
    """Sets up malloc and the compilation cache, before JAX starts its threads."""
    from jaxastro.runs.malloc import keep_freed_memory

    if given.keep_memory:
        keep_freed_memory()
    from jaxastro.runs.compilation_cache import use_compilation_cache

    use_compilation_cache(given.compilation_cache)
