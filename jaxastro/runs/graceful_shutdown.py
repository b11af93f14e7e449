"""A polite end: the step is finished, the state saved, the reason told."""

import signal
import sys
from types import FrameType

from jaxastro.training import sharding

WATCHED = (signal.SIGTERM, signal.SIGINT)
LAG = 2  # steps an answer of several processes takes, so that no device waits for it


class Interruption:
    """Turns SIGTERM and SIGINT into a question that the loop asks after each step.

    A second signal ends the process at once, as it would without this. Each of several
    processes may be told at another moment: all of them ask at the same steps, and all
    get the same answer.
    """

    def __init__(self, mesh: sharding.Mesh):
        """Watches in a `with` block, for the processes of a mesh."""
        self._mesh = mesh
        self._alone = sharding.num_processes() == 1
        self._signal: signal.Signals | None = None
        self._answers = []
        self._before = {number: signal.getsignal(number) for number in WATCHED}

    def __enter__(self) -> "Interruption":
        """Starts to watch."""
        for number in WATCHED:
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

    def is_asked(self) -> bool:
        """Returns whether to save and end after this step."""
        if self._alone:
            return self._signal is not None
        self._answers.append(sharding.anywhere(self._signal is not None, self._mesh))
        return len(self._answers) > LAG and bool(self._answers.pop(0))

    def is_asked_by_now(self) -> bool:
        """Returns the same with the last answers in, for which all devices wait."""
        asked = self.is_asked()
        asked |= any(map(bool, self._answers))
        self._answers.clear()
        return asked

    def end(self, step: int) -> None:
        """Ends the process as shells and clusters expect of one that was stopped."""
        number = self._signal or signal.SIGTERM
        if sharding.is_first_process():
            sys.stderr.write(
                f"Stopped by {number.name}: step {step} is saved. The same command "
                "continues from there.\n"
            )
        raise SystemExit(128 + number)
