"""A polite end: the step is finished, the state saved, the reason told."""

import os
import signal
import sys
from types import FrameType

import jax

from jaxastro.training import sharding


class Interruption:
    """Turns SIGTERM and SIGINT into a question that the loop asks after each step.

    A second signal ends the process at once, as it would without this. Of several
    hosts each may be told at another step: JAX's own watch over SIGTERM then finds the
    step that all of them reach, and SIGINT is passed on to it.
    """

    def __init__(self):
        """Watches from now on, to the end of the `with` block."""
        self._signal: signal.Signals | None = None
        self._alone = jax.process_count() == 1
        watched = (signal.SIGTERM, signal.SIGINT) if self._alone else (signal.SIGINT,)
        self._before = {number: signal.getsignal(number) for number in watched}

    def __enter__(self) -> "Interruption":
        """Starts to watch."""
        for number in self._before:
            signal.signal(number, self._note)
        return self

    def __exit__(self, *error) -> None:
        """Gives the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._signal = signal.Signals(number)
        signal.signal(number, self._before[number])
        if not self._alone:
            os.kill(os.getpid(), signal.SIGTERM)

    def is_asked(self, step: int) -> bool:
        """Returns whether to save and end after this step."""
        if self._alone:
            return self._signal is not None
        return sharding.asked_to_stop(step)

    def end(self, step: int) -> None:
        """Ends the process as shells and clusters expect of one that was stopped."""
        number = self._signal or signal.SIGTERM
        if sharding.is_first_process():
            sys.stderr.write(
                f"Stopped by {number.name}: step {step} is saved. The same command "
                "continues from there.\n"
            )
        raise SystemExit(128 + number)
