"""The command line of the data sets: `python -m data_builders --help`."""

import argparse
import importlib
import os
import sys

from absl import logging

from data_builders.engine.printable import printable

COMMANDS = {  # what the user types -> the module that does it, and what it does
    "list": (
        "list_builders",
        "which data sets can be built, from what; which are there",
    ),
    "inspect": (
        "inspect_raw",
        "what a raw file or folder is, and what is wrong with it",
    ),
    "build": ("build", "a data set, on one core, on several, or on a cluster"),
    "leaks": ("leaks", "whether labels can be told without looking at the objects"),
    "export": ("export", "a data set as Parquet, for people without TFDS"),
    "schema": ("show_schema", "every column: type, shape, unit, meaning"),
}
EPILOG = """\
examples:
  python -m data_builders build sdss_sn_sim/tiny      needs no raw file
  python -m data_builders inspect some_night.tar.gz
  python -m data_builders build hits --help

Ends with 0 if all went well, 1 if the data are at fault (a leak, a file that nothing
can read), 2 if the command could not do what was asked."""


def main(arguments: list[str] | None = None) -> int:
    """Runs a sub-command and returns its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    given = _parser(arguments).parse_args(arguments)
    logging.set_verbosity(logging.WARNING)
    logging.get_absl_handler().setFormatter(None)  # words only, no thread numbers
    try:
        return given.run(given)
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, ValueError, ImportError) as error:
        if given.debug:
            raise
        words = str(error)
    except KeyboardInterrupt:
        words = "Stopped. Nothing half-made was left: run the same command again."
    for line in words.splitlines():  # a name from a raw file may be in it
        print(printable(line, length=2000), file=sys.stderr)
    return 2


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m data_builders",
        description="From raw survey files to data sets that any framework reads.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (module_name, what) in COMMANDS.items():
        command = commands.add_parser(
            name, help=what, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name in arguments[:1]:  # the others need not be loaded
            module = importlib.import_module(f"data_builders.commands.{module_name}")
            command.description, _, command.epilog = module.__doc__.partition("\n\n")
            module.add_arguments(command)
            command.add_argument(
                "--debug", action="store_true", help="show where an error was raised"
            )
            command.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
