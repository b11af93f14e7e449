"""The command line of the library: `jaxastro --help`."""

import argparse
import importlib
import sys

COMMANDS = {  # sub-command -> what it does
    "predict": "classify new objects with a trained run, or with several",
    "evaluate": "predict the test fold of a run again",
    "report": "write the page, the pictures and metrics.json of a run",
    "score": "score predictions against a table of true labels",
    "describe": "layers, parameters, arithmetic and memory of a run",
    "data": "data sets: list, build, inspect, check for leaks, export",
}
EPILOG = """\
examples:
  jaxastro predict --workdir=runs/hits --input=new.npz --output=new.csv
  jaxastro report --workdir=runs/hits
  jaxastro data build sdss_sn_sim/tiny
  jaxastro predict --help

Ends with 0 if all went well, 1 if the input is at fault, 2 if an argument is."""


def main(arguments: list[str] | None = None) -> int:
    """Runs a sub-command and returns its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["data"]:
        from data_builders.__main__ import main as data_main

        return data_main(arguments[1:], program="jaxastro data")
    given = _parser(arguments).parse_args(arguments)
    from jaxastro.commands.error_handling import run_command

    return run_command(lambda: given.run(given), debug=given.debug)


def run_as_module(name: str) -> None:
    """Runs a sub-command as `python -m experiments.NAME` and ends the process."""
    sys.exit(main([name, *sys.argv[1:]]))


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jaxastro",
        description="Classify astronomical image time series, light curves and alerts.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_Version())
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, what in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=what,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if name in arguments[:1]:  # the others need not be imported
            module = importlib.import_module(f"jaxastro.commands.{name}")
            command.description, _, command.epilog = (module.__doc__ or "").partition(
                "\n\n"
            )
            module.add_arguments(command)
            command.add_argument(
                "--debug", action="store_true", help="show where an error was raised"
            )
            command.set_defaults(run=module.run)
    return parser


class _Version(str):
    """The version, looked up when it is printed."""

    def __mod__(self, values) -> str:
        import jaxastro

        return f"jaxastro {jaxastro.__version__}"


if __name__ == "__main__":
    sys.exit(main())
