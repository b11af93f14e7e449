"""Errors that a user can correct. Every message says what, where and what to do.

Commands print the message alone and keep the traceback for faults of the program. Each
class is also the built-in error that Python users expect to catch.
"""


class UserError(Exception):
    """Base of all errors that a user can correct; its message is a sentence or two."""


class InputError(UserError, ValueError):
    """An argument, a config or a file has a value that cannot be used."""


class MissingFileError(UserError, FileNotFoundError):
    """A file or folder that is needed does not exist."""


class MissingPackageError(UserError, ModuleNotFoundError):
    """An optional package is needed and not installed."""


class DivergedError(UserError, FloatingPointError):
    """A loss or a prediction became NaN or infinite during training."""


class FileAccessError(UserError, OSError):
    """A file or folder cannot be opened or written."""


class RunLockedError(UserError):
    """Another process works in the same run folder."""


class RecordError(InputError):
    """An object cannot become a record; the message names the object and the cure."""
