"""How every command ends: of a user error the message, of other errors a traceback."""

import gc
import os
import sys
from collections.abc import Callable, Iterator

from absl import flags, logging

from jaxastro.errors import UserError


def run_command(main: Callable[[], int | None], *, debug: bool = False) -> int:
    """Calls main and returns the exit code of the process.

    The message of a UserError, or of an error of the operating system, is printed
    without a traceback. Faults of the program keep theirs.

    Args:
        debug: keep the traceback of every error.
    """
    quiet_logging()
    try:
        return main() or 0
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        words = message_of(error)
        if words is None or debug:
            raise
    except KeyboardInterrupt:
        words = "Stopped. Run the command again; training resumes from a checkpoint."
    gc.collect()  # progress bars end with the frames of the error: the message is last
    sys.stdout.flush()
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()
    # At once: threads may wait for a disk that is gone, other processes for this one.
    os._exit(1)


def message_of(error: BaseException) -> str | None:
    """Returns the message for the user; None if it is a fault of the program."""
    if isinstance(error, flags.Error):
        # The parser wraps what a config file raised, with its traceback as text.
        causes = [one for one in _contexts(error) if isinstance(one, UserError)]
        return str(causes[-1] if causes else error)
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError):
        return str(error).splitlines()[-1].strip()
    return None


def _contexts(error: BaseException | None) -> Iterator[BaseException]:
    """Yields an error, the one during which it was raised, and so on."""
    while error:
        yield error
        error = error.__context__


def quiet_logging() -> None:
    """Shows warnings as their words alone, and none that JAX or Orbax raise as well."""
    logging.set_verbosity(logging.WARNING)  # without this JAX reports absent TPUs
    logging.get_absl_handler().setFormatter(None)
    logging.get_absl_logger().addFilter(lambda record: "orbax" not in record.pathname)
