"""Standing in line: a few runs at work, the others in the order they came, and a limit to how many wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PLACES = 2
WAITING = 60


class BusyError(Exception):
    """As many wait as may."""


class Line:
    """At most ``places`` runs at work and ``waiting`` behind them."""

    def __init__(self, places: int = PLACES, waiting: int = WAITING) -> None:
        self._places, self._waiting = places, waiting
        self._spots: list[object] = []
        self._moved = threading.Condition()

    def __len__(self) -> int:
        return len(self._spots)

    @contextmanager
    def stand(self) -> Iterator[Callable[[float], int]]:
        """Stand in line as long as the context lasts.

        Yields:
            A function that waits for one's turn, at most so many seconds, and says how many must
            end before it; 0 is one's turn.

        Raises:
            BusyError: if the line is full.
        """
        spot = object()
        with self._moved:
            if len(self._spots) >= self._places + self._waiting:
                raise BusyError(f"{self._waiting} are waiting already; please try again in a few minutes.")
            self._spots.append(spot)
        try:
            yield lambda seconds: self._ahead(spot, seconds)
        finally:
            with self._moved:
                self._spots.remove(spot)
                self._moved.notify_all()

    def _ahead(self, spot: object, seconds: float) -> int:
        with self._moved:
            self._moved.wait_for(lambda: self._before(spot) <= 0, seconds)
            return max(0, self._before(spot))

    def _before(self, spot: object) -> int:
        return self._spots.index(spot) - self._places + 1
