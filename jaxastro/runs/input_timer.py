"""How much of the time a loop waits for what it works on."""

import time
from collections.abc import Generator
from typing import Any


class Waiting:
    """Yields what a generator does, and knows which share of the time that took."""

    def __init__(self, items: Generator[Any]):
        """Takes what is waited for."""
        self._items = items
        self._waited, self._since = 0.0, None

    def __iter__(self) -> "Waiting":
        """Returns itself."""
        return self

    def __next__(self) -> Any:
        """Returns the next item, and counts the time until it is there."""
        asked = time.monotonic()
        if self._since is None:
            self._since = asked
        try:
            return next(self._items)
        finally:
            self._waited += time.monotonic() - asked

    def share(self) -> float:
        """Returns the share of the time, in [0, 1], that was waited since last asked.

        The clock stands still from now until the next item is asked for.
        """
        passed = time.monotonic() - self._since if self._since is not None else 0.0
        share = self._waited / passed if passed else 0.0
        self._waited, self._since = 0.0, None
        return share

    def close(self) -> None:
        """Ends the generator: its threads and processes end with it."""
        self._items.close()
