"""Graceful shutdown on SIGTERM and SIGINT: finish the step, save, then end."""

import signal
import sys
import threading
from types import FrameType

from jaxastro.training import sharding

SIGNALS = (signal.SIGTERM, signal.SIGINT)
LAG = 2  # steps until an answer of several processes is read, so that no device waits


class GracefulShutdown:
    """Records SIGTERM and SIGINT in a `with` block; the loop checks after each step.

    A second signal ends the process at once, as it would without this. Signals may
    reach each of several processes at another moment: all of them check at the same
    steps, and all get the same answer. Python delivers signals to the main thread; in
    other threads nothing is recorded.
    """

    def __init__(self, mesh: sharding.Mesh):
        """Takes the mesh of the processes that agree on an answer."""
        self._mesh = mesh
        self._is_single_process = sharding.num_processes() == 1
        self._signal: signal.Signals | None = None
        self._answers = []
        is_main = threading.current_thread() is threading.main_thread()
        watched = SIGNALS if is_main else ()
        self._before = {number: signal.getsignal(number) for number in watched}

    def __enter__(self) -> "GracefulShutdown":
        """Installs the handlers."""
        for number in self._before:
            signal.signal(number, self._record)
        return self

    def __exit__(self, *error) -> None:
        """Restores the handlers that were there before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _record(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._signal = signal.Signals(number)
        signal.signal(number, self._before[number])

    def is_requested(self) -> bool:
        """Returns whether to save and end after this step."""
        if self._is_single_process:
            return self._signal is not None
        self._answers.append(
            sharding.in_any_process(self._signal is not None, self._mesh)
        )
        return len(self._answers) > LAG and bool(self._answers.pop(0))

    def is_requested_by_now(self) -> bool:
        """Returns the same with the last answers in, for which all devices wait."""
        requested = self.is_requested()
        requested |= any(map(bool, self._answers))
        self._answers.clear()
        return requested

    def end(self, step: int) -> None:
        """Ends the process with the exit code that shells and clusters expect.

        Raises:
            SystemExit: always, with 128 plus the number of the signal.
        """
        number = self._signal or signal.SIGTERM
        if sharding.is_first_process():
            sys.stderr.write(
                f"Stopped by {number.name}: step {step} is saved. The same command "
                "continues from there.\n"
            )
        raise SystemExit(128 + number)
