"""Whose turn it is: which run of a tab owns its page, and the line in which the runs of all tabs stand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from demo.runs.sessions import Session
from demo.runs.updates import Result
from demo.texts import english

PLACES = 2
WAITING = 60
NEWS_SECONDS = 0.5  # between two looks at the line


@dataclass(frozen=True, eq=False)
class Run:
    """One wish of a tab. The newest run of a tab owns its page; an older one ends at its next step."""

    number: int
    session: Session

    def begin(self, result: Result | None = None) -> bool:
        """Take the page, unless a later run has it already; ``result`` is what stays on it."""
        with self.session.lock:
            if self.number < self.session.run:
                return False
            self.session.run, self.session.result = self.number, result
            return True

    def finish(self, result: Result) -> bool:
        """Keep what this run found, unless the page has gone to a later one."""
        with self.session.lock:
            if self.owns:
                self.session.result = result
            return self.owns

    @property
    def owns(self) -> bool:
        """Whether the page is still this run's."""
        return self.session.run == self.number

    def wanted(self) -> bool:
        """Whether it owns the page, and nobody has pressed Stop or left since it was asked for."""
        return self.owns and self.session.stopped < self.number


class BusyError(Exception):
    """As many wait as may."""


class WaitingLine:
    """At most ``places`` runs at work and ``waiting`` behind them, in the order they came."""

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
                raise BusyError(english.LINE_IS_FULL.format(self._waiting))
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


def news(run: Run, ahead: Callable[[float], int]) -> Iterator[int]:
    """How many are ahead of a run, now and then, until it is its turn or it is not wanted any more.

    Args:
        ahead: what `WaitingLine.stand` yields.
    """
    while run.wanted() and (before := ahead(NEWS_SECONDS)):
        yield before
