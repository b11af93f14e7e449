"""What commands import, loaded once by the process that they are forked from."""

import importlib

import experiments.command_line  # noqa: F401
import jaxastro.runs.training_loop  # noqa: F401
from jaxastro.commands.main import COMMANDS

for name in set(COMMANDS) - {"data"}:
    importlib.import_module(f"jaxastro.commands.{name}")
