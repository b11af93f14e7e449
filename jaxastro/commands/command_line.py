"""How every command starts and ends: quietly, and with its faults told in words."""

import gc
import os
import sys
from collections.abc import Callable

from absl import app, flags, logging

from jaxastro.errors import UserError
from jaxastro.runs.malloc import keep_memory

FLAGS = flags.FLAGS

flags.DEFINE_bool("debug", False, "Show where in the code an error was raised.")
flags.DEFINE_bool(
    "keep_memory",
    True,
    "Keep freed memory for the next step: on CPU a sixth less time to train, a third "
    "less to predict.",
)


def run(main: Callable[[], None], *, needs: tuple[str, ...]) -> None:
    """Parses the flags, of which some must be given, and calls main.

    What its user can mend is told in a sentence; a fault of the program itself keeps
    its traceback, as every error does with --debug.
    """
    logging.set_verbosity(logging.WARNING)  # without this JAX tells of absent TPUs
    logging.get_absl_handler().setFormatter(None)  # words only, no thread numbers
    # What orbax logs as an error it raises as well.
    logging.get_absl_logger().addFilter(lambda record: "orbax" not in record.pathname)
    # --help shows the flags of the file that is run, and those that are added to them.
    for name in ("debug", "keep_memory"):
        FLAGS.register_key_flag_for_module(sys.argv[0], FLAGS[name])
    words = None

    def start(_) -> None:
        if FLAGS["keep_memory"].value:
            keep_memory()
        main()

    try:
        app.run(start, flags_parser=lambda given: _parse(given, needs))
    except Exception as error:
        words = explain(error)
        if words is None or FLAGS["debug"].value:
            raise
    except SystemExit as end:
        if not isinstance(end.code, str):
            raise
        words = end.code
    except KeyboardInterrupt:
        words = (
            "Stopped. Training goes on from its last checkpoint by the same command."
        )
    if words is None:
        sys.exit()
    gc.collect()  # with the frames of the error its progress bars end: words come last
    sys.stdout.flush()
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()
    # At once: threads may wait for a disk that is gone, other processes for this one.
    os._exit(1)


def explain(error: BaseException) -> str | None:
    """Returns what to tell the user of an error, None if it is a fault of the program.

    Ours are worded for users: what was given, what was expected, what to do. Those of
    the operating system name the file.
    """
    if isinstance(error, flags.Error):
        cause = error  # why a config file refused its preset lies beneath the parser's
        while cause and not isinstance(cause, UserError):
            cause = cause.__context__
        return str(cause or error)
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError):
        return str(error).splitlines()[-1].strip()
    return None


def _parse(arguments: list[str], needs: tuple[str, ...]) -> list[str]:
    try:
        rest = FLAGS(arguments)
    except AttributeError as error:  # the locked config's, with "Did you mean ...?"
        if not isinstance(error.args[0], KeyError):
            raise
        hint = str(error.args[0].args[0]).replace("\n", ". ")
        raise flags.Error(f"The config has no key {hint}") from None
    if len(rest) > 1:
        raise flags.Error(f"Unknown argument {rest[1]!r}. See --help.")
    for name in needs:
        if FLAGS[name].value is None:
            raise flags.Error(f"--{name} is missing: {FLAGS[name].help} See --help.")
    return rest
