"""What the server remembers of each browser tab: bounded in number and in age."""

from __future__ import annotations

import itertools
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from captioner.caption import Caption
from captioner.photo import Photo
from captioner.pipeline import Look
from captioner.search import SearchSettings

MAX_SESSIONS = 64
MAX_AGE = 3600.0


@dataclass(eq=False)
class Shown:
    """The photo a tab shows. It is looked at (encoded) once, by whichever run comes first."""

    photo: Photo
    view: Path
    name: str = ""
    look: Look | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def looked(self, encode: Callable[[Photo], Look]) -> Look:
        """The photo's look, encoded now if no run has done so yet."""
        with self.lock:
            if self.look is None:
                self.look = encode(self.photo)
            return self.look


class Captioned(NamedTuple):
    """A caption on the page, the photo it is of, and whether the search found it or what was asked."""

    caption: Caption
    shown: Shown
    origin: str = "search"


@dataclass(frozen=True, eq=False)
class Result:
    """What a finished search found, best first; then the answers to what was asked of it."""

    found: tuple[Captioned, ...]
    settings: SearchSettings


@dataclass(eq=False)
class Session:
    """One tab: its photo, the run that may write to its page, and the last run the person stopped."""

    shown: Shown | None = None
    result: Result | None = None
    run: int = 0
    stopped: int = 0
    used: float = 0.0


class Sessions:
    """Sessions by key; the longest unused leave when there are too many or they are too old.

    Run numbers rise across the server's life, so a page can tell a newer run from an older one.
    """

    def __init__(
        self, limit: int = MAX_SESSIONS, max_age: float = MAX_AGE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit, self._max_age, self._clock = limit, max_age, clock
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()
        self._tickets = itertools.count(time.time_ns() // 1_000_000)

    def __len__(self) -> int:
        return len(self._sessions)

    def ticket(self) -> int:
        """A number for a run, taken when the person asked for it; a later one outranks it."""
        return next(self._tickets)

    def get(self, key: str) -> Session:
        """The session of this tab, fresh if it is new or was forgotten."""
        with self._lock:
            now = self._clock()
            session = self._sessions.setdefault(key, Session())
            session.used = now
            self._sessions.move_to_end(key)
            while len(self._sessions) > self._limit or self._oldest_age(now) > self._max_age:
                self._sessions.popitem(last=False)
            return session

    def begin(self, session: Session, run: int) -> bool:
        """Give the page to this run, unless a later one has it already."""
        with self._lock:
            if run < session.run:
                return False
            session.run, session.result = run, None
            return True

    def _oldest_age(self, now: float) -> float:
        return now - next(iter(self._sessions.values())).used
