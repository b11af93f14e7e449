"""Command line of the data sets: `python -m data_builders --help`."""

import argparse
import importlib
import os
import sys

from absl import logging

from data_builders.engine.printable import printable
from jaxastro.errors import UserError

PROGRAM = "python -m data_builders"
COMMANDS = {  # name on the command line -> its module, and what it does
    "list": ("list_builders", "list all data sets and show which are built"),
    "build": ("build", "build a data set, on one core, on several, or on a cluster"),
    "inspect": ("inspect_raw", "read raw files and report what they hold"),
    "schema": ("show_schema", "show all columns: type, shape, unit, meaning"),
    "export": ("export", "write a data set as Parquet, for use without TFDS"),
    "leaks": ("leaks", "test whether nuisance variables predict the labels"),
    "new-objects": ("new_objects", "simulate raw objects, to try a trained run on"),
    "simulate-night": ("simulate_night", "simulate the ZTF alerts of one night"),
}
EPILOG = """\
examples:
  python -m data_builders build sdss_sn_sim/tiny      simulated: needs no raw file
  python -m data_builders inspect some_night.tar.gz
  python -m data_builders build hits --help

exit codes:
  0 success    1 the data have a fault (a leak, an unreadable file)    2 wrong use"""


def main(arguments: list[str] | None = None, *, program: str = PROGRAM) -> int:
    """Runs a sub-command and returns its exit code.

    An error that the user can correct is printed as its message alone; any other error
    is raised.

    Args:
        arguments: of the command line; by default those of this process.
        program: name of the command in help texts.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser(arguments, program).parse_args(arguments)
    logging.set_verbosity(logging.WARNING)
    logging.get_absl_handler().setFormatter(None)  # the message, without a prefix
    try:
        return options.run(options)
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (UserError, OSError) as error:
        if options.debug:
            raise
        message = str(error)
    except KeyboardInterrupt:
        message = "Stopped. No partial output was left. Run the same command again."
    for line in message.splitlines():  # it may quote text from a raw file
        print(printable(line, length=2000), file=sys.stderr)
    return 2


def _parser(arguments: list[str], program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        description="Build, inspect and export data sets of astronomical surveys.",
        epilog=EPILOG.replace(PROGRAM, program),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (module_name, summary) in COMMANDS.items():
        command = commands.add_parser(
            name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name in arguments[:1]:  # loading the modules of all would take seconds
            module = importlib.import_module(f"data_builders.commands.{module_name}")
            text = module.__doc__.replace(PROGRAM, program)
            command.description, _, command.epilog = text.partition("\n\n")
            module.add_arguments(command)
            command.add_argument(
                "--debug", action="store_true", help="show where an error was raised"
            )
            command.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
