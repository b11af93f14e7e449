"""Measures how much of a loop's time is spent waiting for its input."""

import time
from collections.abc import Generator
from typing import Any


class InputTimer:
    """Yields the items of a generator and measures the time until each is there."""

    def __init__(self, items: Generator[Any]):
        """Takes the generator of the input."""
        self._items = items
        self._waited, self._since = 0.0, None

    def __iter__(self) -> "InputTimer":
        """Returns itself."""
        return self

    def __next__(self) -> Any:
        """Returns the next item."""
        requested = time.monotonic()
        if self._since is None:
            self._since = requested
        try:
            return next(self._items)
        finally:
            self._waited += time.monotonic() - requested

    def share(self) -> float:
        """Returns the share of the time, in [0, 1], spent waiting since the last call.

        The clock stops until the next item is requested.
        """
        passed = time.monotonic() - self._since if self._since is not None else 0.0
        share = self._waited / passed if passed else 0.0
        self._waited, self._since = 0.0, None
        return share

    def close(self) -> None:
        """Ends the generator, and with it its threads and processes."""
        self._items.close()
