"""Runs the project's commands in processes of their own, as a user does."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from support.forked_commands import ForkedCommand

ROOT = Path(__file__).parents[2]


class Done(NamedTuple):
    """The exit code and the output of a command."""

    code: int
    stdout: str
    stderr: str

    @property
    def error_message(self) -> str:
        """The last line on stderr of a command that refused its input."""
        assert self.code == 1, (self.code, self.stderr)
        assert "Traceback" not in self.stderr, self.stderr
        return self.stderr.splitlines()[-1]


def start(*arguments, **environment) -> subprocess.Popen | ForkedCommand:
    """Starts Python on the project."""
    arguments = [str(argument) for argument in arguments]
    if arguments[0] == "-m" and set(environment) <= {"XLA_FLAGS"}:
        module, *rest = arguments[1:]
        return ForkedCommand(module, rest, os.environ | environment, ROOT)
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | environment,
        text=True,
    )


def python(*arguments, **environment) -> Done:
    """Runs Python on the project to its end."""
    with start(*arguments, **environment) as process:
        stdout, stderr = process.communicate()
    return Done(process.returncode, stdout, stderr)


def command_line(name: str, *arguments, **flags) -> list:
    """Returns what follows `python` to run train, evaluate, predict or another."""
    flags = [f"--{flag}={value}" for flag, value in flags.items()]
    return ["-m", f"experiments.{name}", *arguments, *flags]


def run(name: str, *arguments, **flags) -> Done:
    """Runs a command to its end."""
    return python(*command_line(name, *arguments, **flags))


def with_devices(count: int) -> dict[str, str]:
    """The environment in which a process sees so many devices on a CPU."""
    flags = os.environ["XLA_FLAGS"]
    return {"XLA_FLAGS": f"{flags} --xla_force_host_platform_device_count={count}"}
