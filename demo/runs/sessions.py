"""What the server remembers of each browser tab: bounded in number and in age."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from captioner.search import SettingsError
from demo.runs.updates import Captioned, Result, Shown
from demo.texts import english

MAX_SESSIONS = 64
MAX_AGE = 3600.0
LEFT_AGE = 120.0  # a laptop that slept, a network that failed for a moment


class ForgottenError(Exception):
    """Nothing is known of a tab whose page shows something: the server was started anew, or many came after it."""


@dataclass(eq=False)
class Session:
    """One tab: its photo, the run that may write to its page, and when the person last pressed Stop.

    ``stopped`` is a ticket too: every run that was asked for before it is to end. ``left`` is when
    the tab was closed, or lost; infinity while it is open.
    """

    shown: Shown | None = None
    result: Result | None = None
    run: int = 0
    stopped: int = 0
    used: float = 0.0
    left: float = math.inf
    lock: threading.Lock = field(default_factory=threading.Lock)

    def finished(self) -> Result:
        """All captions on its page.

        Raises:
            SettingsError: if there is none yet.
        """
        if self.result is None:
            raise SettingsError(english.NOTHING_YET)
        return self.result

    def captioned(self, index: int) -> Captioned:
        """One caption on its page.

        Raises:
            SettingsError: if there is no such one.
        """
        found = self.finished().found
        if not 0 <= index < len(found):
            raise SettingsError(english.NO_SUCH_CAPTION)
        return found[index]


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
            session.used, session.left = now, math.inf
            self._sessions.move_to_end(key)
            while len(self._sessions) > self._limit:
                self._sessions.popitem(last=False)
            self._forget(now)
            return session

    def leave(self, key: str) -> None:
        """The tab was closed: what it runs ends at its next step, what is kept for it goes soon."""
        with self._lock:
            if session := self._sessions.get(key):
                session.stopped, session.left = self.ticket(), self._clock()

    def sweep(self) -> None:
        """Forget the sessions that are too old, or whose tabs were closed and have not come back."""
        with self._lock:
            self._forget(self._clock())

    def _forget(self, now: float) -> None:
        for key, session in list(self._sessions.items()):
            if now - session.used > self._max_age or now - session.left > LEFT_AGE:
                del self._sessions[key]
