"""Runs commands as forks of one process that has imported the libraries already.

Imports take most of the time of a short command. Each command is a process of its own
with its arguments, environment, signals, output and exit code. Only the start of the
interpreter is shared; tests of the wheel and of the imports start Python anew.
"""

import atexit
import functools
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
from multiprocessing import forkserver
from pathlib import Path

_forks = multiprocessing.get_context("forkserver")


@functools.cache
def _start_server() -> None:
    """Starts the process that commands are forked from."""
    path = os.environ.get("PYTHONPATH", "")
    # The server searches only here for what it loads first.
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    _forks.set_forkserver_preload(["support.command_imports"])
    forkserver.ensure_running()
    os.environ["PYTHONPATH"] = path


class ForkedCommand:
    """A running command, with the methods of subprocess.Popen that tests use."""

    def __init__(self, module: str, arguments: list, environment: dict, folder: Path):
        _start_server()
        self.stdout, self.stderr = (
            tempfile.NamedTemporaryFile("r")  # noqa: SIM115 (closed by __exit__)
            for _ in range(2)
        )
        names = [self.stdout.name, self.stderr.name]
        self._process = _forks.Process(
            target=_run, args=(module, arguments, environment, folder, names)
        )
        self._process.start()

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("the command", timeout)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        self.wait(timeout)
        return self.stdout.read(), self.stderr.read()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self._process.pid, number)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wait()
        self.stdout.close()
        self.stderr.close()


def _run(module, arguments, environment, folder, outputs) -> None:
    """Becomes `python -m module arguments`, and ends the process."""
    for descriptor, name in enumerate(outputs, start=1):
        os.dup2(os.open(name, os.O_WRONLY), descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.path[0] = str(folder)
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:  # as an interpreter ends, which multiprocessing leaves out
        threading._shutdown()
        atexit._run_exitfuncs()
